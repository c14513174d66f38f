# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: ipv4_state
short_description: Read what IPv4 clients of a stamp depend on, and compare it with an earlier state
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Reads the IPv4 parts of the load balancer, the IPv4 entrance's public address, A records, and spec, labels and data of the entrance's objects.
    It ignores what the services write themselves, and what belongs to IPv6.
  - Fails with one line for each difference from O(before).
options:
  cluster_id:
    description: Id of the managed cluster.
    type: str
    required: true
  address_id:
    description: Id of the IPv4 entrance's public address.
    type: str
    required: true
  kubeconfig:
    description: RV(dualstack.aks.entrances_info#module:kubeconfig).
    type: dict
    required: true
  namespace:
    description: Namespace of the entrances.
    type: str
    required: true
  records:
    description: RV(dualstack.aks.azure_resources_info#module:resources) of records; those whose names end in C(_a) are compared.
    type: dict
    default: {}
  before:
    description: RV(state) of an earlier task.
    type: dict
extends_documentation_fragment:
  - dualstack.aks.reading
  - dualstack.aks.credentials
"""

EXAMPLES = r"""
- name: Read IPv4 before a change
  dualstack.aks.ipv4_state:
    cluster_id: "{{ aks_id }}"
    address_id: "{{ network_entrance_ids.ipv4 }}"
    kubeconfig: "{{ ingress_access.kubeconfig }}"
    namespace: dualstack-ingress
  register: ipv4

- name: Stop when the change touched IPv4
  dualstack.aks.ipv4_state:
    cluster_id: "{{ aks_id }}"
    address_id: "{{ network_entrance_ids.ipv4 }}"
    kubeconfig: "{{ ingress_access.kubeconfig }}"
    namespace: dualstack-ingress
    before: "{{ ipv4.state }}"
"""

RETURN = r"""
state:
  description: Dotted name to value of everything that counts.
  returned: success
  type: dict
"""
