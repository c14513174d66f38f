from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrance_rules import entrance_violations
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrances import MODES, UPSTREAMS

DOCUMENTATION = r"""
name: entrance_violations
short_description: Check routes, TLS and plain ports of the entrances, and the Services that they name
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Returns every broken rule at once; an empty list when all hold.
  - Concerns overlapping routes, names of hosts, ports and paths, certificates, modes that make no sense in front of a running ingress,
    and Services that are missing, or that lack the port or the family that the mode needs.
positional: services
options:
  _input:
    description: >-
      A mapping of C(mode), C(upstream), C(upstream_ingress), C(routes), C(tls), C(tls_redirect), C(passthrough), C(streams), C(key_vault_id)
      and C(key_vault_client_id), each as the role ingress takes it, and optionally C(families), those whose entrance is wanted.
    type: dict
    required: true
  services:
    description: The Services as the API server returns them; when left out, the rules that concern them are.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Refuse a route to a Service that is not there
  ansible.builtin.assert:
    that: declaration | dualstack.aks.entrance_violations([]) | map(attribute='rule') | list == ['service_missing']
  vars:
    declaration:
      mode: nat64
      upstream: services
      routes: [{service: shop, namespace: apps, port: 8080}]
"""

RETURN = r"""
_value:
  description: One mapping a violation with C(rule), C(subject), C(found), C(remedy) and C(reference).
  type: list
  elements: dict
"""


def _entrance_violations(declaration: Mapping[str, Any], services: Sequence[Mapping[str, Any]] | None = None) -> list[dict[str, str]]:
    if declaration.get("mode") not in MODES or declaration.get("upstream") not in UPSTREAMS:
        raise AnsibleFilterError(
            f"dualstack.aks.entrance_violations: mode {declaration.get('mode')!r} is none of {', '.join(MODES)}, "
            f"or upstream {declaration.get('upstream')!r} none of {', '.join(UPSTREAMS)}."
        )
    try:
        return entrance_violations(declaration, services)
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"dualstack.aks.entrance_violations: an entry lacks {error}, or it is of another type.") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"entrance_violations": _entrance_violations}
