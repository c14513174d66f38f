from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.repairs import repairs
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.stamp import MalformedFacts, Stamp

DOCUMENTATION = r"""
name: verify_repairs
short_description: Which records of a stamp are withdrawn, and why
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - A family's record is withdrawn when its entrance was asked and did not answer; never when nobody could ask.
  - The last address of a name stays unless O(everything=true), since two silent families are more often the asking host's fault.
positional: everything
options:
  _input:
    description: As P(dualstack.aks.verify_results#filter) takes it.
    type: dict
    required: true
  everything:
    description: Whether a name may be left without any address.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Nobody was asked, so nothing is withdrawn
  ansible.builtin.assert:
    that: (facts | dualstack.aks.verify_repairs).withdraw == []
  vars:
    facts: {stamp: westeurope}
"""

RETURN = r"""
_value:
  description: C(withdraw), the families whose records go, and C(lines), what is done about each silent family that has a record.
  type: dict
"""


def _verify_repairs(facts: Mapping[str, Any], everything: bool = False) -> dict[str, Any]:
    try:
        return repairs(Stamp(facts), everything=everything)
    except MalformedFacts as error:
        raise AnsibleFilterError(f"dualstack.aks.verify_repairs: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"verify_repairs": _verify_repairs}
