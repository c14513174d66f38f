from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.pods import pod_complaints

DOCUMENTATION = r"""
name: pod_complaints
short_description: Tell why pods are not ready, in their own words
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Collects why no node takes a pod, what its containers said when they ended, why they wait, and what its kubelet warns of.
positional: events
options:
  _input:
    description: Pods as the API server returns them.
    type: list
    elements: dict
    required: true
  events:
    description: Events of their namespace.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: See what a pod says
  ansible.builtin.assert:
    that: pods | dualstack.aks.pod_complaints | first is search('no such directive')
  vars:
    pods:
      - metadata: {name: entrance-ipv6-1}
        status:
          containerStatuses:
            - ready: false
              lastState: {terminated: {message: no such directive}}
"""

RETURN = r"""
_value:
  description: One text a complaint, each once.
  type: list
  elements: str
"""


def _pod_complaints(pods: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    return pod_complaints(pods, events)


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"pod_complaints": _pod_complaints}
