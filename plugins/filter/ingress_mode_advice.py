# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.mode_advice import MalformedSituation, ingress_mode_advice

DOCUMENTATION = r"""
name: ingress_mode_advice
short_description: Recommend an ingress mode, and explain why the others do not fit
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Recommends a mode from facts about the cluster and its applications. By default, the applications have only IPv4 and cannot change.
  - Rules and their sources. Modes that keep to one family need applications that listen on both. V(native) needs dual-stack Services, which
    AKS has from Kubernetes 1.27 on (learn.microsoft.com/azure/aks/configure-dual-stack).
  - Translating in the proxy gives 0.97 times the requests and takes 1.06 times the CPU of proxying in one family (measured with nginx and 32
    kept connections; see docs/docsite/rst/benchmarks.rst).
  - Application Gateway has dual-stack frontends and IPv4 backends (learn.microsoft.com/azure/application-gateway/ipv6-application-gateway-portal).
    Azure network policy manager and Calico are not supported with dual-stack (learn.microsoft.com/azure/aks/azure-cni-overlay), and Cilium
    takes no Windows pools (learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium).
options:
  _input:
    description:
      - A mapping of C(kubernetes_version), C(node_os) (C(Linux), C(Windows)), C(network_policy) (C(cilium), C(azure), C(calico), C(none)),
        C(edge) (C(load_balancer), C(application_gateway), C(front_door)), C(services), their number, C(long_lived_share), that of connections
        which are kept, 0 to 1, C(services_dual_stack), C(application_listens_ipv4) and C(application_listens_ipv6).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Applications that also listen on IPv6, behind dual-stack Services, need no translation
  ansible.builtin.assert:
    that: advice.mode == 'native'
  vars:
    advice: "{{ {'services_dual_stack': true, 'application_listens_ipv6': true} | dualstack.aks.ingress_mode_advice }}"
"""

RETURN = r"""
_value:
  description: The advice.
  type: dict
  contains:
    mode: {description: The mode that fits best., type: str}
    reasons: {description: "The reasons, and further hints.", type: list, elements: str}
    rejected: {description: "By mode, why it is not possible.", type: dict}
"""


def _ingress_mode_advice(situation: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(situation, Mapping):
        raise AnsibleFilterError(f"dualstack.aks.ingress_mode_advice: {type(situation).__name__} is not a mapping.")
    try:
        return asdict(ingress_mode_advice(situation))
    except MalformedSituation as error:
        raise AnsibleFilterError(f"dualstack.aks.ingress_mode_advice: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"ingress_mode_advice": _ingress_mode_advice}
