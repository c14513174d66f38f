# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: verify_stamp
short_description: Verify a stamp in each family
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Reads the network around a cluster and the objects in it, and checks them together with what probe hosts got and what was compared with the
    inventory. Changes nothing. Whatever could not be read has a result, too.
options:
  problem:
    description: Why the stamp cannot be read. With it nothing is read, and the checks say so.
    type: str
    default: ""
  cluster_id:
    description: Id of the managed cluster; required without O(problem).
    type: str
  ipv4_address_id:
    description: Id of the IPv4 entrance's public address; required without O(problem).
    type: str
  ipv6_address_id:
    description: Id of the IPv6 entrance's public address; required without O(problem).
    type: str
  access:
    description: The result of M(dualstack.aks.entrances_info).
    type: dict
    default: {}
  namespace:
    description: Namespace of the entrances.
    type: str
    default: ""
  declaration:
    description: What the inventory declares of the entrances, as P(dualstack.aks.entrance_configuration#filter) takes it.
    type: dict
    default: {}
  ipv6:
    description: The desired state of IPv6, V(enabled) or V(disabled).
    type: str
    default: enabled
  zones:
    description: C(id) of the zone and C(name) of the stamp in it, for C(public) and C(private).
    type: dict
    default: {}
  records:
    description: RV(dualstack.aks.azure_resources_info#module:resources) of the stamp's records, as C(public_aaaa).
    type: dict
    default: {}
  asked:
    description: Results of M(dualstack.aks.listeners_info), looped over RV(dualstack.aks.entrances_info#module:probes).
    type: list
    elements: dict
    default: []
  resolved:
    description: Results of C(getent), looped over RV(dualstack.aks.entrances_info#module:resolvers).
    type: list
    elements: dict
    default: []
  compared:
    description: Results of M(dualstack.aks.azure_resources) in check mode.
    type: list
    elements: dict
    default: []
  applied:
    description: The result of M(kubernetes.core.k8s) in check mode, with its diff.
    type: dict
    default: {}
  problems:
    description: What kept resources or objects from being compared.
    type: list
    elements: str
    default: []
  repair:
    description: Whether to decide which records of silent families are withdrawn.
    type: bool
    default: false
  repair_all:
    description: Whether that may leave a name without any address.
    type: bool
    default: false
extends_documentation_fragment:
  - dualstack.aks.reading
  - dualstack.aks.credentials
"""

EXAMPLES = r"""
- name: Report a stamp that cannot be read
  dualstack.aks.verify_stamp:
    problem: the credentials have expired
  register: verify_result

- name: See that it has failed
  ansible.builtin.assert:
    that: verify_result.checks[0].result == 'fail'
"""

RETURN = r"""
checks:
  description: C(check), C(family), C(result), C(evidence) and C(remedy) of each check; C(result) is V(pass), V(fail) or V(not applicable).
  returned: always
  type: list
  elements: dict
details:
  description:
    - What the page of M(dualstack.aks.verify_report) shows beside the checks; empty for a stamp that could not be read.
    - C(addresses) are the ranges of its virtual networks, subnets, pods and Services. C(topology) is the path of each family.
      C(drift) is what is not as declared, with its C(actual) and C(declared) value.
  returned: always
  type: dict
withdraw:
  description: Families whose records are to be withdrawn, with O(repair).
  returned: always
  type: list
  elements: str
lines:
  description: What is done about each silent family that has a record, and why, with O(repair).
  returned: always
  type: list
  elements: str
"""
