# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_cluster
short_description: Make a running IPv4-only cluster dual-stack
version_added: 1.1.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Gives the cluster's own virtual network IPv6, brings its peerings in sync, and sends the steps that M(dualstack.aks.assess_cluster) reports.
    Adds IPv6 twins of security rules, routes and network policies. Verifies both families on every node and pod.
  - Each step reimages every node of the cluster, and none of the steps to overlay and to dual-stack can be undone.
  - Checks the rule book before the first write, and reports all problems together.
  - A drain that times out stops the run with the pod and the budget that block it. The same task continues, also after it was killed.
  - Needs the role Network Contributor on the virtual network and its peers, and Azure Kubernetes Service Contributor Role on the cluster.
    In the cluster it needs Azure Kubernetes Service RBAC Writer for network policies, and Azure Kubernetes Service RBAC Admin to verify nodes.
options:
  acknowledge:
    description: The steps that may be sent. Each step of the chain must be named.
    type: list
    elements: str
    choices: [policy_none, overlay, cilium, dual_stack]
    default: []
  pool_settings:
    description:
      - Upgrade settings of pools for as long as the upgrade lasts, by the name of the pool, or V(all) for pools that are not named. The settings are
        C(maxSurge), C(maxUnavailable), C(drainTimeoutInMinutes), C(nodeSoakDurationInMinutes) and C(undrainableNodeBehavior).
      - A tag of each pool keeps what it had before. At the end the settings are restored, and the tag is removed.
    type: dict
    default: {}
  ipv6_prefixes:
    description:
      - IPv4 prefix to a list of IPv6 prefixes that stand for the same, for twins of security rules, routes and network policies.
      - Those of the cluster's own networks, pods and Services, and of V(0.0.0.0/0), are known. For a route through an appliance, also name the
        address of the appliance.
    type: dict
    default: {}
  inventory_dir:
    description:
      - Folder of the inventory with the register in C(group_vars/regions/addresses.yml). Its ranges are sent. If Azure refuses them and chooses
        others, these are written to the register.
      - Without it, ranges are derived from O(organisation) and O(stamp), or taken from O(ipv6_prefix).
    type: path
  timeout:
    description: Seconds that one operation of Azure may take.
    type: float
    default: 21600
extends_documentation_fragment:
  - dualstack.aks.running_cluster
  - dualstack.aks.credentials
attributes:
  check_mode:
    description: Reads, checks the rules, and reports what would be written.
    support: full
  diff_mode:
    description: Shows what each write changes.
    support: full
"""

EXAMPLES = r"""
- name: Make a cluster dual-stack
  dualstack.aks.upgrade_cluster:
    cluster_id: >-
      {{ 'theirs' | dualstack.aks.resource_id('Microsoft.ContainerService/managedClusters',
         subscription_id=lookup('ansible.builtin.env', 'AZURE_SUBSCRIPTION_ID'), resource_group='rg-theirs') }}
    acknowledge: [dual_stack]
    pool_settings:
      all: {maxSurge: 33%, drainTimeoutInMinutes: 60}
    inventory_dir: stamps
"""

RETURN = r"""
table:
  description: What was found before the first write, and the chain of steps, as text below 100 columns.
  returned: success
  type: str
verdict:
  description: In a sentence, what the cluster is now, or what would be done in check mode.
  returned: success
  type: str
steps:
  description: The steps that were sent, in their order.
  returned: success
  type: list
  elements: str
writes:
  description: Everything that was written, in its order.
  returned: success
  type: list
  elements: str
ranges:
  description: C(pods) and C(services), each with a range of both families. Empty in check mode.
  returned: success
  type: dict
unseen:
  description: What could not be read.
  returned: success
  type: list
  elements: str
written:
  description: Files that were written.
  returned: success
  type: list
  elements: str
"""
