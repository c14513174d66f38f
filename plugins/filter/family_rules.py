# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.security_rules import family_rules

DOCUMENTATION = r"""
name: family_rules
short_description: Split one security rule into one per family
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Azure refuses a security rule that mixes IPv4 and IPv6 prefixes. This filter creates a rule for each family that source and destination both
    have; service tags and C(*) cover both families in one.
  - The IPv6 twin is called C(<name>-ipv6) and takes the next priority.
positional: plan
options:
  _input:
    description:
      - C(name), C(priority), C(direction), C(access), C(protocol), C(source), C(destination), C(source_ports), C(destination_ports)
        and C(description).
    type: dict
    required: true
  plan:
    description: "The address plan; C(subnet:<name>), C(vnet), C(pods) and C(services) in a rule mean its ranges."
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show both rules
  ansible.builtin.debug:
    msg: "{{ rule | dualstack.aks.family_rules(plan) }}"
  vars:
    rule: {name: web, priority: 200, protocol: Tcp, source: pods, destination: "subnet:nodes", destination_ports: ["443"]}
    plan: "{{ {'organisation': 'example', 'stamp': 'westeurope'} | dualstack.aks.address_plan({}) }}"
"""

RETURN = r"""
_value:
  description: Security rules as Azure's C(securityRules) takes them.
  type: list
  elements: dict
"""


def _family_rules(rule: Mapping[str, Any], plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not isinstance(rule, Mapping):
        raise AnsibleFilterError(f"dualstack.aks.family_rules: a rule is a mapping, not {rule!r}.")
    try:
        return family_rules(rule, plan)
    except MalformedSpecification as error:
        raise AnsibleFilterError(f"dualstack.aks.family_rules: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"family_rules": _family_rules}
