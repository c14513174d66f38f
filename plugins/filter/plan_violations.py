# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.plans import plan_violations

DOCUMENTATION = r"""
name: plan_violations
short_description: Check a stamp against Azure's dual-stack rules, offline
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Returns all broken rules, each with its remedy and Azure's page; an empty list if the plan is valid.
positional: register
extends_documentation_fragment:
  - dualstack.aks.plan
"""

EXAMPLES = r"""
- name: Refuse a bad plan
  ansible.builtin.assert:
    that: violations == []
    fail_msg: "{{ violations }}"
  vars:
    specification: {organisation: example, stamp: westeurope}
    register: "{{ (specification | dualstack.aks.address_plan({})).register }}"
    violations: "{{ specification | dualstack.aks.plan_violations(register) }}"
"""

RETURN = r"""
_value:
  description: One mapping per violation with C(rule), C(subject), C(found), C(remedy) and C(reference).
  type: list
  elements: dict
"""


def _plan_violations(specification: Mapping[str, Any], register: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
    try:
        return [asdict(violation) for violation in plan_violations(specification, register or {})]
    except MalformedSpecification as error:
        raise AnsibleFilterError(f"dualstack.aks.plan_violations: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"plan_violations": _plan_violations}
