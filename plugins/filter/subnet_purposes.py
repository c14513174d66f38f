# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.purposes import delegation_of, purpose_name, purpose_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.security_rules import family_rules

DOCUMENTATION = r"""
name: subnet_purposes
short_description: Look up what Azure requires of subnets by purpose
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Finds the purpose of each subnet, by its C(purpose), its C(delegation) or a name that Azure reserves, and what that purpose requires.
  - C(docs/docsite/rst/subnets.rst) has the table.
options:
  _input:
    description: The subnets by name; see C(network_subnets) of the role C(network).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Create no network security group for a gateway's subnet
  ansible.builtin.assert:
    that: "not ({'GatewaySubnet': {'ipv4_prefix_length': 27}} | dualstack.aks.subnet_purposes).GatewaySubnet.security_group"
"""

RETURN = r"""
_value:
  description:
    - By name C(purpose) (empty if unknown), C(delegations) and C(security_rules) as Azure takes them, C(security_group) (whether the
      subnet takes a network security group) and C(nat_gateway) (whether its outbound traffic uses the stamp's NAT gateway).
  type: dict
"""


def _subnet_purposes(subnets: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if not isinstance(subnets, Mapping) or not all(isinstance(subnet, Mapping) for subnet in subnets.values()):
        raise AnsibleFilterError(f"dualstack.aks.subnet_purposes: subnets are a mapping of mappings, not {subnets!r}.")
    return {name: _demands(name, subnet) for name, subnet in subnets.items()}


def _demands(name: str, subnet: Mapping[str, Any]) -> dict[str, Any]:
    purpose, service = purpose_of(name, subnet), delegation_of(name, subnet)
    return {
        "purpose": purpose_name(name, subnet),
        "delegations": [{"name": service.replace("/", "."), "properties": {"serviceName": service}}] if service else [],
        "security_group": purpose.security_group,
        "security_rules": [made for rule in purpose.security_rules for made in family_rules(rule, {})],
        "nat_gateway": purpose.nat_gateway,
    }


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"subnet_purposes": _subnet_purposes}
