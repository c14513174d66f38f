# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plan, addresses_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification

DOCUMENTATION = r"""
name: address_plan
short_description: Compute a stamp's addresses in both families
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Computes the virtual network, subnets, pod and service ranges of a stamp. Registered prefixes are kept; missing ones are proposed.
  - IPv6 is a C(/48) per stamp (RFC 4193, or a slice of the user's prefix) with C(/64) subnets in RFC 3531 order; IPv4 is the best fit in the pools.
positional: register
options:
  with_register:
    description:
      - Whether to return C(register) too.
      - Without it, a stamp whose ranges are all registered is planned from its own entry, however many stamps the register has;
        P(dualstack.aks.plan_violations#filter) reads those of the others.
    type: bool
    default: true
extends_documentation_fragment:
  - dualstack.aks.plan
"""

EXAMPLES = r"""
- name: Show a plan
  ansible.builtin.debug:
    msg: "{{ {'organisation': 'example', 'stamp': 'westeurope'} | dualstack.aks.address_plan({}) }}"
"""

RETURN = r"""
_value:
  description:
    - C(vnet), C(pods), C(services) and C(subnets) with C(ipv4) and C(ipv6); C(dns_service_ip).
    - C(register) with the proposals in it, unless O(with_register=false).
  type: dict
"""


def _address_plan(specification: Mapping[str, Any], register: Mapping[str, Any] | None = None, with_register: bool = True) -> dict[str, Any]:
    try:
        return (address_plan if with_register else addresses_of)(specification, register or {})
    except MalformedSpecification as error:
        raise AnsibleFilterError(f"dualstack.aks.address_plan: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"address_plan": _address_plan}
