from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
name: violation_text
short_description: Write violations as people read them
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Makes one text of violations, a paragraph each, with what was found and the way out.
options:
  _input:
    description: Violations as P(dualstack.aks.plan_violations#filter) returns them; texts are taken as they are.
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


def _violation_text(violations: Sequence[Mapping[str, Any] | str]) -> str:
    lines = []
    for found in violations:
        if isinstance(found, str):
            lines.append(f"- {found}")
            continue
        reference = f" See {found['reference']}" if found.get("reference") else ""
        lines.append(f"- {found['subject']}: {found['found']} [{found['rule']}]. Remedy: {found['remedy']}.{reference}")
    return "\n".join(lines)


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"violation_text": _violation_text}
