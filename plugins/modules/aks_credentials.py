# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: aks_credentials
short_description: Get a kubeconfig in memory for a cluster with Microsoft Entra ID
version_added: 0.1.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Waits until nothing is changing the cluster, reads its server and certificate authority, and adds a bearer token of the task's own
    credentials for the AKS server application. Never a client key, never anything on disk.
  - The result is hidden from all output. Fetch it anew for each stage; a token lives for about an hour.
options:
  cluster_id:
    description: Id of the managed cluster.
    type: str
    required: true
  timeout:
    description: Seconds to wait for an operation under way on the cluster.
    type: float
    default: 3600
extends_documentation_fragment:
  - dualstack.aks.credentials
attributes:
  check_mode:
    description: Reads in check mode too; a cluster that is not there yet gives RV(exists=false).
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Get access
  dualstack.aks.aks_credentials:
    cluster_id: "{{ aks_id }}"
  register: access

- name: List the nodes
  kubernetes.core.k8s_info:
    kubeconfig: "{{ access.kubeconfig }}"
    kind: Node
"""

RETURN = r"""
exists:
  description: Whether the cluster is there; false only in check mode.
  returned: always
  type: bool
kubeconfig:
  description: A kubeconfig for the option C(kubeconfig) of kubernetes.core's modules.
  returned: always
  type: dict
"""
