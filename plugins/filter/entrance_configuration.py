# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrances import MODES, UPSTREAMS, UnknownService, entrance_configuration

DOCUMENTATION = r"""
name: entrance_configuration
short_description: Compute the listeners and upstreams of an entrance's proxy
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Turns routes, TLS and plain ports into servers, locations and upstreams, for one family's entrance in one mode.
  - Upstreams are cluster IPs of the family that the mode sets, so that no connection can use the other family.
  - The declaration must not break a rule of entrances.
positional: family, services
options:
  _input:
    description: >-
      A mapping of C(mode), C(upstream), C(upstream_ingress), C(routes), C(tls), C(tls_redirect), C(passthrough), C(streams), C(trusted_proxies),
      C(real_ip_header) and C(cpu_request), each as the role ingress takes it, and of C(service_tags), the prefixes of each service tag among the
      trusted proxies.
    type: dict
    required: true
  family:
    description: The clients' family.
    type: str
    required: true
    choices: [IPv4, IPv6]
  services:
    description: The Services as the API server returns them; by default, names replace their addresses.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: See where the IPv6 entrance sends what it gets
  ansible.builtin.assert:
    that: configuration.upstreams[0].address == '10.0.0.20:8080'
  vars:
    declaration:
      mode: nat64
      upstream: services
      routes: [{service: shop, namespace: apps, port: 8080}]
    services:
      - metadata: {name: shop, namespace: apps}
        spec: {clusterIPs: [10.0.0.20]}
    configuration: "{{ declaration | dualstack.aks.entrance_configuration('IPv6', services) }}"
"""

RETURN = r"""
_value:
  description: The contents of nginx' configuration.
  type: dict
  contains:
    workers: {description: "Worker processes, one per CPU of C(cpu_request), at least two.", type: int}
    ports: {description: "C(name), C(port), C(container_port) and C(protocol) of each port of the load balancer.", type: list, elements: dict}
    upstreams: {description: "C(name) and C(address) of each Service that gets HTTP requests.", type: list, elements: dict}
    servers: {description: "C(host), C(certificate), C(key), C(redirect) and C(locations) of each host.", type: list, elements: dict}
    streams:
      description: C(name), C(port), C(container_port), C(protocol), C(address) and C(proxy_protocol) of each plain port.
      type: list
      elements: dict
    passed: {description: "C(host), C(name) and C(address) of each name whose TLS is passed through.", type: list, elements: dict}
    trusted_proxies: {description: Prefixes of proxies that are trusted to report their client's address., type: list, elements: str}
    proxy_protocol: {description: Whether TCP clients must send the PROXY protocol., type: bool}
    terminates: {description: Whether the entrance terminates TLS., type: bool}
    cleartext_http2: {description: Whether clients may use HTTP/2 without TLS., type: bool}
"""


def _entrance_configuration(declaration: Mapping[str, Any], family: str, services: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    if family not in ("IPv4", "IPv6"):
        raise AnsibleFilterError(f"dualstack.aks.entrance_configuration: family {family!r} is neither IPv4 nor IPv6.")
    if declaration.get("mode") not in MODES or declaration.get("upstream") not in UPSTREAMS:
        raise AnsibleFilterError(
            f"dualstack.aks.entrance_configuration: mode {declaration.get('mode')!r} is not one of {', '.join(MODES)}, "
            f"or upstream {declaration.get('upstream')!r} not one of {', '.join(UPSTREAMS)}."
        )
    try:
        return asdict(entrance_configuration(declaration, family, services))
    except UnknownService as error:
        raise AnsibleFilterError(f"dualstack.aks.entrance_configuration: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"entrance_configuration": _entrance_configuration}
