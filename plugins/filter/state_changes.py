from __future__ import annotations

from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._ipv4_state import state_changes

DOCUMENTATION = r"""
name: state_changes
short_description: What differs between two moments
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Compares two results of P(dualstack.aks.ipv4_state#filter).
positional: after
options:
  _input:
    description: The state before.
    type: dict
    required: true
  after:
    description: The state after.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Nothing may have changed
  ansible.builtin.assert:
    that: before | dualstack.aks.state_changes(after) | length == 0
  vars:
    before: {address.ipAddress: 203.0.113.10}
    after: {address.ipAddress: 203.0.113.10}
"""

RETURN = r"""
_value:
  description: One line for each difference; empty when there is none.
  type: list
  elements: str
"""


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"state_changes": state_changes}
