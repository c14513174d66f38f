# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_resources_info
short_description: Read Azure resources
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Reads resources by their handle in a resources file, by id, or by a reading action. Changes nothing.
options:
  resources_file:
    description: The file of M(dualstack.aks.azure_resources) whose resources are read.
    type: str
  resources:
    description: Declarations as in M(dualstack.aks.azure_resources); only their ids are used.
    type: dict
  handles:
    description: Which of the declared resources to read; all by default.
    type: list
    elements: str
  reads:
    description:
      - "Name -> what to read: C(id), and for a reading action C(action) and C(body)."
      - C(api_version) is only needed where the engine does not know the type of C(id). When given, it is used.
      - "Of a list C(attributes) are all that is returned of its items: a subscription's resource providers are megabytes, which Ansible would keep
        for every host."
      - Of a list C(names) are the only items that are returned, whatever their case.
    type: dict
extends_documentation_fragment:
  - dualstack.aks.reading
  - dualstack.aks.credentials
  - dualstack.aks.requests
"""

EXAMPLES = r"""
- name: The subscription and its locations
  dualstack.aks.azure_resources_info:
    reads:
      subscription: {id: "/subscriptions/{{ lookup('env', 'AZURE_SUBSCRIPTION_ID') }}"}
      locations:
        id: "/subscriptions/{{ lookup('env', 'AZURE_SUBSCRIPTION_ID') }}/locations"
        attributes: [name]
"""

RETURN = r"""
resources:
  description: Each read by its name.
  returned: always
  type: dict
  contains:
    id: {description: What was read., type: str}
    exists: {description: Whether it exists., type: bool}
    body: {description: "Azure's answer, secrets masked.", type: dict}
    error: {description: "Code, message and status of a refusal; empty otherwise.", type: dict}
subscription_id:
  description: The subscription of the credentials.
  returned: always
  type: str
tenant:
  description: The tenant of the credentials.
  returned: always
  type: str
principal_id:
  description: Object id of the credentials' principal.
  returned: always
  type: str
cloud:
  description: Name and endpoint of the cloud.
  returned: always
  type: dict
requests:
  description: Requests sent to Azure Resource Manager.
  returned: always
  type: int
"""
