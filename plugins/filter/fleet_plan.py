# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plans
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification, listed
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.preflight import adopt, live_network
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.plans import fleet_problems

DOCUMENTATION = r"""
name: fleet_plan
short_description: Plan many stamps, each on top of the ones before it
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Does for a whole fleet at once what P(dualstack.aks.address_plan#filter) and P(dualstack.aks.plan_violations#filter) do for one stamp,
    in linear time.
positional: register, vnets
options:
  _input:
    description: The specifications, in the order in which new stamps get their addresses; see the role C(network) for their keys.
    type: list
    elements: dict
    required: true
  register:
    description: "The address register: C(stamps) and C(retired)."
    type: dict
    default: {}
  vnets:
    description: "Live virtual networks to adopt, as Azure answers them, by stamp: their prefixes and their subnets' replace the registered ones."
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show the register of two stamps
  ansible.builtin.debug:
    msg: "{{ (stamps | dualstack.aks.fleet_plan).register }}"
  vars:
    stamps:
      - {organisation: example, stamp: westeurope}
      - {organisation: example, stamp: northeurope}
"""

RETURN = r"""
_value:
  description: The plan of all stamps.
  type: dict
  contains:
    register: {description: The register with all proposals in it., type: dict}
    violations: {description: The violations of all stamps., type: list, elements: dict}
    warnings: {description: Warnings that do not stop a run., type: list, elements: str}
    table: {description: The stamps' ranges as lines of text., type: list, elements: str}
"""


def _fleet_plan(
    specifications: Sequence[Mapping[str, Any]],
    register: Mapping[str, Any] | None = None,
    vnets: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    if isinstance(specifications, (str, Mapping)) or not isinstance(specifications, Sequence):
        raise AnsibleFilterError(f"dualstack.aks.fleet_plan: specifications are a list, not {type(specifications).__name__}.")
    try:
        planned = address_plans(specifications, adopt(register or {}, vnets) if vnets else register or {})["register"]
        live = [{**specification, **live_network((vnets or {}).get(specification["stamp"]) or {})} for specification in specifications]
        violations, warnings = fleet_problems(live, planned)
    except MalformedSpecification as error:
        raise AnsibleFilterError(f"dualstack.aks.fleet_plan: {error}") from error
    return {
        "register": planned,
        "violations": [asdict(violation) for violation in violations],
        "warnings": warnings,
        "table": _table(planned, [specification["stamp"] for specification in specifications]),
    }


def _table(register: Mapping[str, Any], stamps: Sequence[str]) -> list[str]:
    rows = [("STAMP", "NAME", "IPV4", "IPV6")]
    for stamp in stamps:
        for name, families in register["stamps"][stamp].items():
            texts = zip_longest(listed(families.get("ipv4")), listed(families.get("ipv6")), fillvalue="-")
            rows += [(stamp, name, ipv4, ipv6) for ipv4, ipv6 in texts]
    return [f"{stamp:14} {name:12} {ipv4:18} {ipv6}" for stamp, name, ipv4, ipv6 in rows]


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"fleet_plan": _fleet_plan}
