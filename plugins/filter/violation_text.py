# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Violation, once, text

DOCUMENTATION = r"""
name: violation_text
short_description: Format violations for people
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Formats violations as text, one line each, with the finding and the remedy.
options:
  _input:
    description:
      - Violations as P(dualstack.aks.plan_violations#filter) returns them, or a list of such lists.
      - If several lists have a violation of the same rule and subject, only the first one is used.
    type: list
    elements: raw
    required: true
"""

EXAMPLES = r"""
- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ [{'rule': 'subnet_ipv6_length', 'subject': 'westeurope.nodes', 'found': '/63', 'remedy': 'register a /64', 'reference': ''}]
      | dualstack.aks.violation_text }}"
"""

RETURN = r"""
_value:
  description: The text; empty without violations.
  type: str
"""


def _violation_text(violations: Sequence[Any]) -> str:
    findings = [violations] if all(isinstance(found, Mapping) for found in violations) else violations
    return text(once([Violation(**found) for found in role] for role in findings))


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"violation_text": _violation_text}
