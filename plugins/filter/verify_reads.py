from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.reads import reads

DOCUMENTATION = r"""
name: verify_reads
short_description: What else to read of Azure to verify a stamp
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Finds, from the cluster on, the networks, security groups, load balancer, gateways and outbound addresses of a stamp.
  - Each answer may lead to further reads; three rounds find everything.
options:
  _input:
    description: >-
      RV(dualstack.aks.azure_resources_info#module:resources) of everything read so far; V(cluster) is where it begins.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Nothing follows from a cluster that is not there
  ansible.builtin.assert:
    that: answers | dualstack.aks.verify_reads == {}
  vars:
    answers: {cluster: {exists: false, body: {}}}
"""

RETURN = r"""
_value:
  description: C(reads) for M(dualstack.aks.azure_resources_info); empty when there is nothing left to read.
  type: dict
"""


def _verify_reads(answers: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    if not isinstance(answers, Mapping):
        raise AnsibleFilterError(f"dualstack.aks.verify_reads: answers of azure_resources_info are a mapping, not {answers!r}.")
    return reads(answers)


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"verify_reads": _verify_reads}
