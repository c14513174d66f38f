# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.service_families import MalformedService, service_family_change

DOCUMENTATION = r"""
name: service_family_change
short_description: Check whether a Service can change its families, and show the result
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Checks whether the API server would accept another C(ipFamilyPolicy) and other C(ipFamilies) for an existing Service.
  - The first family of a Service never changes. A dual-stack policy adds the second family, V(SingleStack) removes it.
  - Applies to Services with cluster IPs in a dual-stack cluster.
positional: ip_family_policy, ip_families
options:
  _input:
    description: The Service's C(spec) as it is.
    type: dict
    required: true
  ip_family_policy:
    description: The new policy.
    type: str
    required: true
    choices: [SingleStack, PreferDualStack, RequireDualStack]
  ip_families:
    description: The new families, in order; if the list is empty, only the policy decides.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: May the Service become dual-stack?
  ansible.builtin.assert:
    that: change.legal
    fail_msg: "{{ change.reason }}"
  vars:
    spec: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv4]}
    change: "{{ spec | dualstack.aks.service_family_change('PreferDualStack', ['IPv4', 'IPv6']) }}"
"""

RETURN = r"""
_value:
  description: The result of the change.
  type: dict
  contains:
    legal: {description: Whether the API server accepts it., type: bool}
    policy: {description: "The policy afterwards; the current one if the change is refused.", type: str}
    families: {description: "The families afterwards; the current ones if the change is refused.", type: list, elements: str}
    added: {description: Families that gain a cluster IP., type: list, elements: str}
    released: {description: "Families that lose their cluster IP, and with it their frontend.", type: list, elements: str}
    reason: {description: "Why it is refused, and the remedy; else empty.", type: str}
"""


def _service_family_change(spec: Mapping[str, Any], ip_family_policy: str, ip_families: Sequence[str] = ()) -> dict[str, Any]:
    try:
        change = service_family_change(str(spec.get("ipFamilyPolicy")), spec.get("ipFamilies") or (), ip_family_policy, ip_families)
    except MalformedService as error:
        raise AnsibleFilterError(f"dualstack.aks.service_family_change: {error}") from error
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(change).items()}


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"service_family_change": _service_family_change}
