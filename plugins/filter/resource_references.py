# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: resource_references
short_description: References to resources that a loop declares
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Creates the list of references for a property, for resources that a resources file of M(dualstack.aks.azure_resources) declares by C(loop).
options:
  _input:
    description: The items of the loop.
    type: list
    elements: str
    required: true
  handle:
    description: The handle of the resource that has the loop.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Refer to both addresses of a gateway
  ansible.builtin.assert:
    that: "['a', 'b'] | dualstack.aks.resource_references('address') == [{'id': '${address[a].id}'}, {'id': '${address[b].id}'}]"
"""

RETURN = r"""
_value:
  description: One mapping with C(id) per item.
  type: list
  elements: dict
"""


def _resource_references(items: Sequence[str], handle: str) -> list[dict[str, str]]:
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise AnsibleFilterError(f"dualstack.aks.resource_references: items are a list, not {items!r}.")
    return [{"id": f"${{{handle}[{item}].id}}"} for item in items]


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"resource_references": _resource_references}
