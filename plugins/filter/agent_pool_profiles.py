# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.agent_pools import agent_pool_profile

DOCUMENTATION = r"""
name: agent_pool_profiles
short_description: Convert node pools to AKS' format
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Writes the node pools of an inventory under AKS' own names, with the defaults of the role C(aks).
options:
  _input:
    description: Pools as the variable C(aks_node_pools) of the role C(aks) describes them.
    type: list
    elements: dict
    required: true
  defaults:
    description: >-
      What the pools share, C(subnet_id) and C(kubernetes_version), and where a pool does not set them C(os_sku) and C(max_pods).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the profile of a pool
  ansible.builtin.assert:
    that: profiles[0].count == 3 and profiles[0].vmSize == 'Standard_D4ds_v5'
  vars:
    profiles: "{{ [{'name': 'apps', 'min_count': 3, 'max_count': 10, 'zones': ['1', '2']}]
      | dualstack.aks.agent_pool_profiles({'subnet_id': '/subnets/nodes', 'os_sku': 'AzureLinux', 'max_pods': 250}) }}"
"""

RETURN = r"""
_value:
  description: Profiles as C(agentPoolProfiles) of a managed cluster takes them.
  type: list
  elements: dict
"""


def _agent_pool_profiles(pools: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return [agent_pool_profile(pool, defaults) for pool in pools]
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"dualstack.aks.agent_pool_profiles: a pool or the defaults lack {error}, or have another type.") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"agent_pool_profiles": _agent_pool_profiles}
