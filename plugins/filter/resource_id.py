# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._resource_id import resource_id

DOCUMENTATION = r"""
name: resource_id
short_description: Compute an Azure resource id
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Builds an id from a name and a type, below a parent resource or in a resource group.
positional: type
options:
  _input:
    description: The resource's name; parts of a child's name are separated by slashes.
    type: str
    required: true
  type:
    description: The resource type.
    type: str
    required: true
  parent:
    description: Id of the parent, or of the resource that an extension belongs to.
    type: str
  subscription_id:
    description: The subscription, without O(parent).
    type: str
  resource_group:
    description: The resource group, without O(parent).
    type: str
"""

EXAMPLES = r"""
- name: Show a subnet's id
  ansible.builtin.debug:
    msg: "{{ 'vnet/nodes' | dualstack.aks.resource_id('Microsoft.Network/virtualNetworks/subnets',
      subscription_id='00000000-0000-4000-8000-000000000001', resource_group='rg-example') }}"
"""

RETURN = r"""
_value:
  description: The id.
  type: str
"""


def _resource_id(name: str, type: str, *, parent: str = "", subscription_id: str = "", resource_group: str = "") -> str:
    try:
        return resource_id(name, type, parent=parent, subscription_id=subscription_id, resource_group=resource_group)
    except ValueError as error:
        raise AnsibleFilterError(f"dualstack.aks.resource_id: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"resource_id": _resource_id}
