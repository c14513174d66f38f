# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: aks_credentials
short_description: Get a kubeconfig in memory for a cluster with Microsoft Entra ID
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Waits until nothing is changing the cluster, reads its server and certificate authority, and adds a bearer token of the task's own
    credentials for the AKS server application. It never returns a client key and never writes to disk.
  - The result is hidden from all output. Get a new one for each stage; a token is valid for about an hour.
options:
  cluster_id:
    description: Id of the managed cluster.
    type: str
    required: true
  timeout:
    description: Seconds to wait for an operation in progress on the cluster.
    type: float
    default: 3600
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
  description: Whether the cluster exists; false only in check mode.
  returned: always
  type: bool
kubeconfig:
  description: A kubeconfig for the option C(kubeconfig) of kubernetes.core's modules.
  returned: always
  type: dict
"""
