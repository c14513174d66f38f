from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._ipv4_state import ipv4_state

DOCUMENTATION = r"""
name: ipv4_state
short_description: What IPv4 clients of a stamp depend on, at one moment
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Takes what Azure and Kubernetes have of the IPv4 entrance, and leaves out what the services write by themselves and what is IPv6's.
  - Two of its results are compared with P(dualstack.aks.state_changes#filter).
positional: objects
options:
  _input:
    description: >-
      C(resources) of M(dualstack.aks.azure_resources_info): V(load_balancer), V(address), and records whose names end in C(_a).
    type: dict
    required: true
  objects:
    description: Kubernetes objects of any kinds, as P(kubernetes.core.k8s#lookup) returns them.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: What the public address is now
  ansible.builtin.debug:
    msg: "{{ answers | dualstack.aks.ipv4_state }}"
  vars:
    answers: {address: {body: {properties: {ipAddress: 203.0.113.10}, tags: {}}}}
"""

RETURN = r"""
_value:
  description: Dotted name to value of all that counts.
  type: dict
"""


def _ipv4_state(resources: Mapping[str, Any], objects: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    return ipv4_state(resources, objects)


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"ipv4_state": _ipv4_state}
