from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.results import results
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.stamp import MalformedFacts

DOCUMENTATION = r"""
name: verify_results
short_description: What holds of a stamp in each family
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Judges what the playbook verify.yml collected of a stamp. Whatever is missing in it gives a result too.
options:
  _input:
    description:
      - C(stamp) is its name; C(wish) what the inventory wants of IPv6; C(now) the time; C(check_mode) whether this run may write.
      - C(resources) are answers of M(dualstack.aks.azure_resources_info); C(problem) says why the cluster could not be asked.
      - C(objects) are results of a looped M(kubernetes.core.k8s_info), each with C(item.kind).
      - C(entrances) and C(namespace) are the role ingress's, C(applications) the Services behind them, C(running_ingress) the families
        that an ingress of the user's has; C(zones) and C(records) are the role dns's.
      - C(asked) is what probe hosts got from the entrances, C(resolved) what their resolvers said.
      - >-
        C(declared) has the C(resources) that M(dualstack.aks.azure_resources) compared in check mode, the C(objects) that M(kubernetes.core.k8s)
        did, with their diff, and the C(problems) that kept them from that.
      - C(repairs) is what P(dualstack.aks.verify_repairs#filter) returned, when the run repairs.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: A stamp without a cluster fails
  ansible.builtin.assert:
    that: (facts | dualstack.aks.verify_results | first).result == 'fail'
  vars:
    facts: {stamp: westeurope}
"""

RETURN = r"""
_value:
  description: C(check), C(family), C(result), C(evidence) and C(remedy) of each check; C(result) is V(pass), V(fail) or V(not applicable).
  type: list
  elements: dict
"""


def _verify_results(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    try:
        return results(facts)
    except MalformedFacts as error:
        raise AnsibleFilterError(f"dualstack.aks.verify_results: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"verify_results": _verify_results}
