# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrances import listeners_of

DOCUMENTATION = r"""
name: entrance_security_rules
short_description: Let clients in to the plain ports of the entrances
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Creates a security rule for all TCP ports of an entrance other than 80 and 443, and one for its UDP ports, for clients of both families.
options:
  _input:
    description: A mapping of C(upstream), C(upstream_ingress), C(tls), C(passthrough) and C(streams), each as the role ingress takes it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: See what lets clients in to a database
  ansible.builtin.assert:
    that: rules[0].destination_ports == ['5432']
  vars:
    stream: {name: database, port: 5432, service: database, namespace: apps, service_port: 5432}
    rules: "{{ {'upstream': 'services', 'streams': [stream]} | dualstack.aks.entrance_security_rules }}"
"""

RETURN = r"""
_value:
  description: Security rules as C(network_security_rules) takes them; empty without plain ports.
  type: list
  elements: dict
"""

#: the last places before the rule that denies the rest, so that a user's own rules decide first
_PRIORITIES = {"TCP": 4094, "UDP": 4095}


def _entrance_security_rules(declaration: Mapping[str, Any]) -> list[dict[str, Any]]:
    ports = {listener.port for listener in listeners_of(declaration) if listener.kind in ("tcp", "udp")}
    numbers = {protocol: sorted({port.port for port in ports if port.protocol == protocol}) for protocol in _PRIORITIES}
    return [
        {
            "name": f"clients-to-{protocol.lower()}-streams",
            "priority": _PRIORITIES[protocol],
            "protocol": protocol.capitalize(),
            "source": "Internet",
            "destination": "*",
            "destination_ports": [str(number) for number in found],
            "description": "Both families; the destination is the entrance's public address.",
        }
        for protocol, found in numbers.items()
        if found
    ]


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"entrance_security_rules": _entrance_security_rules}
