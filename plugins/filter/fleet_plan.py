from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plans
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.plans import fleet_violations

DOCUMENTATION = r"""
name: fleet_plan
short_description: Plan many stamps, each on top of the ones before it
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Does for a whole fleet at once what P(dualstack.aks.address_plan#filter) and P(dualstack.aks.plan_violations#filter) do for one stamp,
    in a time that grows with the number of stamps, and not with its square.
positional: register
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
  description: C(register) with all proposals in it, and C(violations), the rules that it breaks with any of the stamps.
  type: dict
"""


def _fleet_plan(specifications: Sequence[Mapping[str, Any]], register: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if isinstance(specifications, (str, Mapping)) or not isinstance(specifications, Sequence):
        raise AnsibleFilterError(f"dualstack.aks.fleet_plan: specifications are a list, not {type(specifications).__name__}.")
    try:
        planned = address_plans(specifications, register or {})["register"]
        violations = [asdict(violation) for violation in fleet_violations(specifications, planned)]
    except MalformedSpecification as error:
        raise AnsibleFilterError(f"dualstack.aks.fleet_plan: {error}") from error
    return {"register": planned, "violations": violations}


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"fleet_plan": _fleet_plan}
