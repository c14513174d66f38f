# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_resources
short_description: Apply a set of declared Azure resources
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Compares declared Azure Resource Manager resources with the live ones by meaning, writes what differs in the order of their
    references and in parallel where nothing depends on the other, and waits for the operations.
  - A declared mapping is laid over the live one. A declared list is the author's whole, so that what it omits is removed, except at the
    paths named by C(shared). C(null) removes a property. What is not declared stays as it is.
  - Only O(state=absent) deletes a resource; removing it from a file does not.
  - Runs in the controller's process; nothing is copied to a host.
options:
  resources_file:
    description: File in the role's or the play's C(templates) folder that holds the mapping O(resources). Rendered value by value, never as text.
    type: str
  resources:
    description:
      - Handles and their resources. Keys of a resource are C(type), C(name), C(parent), C(id), C(body), C(state), C(loop), C(when),
        C(existing), C(depends_on), C(create_only), C(shared), C(on_absent), C(take_over), C(list_keys) and C(api_version).
      - "C(${handle}) stands for a resource's id, C(${handle.path}) for a value of Azure's answer, C(${handle[key].path}) for one of a loop."
      - C(existing) resources must exist. They are read and never written.
      - The variable C(azure_login) has C(tenant), C(principal_id) and C(subscription_id) of the credentials that the task uses.
      - C(create_only) names paths that count at creation only, C(shared) lists that others may add to.
      - C(take_over) lets the task write what others made, which is live without the tags or the metadata of the collection that it is declared with.
    type: dict
  state:
    description: Whether the resources should exist. V(absent) deletes only resources with the collection's tags, in order.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description: Whether to wait for all operations. V(false) waits only for those that other resources of the task need.
    type: bool
    default: true
  timeout:
    description: Maximum seconds to wait for one resource's operation.
    type: float
    default: 3600
  register_providers:
    description: Namespaces of resource providers to register in the subscription first, if they are not registered.
    type: list
    elements: str
    default: []
  actions:
    description:
      - "Name -> POST to send once the resources are as declared: C(id) of the resource, C(action) as the last part of the path, C(body), and
        C(api_version) of types that the engine does not know. Sent in parallel, in every run; the caller decides when to send them."
    type: dict
    default: {}
extends_documentation_fragment:
  - dualstack.aks.credentials
  - dualstack.aks.requests
attributes:
  check_mode:
    description: Reads everything and reports what a run would do, even in an empty subscription.
    support: full
  diff_mode:
    description: Shows only differences, by resource.
    support: full
"""

EXAMPLES = r"""
- name: A resource group with a dual-stack virtual network
  dualstack.aks.azure_resources:
    resource_group: rg-example
    resources:
      group:
        type: Microsoft.Resources/resourceGroups
        name: rg-example
        body:
          location: westeurope
          tags: {managed-by: dualstack.aks, dualstack-stamp: "{{ inventory_hostname }}"}
      vnet:
        type: Microsoft.Network/virtualNetworks
        name: vnet-example
        body:
          location: westeurope
          tags: {managed-by: dualstack.aks, dualstack-stamp: "{{ inventory_hostname }}"}
          properties:
            addressSpace: {addressPrefixes: [10.0.0.0/20, "fd00:db8:1::/56"]}
      subnet:
        loop:
          - {key: nodes, prefixes: [10.0.0.0/22, "fd00:db8:1::/64"]}
          - {key: apps, prefixes: [10.0.4.0/24, "fd00:db8:1:80::/64"]}
        type: Microsoft.Network/virtualNetworks/subnets
        parent: ${vnet}
        name: "{{ item.key }}"
        body:
          properties: {addressPrefixes: "{{ item.prefixes }}"}

- name: Import an image into a registry
  dualstack.aks.azure_resources:
    actions:
      nginx:
        id: /subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-example/providers/Microsoft.ContainerRegistry/registries/example
        action: importImage
        body:
          source: {registryUri: ghcr.io, sourceImage: "nginx/nginx-unprivileged@sha256:{{ digest }}"}
          targetTags: ["nginx/nginx-unprivileged:1.30.5-alpine"]
          mode: Force
"""

RETURN = r"""
resources:
  description: Each resource by its handle.
  returned: always
  type: dict
  contains:
    id: {description: The resource's id., type: str}
    action: {description: "What was done, or would be done in check mode.", type: str, sample: update}
    differences: {description: "What differed: path, before, after.", type: list, elements: dict}
    body: {description: "Azure's answer, secrets masked.", type: dict}
registered_providers:
  description: Namespaces that were registered, or would be in check mode.
  returned: always
  type: list
  elements: str
actions:
  description: Names of the actions that were sent, or would be in check mode.
  returned: always
  type: list
  elements: str
requests:
  description: Requests sent to Azure Resource Manager.
  returned: always
  type: int
critical_path:
  description: Seconds of the longest chain of dependent resources.
  returned: always
  type: float
started_at:
  description: When the task began, in seconds since 1970.
  returned: always
  type: float
finished_at:
  description: When it ended, in seconds since 1970.
  returned: always
  type: float
failures:
  description: "Failures, each with handle, id, code, message, remedy and correlation."
  returned: failure
  type: list
  elements: dict
"""
