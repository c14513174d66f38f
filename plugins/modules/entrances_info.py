# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: entrances_info
short_description: Get access to a stamp's cluster and read its entrances
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Waits until nothing is changing the cluster, gets a kubeconfig as M(dualstack.aks.aks_credentials) does, and reads the public addresses of the
    entrances, their Services and the Services behind them.
  - Compares the desired state of IPv6 with the actual one, and selects the hosts of the inventory group C(probes) that probe each entrance.
  - Fails with all violations when the entrances cannot use a Service. The result is hidden from all output, since it holds a token.
options:
  cluster_id:
    description: Id of the managed cluster.
    type: str
    required: true
  timeout:
    description: Seconds to wait for an operation in progress on the cluster.
    type: float
    default: 3600
  required:
    description: Whether a cluster that is missing or not ready, or a Service that cannot be used, fails the task. Otherwise the result reports it.
    type: bool
    default: true
  ipv4_address_id:
    description: Id of the IPv4 entrance's public address.
    type: str
    required: true
  ipv6_address_id:
    description: Id of the IPv6 entrance's public address.
    type: str
    required: true
  namespace:
    description: Namespace of the entrances.
    type: str
    required: true
  declaration:
    description:
      - What the inventory declares of the entrances, as P(dualstack.aks.entrance_configuration#filter) takes it, and C(families), those with an
        entrance.
    type: dict
    required: true
  service_tags_id:
    description: Id of a region's service tags; read where C(trusted_proxies) of O(declaration) names one.
    type: str
    default: ""
  upstream_namespaces:
    description: Namespaces of the Services behind the entrances.
    type: list
    elements: str
    default: []
  ipv6:
    description: The desired state of IPv6, V(enabled) or V(disabled).
    type: str
    required: true
  consent:
    description: Whether the run may switch IPv6 when the actual state differs.
    type: bool
    default: false
  switch:
    description: Whether IPv6 is about to be switched; then the requirements of a switch are checked, too.
    type: bool
    default: false
extends_documentation_fragment:
  - dualstack.aks.credentials
attributes:
  check_mode:
    description: Also reads in check mode; a cluster that does not exist yet returns RV(exists=false).
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Read the entrances
  dualstack.aks.entrances_info:
    cluster_id: "{{ aks_id }}"
    ipv4_address_id: "{{ network_entrance_ids.ipv4 }}"
    ipv6_address_id: "{{ network_entrance_ids.ipv6 }}"
    namespace: dualstack-ingress
    declaration: {mode: nat64, upstream: services, families: [IPv4, IPv6]}
    ipv6: enabled
  register: entrances

- name: Show what a run would do about IPv6
  ansible.builtin.debug:
    msg: "{{ entrances.state }}"
"""

RETURN = r"""
exists:
  description: Whether the cluster answered.
  returned: always
  type: bool
problem:
  description: Why it did not; empty in check mode if the cluster does not exist yet.
  returned: always
  type: str
kubeconfig:
  description: A kubeconfig for the option C(kubeconfig) of kubernetes.core's modules.
  returned: always
  type: dict
cluster_families:
  description: The cluster's C(ipFamilies).
  returned: always
  type: list
  elements: str
tenant:
  description: The tenant of the credentials.
  returned: always
  type: str
addresses:
  description: "By family: C(exists), C(name), C(address) and C(hold) of the entrance's public address."
  returned: always
  type: dict
namespace_exists:
  description: Whether the entrances' namespace exists.
  returned: always
  type: bool
may_write:
  description: Whether the credentials may write in it; asked in check mode alone, where the API server's dry run needs the same right.
  returned: always
  type: bool
services:
  description: The Services of the namespaces that were read; null if the cluster was not read.
  returned: always
  type: list
  elements: dict
state:
  description: >-
    C(desired), C(actual), C(first_build), C(hold) and C(message) of IPv6, and C(action): V(converge) applies it as declared, V(leave) does not
    touch it, V(flip) goes through the stages of a switch.
  returned: always
  type: dict
service_tags:
  description: The prefixes of each service tag that the declaration trusts.
  returned: always
  type: dict
probes:
  description:
    - C(key), the family, C(probe), the probe host, and C(address) of each entrance that can be probed.
    - C(listeners) is what it listens on, as M(dualstack.aks.listeners_info) takes it.
  returned: always
  type: list
  elements: dict
resolvers:
  description: C(view), C(key), C(probe) and getent's C(database) for each view of the names and family that a host has.
  returned: always
  type: list
  elements: dict
violations:
  description: What would have failed the task with O(required=true).
  returned: always
  type: list
  elements: str
"""
