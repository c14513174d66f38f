# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.images import import_body

DOCUMENTATION = r"""
name: image_import
short_description: The action that imports an image into a registry
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Creates the action C(importImage) for an image that is pinned by digest, as O(dualstack.aks.azure_resources#module:actions) takes it.
options:
  _input:
    description: The image as C(<registry>/<repository>[:<tag>]@sha256:<digest>).
    type: str
    required: true
  registry_id:
    description: The resource id of the target registry.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what is sent
  ansible.builtin.debug:
    msg: "{{ image | dualstack.aks.image_import(registry) }}"
  vars:
    image: ghcr.io/nginx/nginx-unprivileged:1.30.5-alpine@sha256:ed04ec1ff34502c339ee5c3ae3f855442398edc1d05591e2b98981dcbbd20b1e
    registry: /subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/example
"""

RETURN = r"""
_value:
  description: C(id), C(action) and C(body).
  type: dict
"""


def _image_import(image: str, registry_id: str) -> dict[str, Any]:
    try:
        return {"id": registry_id, "action": "importImage", "body": import_body(image)}
    except ValueError as error:
        raise AnsibleFilterError(f"dualstack.aks.image_import: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"image_import": _image_import}
