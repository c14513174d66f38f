from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: in_ranges
short_description: Tell whether an address lies in one of several ranges
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Compares by value, in either family; ranges of the other family never match.
positional: ranges
options:
  _input:
    description: An IPv4 or IPv6 address.
    type: str
    required: true
  ranges:
    description: Addresses or prefixes.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Is the controller allowed in?
  ansible.builtin.debug:
    msg: "{{ '203.0.113.7' | dualstack.aks.in_ranges(['203.0.113.0/24']) }}"
"""

RETURN = r"""
_value:
  description: Whether the address is in one of them.
  type: bool
"""


def _in_ranges(address: str, ranges: Sequence[str]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
        return any(parsed in ipaddress.ip_network(text, strict=False) for text in ranges)
    except ValueError as error:
        raise AnsibleFilterError(f"dualstack.aks.in_ranges: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"in_ranges": _in_ranges}
