# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: assess_cluster
short_description: Assess a running cluster before it gets IPv6
version_added: 1.1.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Reads an existing cluster, the resources around it, and the objects in it. Reports the steps to dual-stack, what prevents them, and what to know
    beforehand. Writes nothing to Azure and nothing to the cluster.
  - Needs the role Reader on the cluster, its network and its node resource group. For what is in the cluster it needs the roles Azure Kubernetes
    Service Cluster User Role and Azure Kubernetes Service RBAC Reader. It lists what it could not read, and the role that allows it.
options:
  report_dir:
    description: Folder that C(assessment.html), C(assessment.json) and C(assessment.md) are written to; it is created.
    type: path
  inventory_dir:
    description:
      - Folder of an inventory that the stamp is written to, with its ranges in C(group_vars/regions/addresses.yml). Other
        stamps in the register do not change. An existing file with other content is never replaced. In check mode nothing is written.
    type: path
extends_documentation_fragment:
  - dualstack.aks.running_cluster
  - dualstack.aks.credentials
attributes:
  check_mode:
    description: Reads in check mode too, and writes the report, but no inventory.
    support: partial
  diff_mode:
    description: Shows no differences.
    support: none
"""

EXAMPLES = r"""
- name: Assess a cluster
  dualstack.aks.assess_cluster:
    cluster_id: >-
      {{ 'theirs' | dualstack.aks.resource_id('Microsoft.ContainerService/managedClusters',
         subscription_id=lookup('ansible.builtin.env', 'AZURE_SUBSCRIPTION_ID'), resource_group='rg-theirs') }}
  register: upgrade_assessment

- name: Show what was found
  ansible.builtin.debug:
    msg: "{{ upgrade_assessment.table | split('\n') }}"
"""

RETURN = r"""
assessment:
  description:
    - C(sections) of what there is, C(unseen) parts, C(refusals), C(blockers) and C(cautions) as violations of the rule book, C(preparations),
      C(steps) with what each sends and costs, C(additions), C(advice) on the ingress mode, and C(ingresses).
  returned: always
  type: dict
table:
  description: The same as text below 100 columns.
  returned: always
  type: str
verdict:
  description: The same in a sentence.
  returned: always
  type: str
has_chain:
  description: Whether a chain of steps leads to dual-stack; true for a cluster that is.
  returned: always
  type: bool
written:
  description: The files that were written.
  returned: always
  type: list
  elements: str
"""
