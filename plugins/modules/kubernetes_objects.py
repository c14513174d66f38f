# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_objects
short_description: Write objects of a cluster without showing its token
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Runs M(kubernetes.core.k8s) with a kubeconfig in memory. It takes the options of that module and returns what that module returns.
  - The kubeconfig's token appears in no output at any verbosity, so the task needs no C(no_log) and its results stay readable. With C(-vvv),
    M(kubernetes.core.k8s) itself prints the arguments of a failed task, including C(api_key) and kubeconfig.
options:
  kubeconfig:
    description: RV(dualstack.aks.entrances_info#module:kubeconfig).
    type: dict
    required: true
notes:
  - All other options are those of M(kubernetes.core.k8s).
seealso:
  - module: kubernetes.core.k8s
  - module: dualstack.aks.aks_credentials
attributes:
  check_mode:
    description: The API server does a dry run.
    support: full
  diff_mode:
    description: Returns the differences of each object.
    support: full
"""

EXAMPLES = r"""
- name: Get access
  dualstack.aks.aks_credentials:
    cluster_id: "{{ aks_id }}"
  register: access

- name: Make a namespace
  dualstack.aks.kubernetes_objects:
    kubeconfig: "{{ access.kubeconfig }}"
    definition: {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
"""

RETURN = r"""
result:
  description: The object, or with several definitions C(results), a list with the result of each.
  returned: success
  type: dict
method:
  description: What was done with the object, such as V(create) or V(apply); with several definitions it is in each of them.
  returned: success
  type: str
"""
