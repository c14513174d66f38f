# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: entrances_wait
short_description: Wait for the entrances of a cluster
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Waits until the proxies of each entrance run their newest configuration, until each Service has its public address, or until clients have ended
    their connections. Fails with the pods' messages if the proxies cannot roll out.
  - Changes nothing, and does nothing in check mode.
options:
  kubeconfig:
    description: RV(dualstack.aks.entrances_info#module:kubeconfig).
    type: dict
    required: true
  namespace:
    description: Namespace of the entrances.
    type: str
    required: true
  conditions:
    description:
      - What to wait for, in this order.
      - V(rolled_out) means the same as in C(kubectl rollout status), with at least O(min_replicas).
      - V(addressed) means that each Service has its public address.
      - V(drained) means that no client is connected to a running proxy. After O(timeout), the remaining connections are returned.
    type: list
    elements: str
    choices: [rolled_out, addressed, drained]
    required: true
  entrances:
    description: Name of each entrance, and the public address of its Service.
    type: dict
    required: true
  min_replicas:
    description: Minimum number of proxies of each entrance.
    type: int
    default: 1
  timeout:
    description: Seconds to wait for each condition.
    type: float
    default: 600
  find_unused:
    description: Whether to return the ConfigMaps that no rollback needs.
    type: bool
    default: false
attributes:
  check_mode:
    description: Does not wait in check mode.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Await the new proxies
  dualstack.aks.entrances_wait:
    kubeconfig: "{{ ingress_access.kubeconfig }}"
    namespace: dualstack-ingress
    conditions: [rolled_out, addressed]
    entrances: {entrance-ipv4: 203.0.113.10, entrance-ipv6: "2001:db8:f::10"}
    min_replicas: 2
"""

RETURN = r"""
unused_configurations:
  description: ConfigMaps that no kept ReplicaSet mounts, with O(find_unused); each as a definition for M(dualstack.aks.kubernetes_objects).
  returned: always
  type: list
  elements: dict
  sample: [{apiVersion: v1, kind: ConfigMap, metadata: {name: entrance-ipv4-4f0c2a}}]
connections:
  description: Remaining client connections, with V(drained).
  returned: always
  type: int
"""
