"""Ingress controllers and Gateways that a cluster runs, and how each gets the client's address through an entrance in front of it.

This file is private to the collection.

Sources: the settings of each controller's own documentation and chart; learn.microsoft.com/azure/aks/istio-gateway-api for the Gateways of AKS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .facts import RunningCluster, named

Object = Mapping[str, Any]

#: on a Gateway's generated Service: the Gateway that it is for
_GATEWAY = "gateway.networking.k8s.io/gateway-name"
_GATEWAY_CLASS = "gateway.networking.k8s.io/gateway-class-name"
_ENVOY_GATEWAY = "gateway.envoyproxy.io/owning-gateway-name"
_NAME, _COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


@dataclass(frozen=True)
class Controller:
    """One kind of ingress: its name, and how to make it trust the entrance's pods; ``{pods}`` stands for the range of pods."""

    title: str
    setting: str


CONTROLLERS: dict[str, Controller] = {
    "ingress_nginx": Controller(
        "ingress-nginx",
        """In the controller's ConfigMap:
  use-forwarded-headers: "true"
  proxy-real-ip-cidr: {pods}
Do not set use-proxy-protocol: it applies to all listeners, so IPv4 clients could no longer connect.""",
    ),
    "traefik": Controller(
        "Traefik",
        """In the values of its chart, for each entry point:
  ports.web.forwardedHeaders.trustedIPs: [{pods}]
  ports.websecure.proxyProtocol.trustedIPs: [{pods}]""",
    ),
    "haproxy": Controller(
        "HAProxy",
        """In its configuration, only for connections from {pods}:
  http-request set-src req.hdr(x-forwarded-for) if {{ src {pods} }}
With proxy_protocol: true on the same ports:
  tcp-request connection expect-proxy layer4 if {{ src {pods} }}""",
    ),
    "envoy_gateway": Controller(
        "Envoy Gateway",
        """A ClientTrafficPolicy for the Gateway:
  spec.clientIPDetection.xForwardedFor.trustedCIDRs: [{pods}]""",
    ),
    "nginx_gateway_fabric": Controller(
        "NGINX Gateway Fabric",
        """In the NginxProxy of its GatewayClass:
  spec.rewriteClientIP: {{mode: XForwardedFor, trustedAddresses: [{{type: CIDR, value: {pods}}}]}}""",
    ),
    "approuting_istio": Controller(
        "application routing with Gateway API",
        """In the ConfigMap that the Gateway's spec.infrastructure.parametersRef names, on the pods of its Deployment:
  spec.template.metadata.annotations:
    proxy.istio.io/config: '{{"gatewayTopology": {{"numTrustedProxies": 1}}}}'
Its Service does not allow ipFamilies, so the entrance is the only way to get IPv6.""",
    ),
    "approuting_nginx": Controller(
        "application routing with NGINX",
        """It has no such setting: it sees the address of the entrance's pod. Microsoft ends its support in November 2026.""",
    ),
    "gateway": Controller(
        "Gateway API",
        """Let it trust X-Forwarded-For only from {pods}; see its documentation.""",
    ),
    "other": Controller(
        "another ingress",
        """Let it trust X-Forwarded-For only from {pods}; see its documentation.""",
    ),
}


@dataclass(frozen=True)
class Ingress:
    """One that clients reach. Ports are 0 where its Service has none; ``hosts`` are those that it serves, as far as they could be read."""

    kind: str
    namespace: str
    service: str
    gateway: str
    port: int
    https_port: int
    addresses: tuple[str, ...]
    is_load_balancer: bool
    is_internal: bool
    families: tuple[str, ...]
    hosts: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return CONTROLLERS[self.kind].title

    def setting(self, pods: str) -> list[str]:
        """How it is told to believe the entrance's pods, a line each."""
        return CONTROLLERS[self.kind].setting.format(pods=pods).splitlines()


def ingresses_of(cluster: RunningCluster) -> list[Ingress]:
    """What runs in a cluster: load balancers first, and those that are known by name before others."""
    found = [ingress for service in cluster.of_kind("Service") if (ingress := _ingress(service, cluster)) is not None]
    order = list(CONTROLLERS)
    return sorted(found, key=lambda item: (not item.is_load_balancer, item.is_internal, order.index(item.kind), item.namespace, item.service))


def _ingress(service: Object, cluster: RunningCluster) -> Ingress | None:
    spec, kind = service.get("spec") or {}, _kind_of(service)
    ports = [port for port in spec.get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    http, https = _port(ports, ("http", "web", "http2"), 80), _port(ports, ("https", "websecure"), 443)
    is_load_balancer = spec.get("type") == "LoadBalancer"
    if not kind or not (http or https) or spec.get("clusterIP") == "None":
        return None
    metadata = service["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    gateway = str(labels.get(_GATEWAY) or labels.get(_ENVOY_GATEWAY) or "")
    status = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return Ingress(
        kind=kind,
        namespace=str(metadata.get("namespace")),
        service=str(metadata["name"]),
        gateway=gateway,
        port=http,
        https_port=https,
        addresses=tuple(str(item["ip"]) for item in status if item.get("ip")),
        is_load_balancer=is_load_balancer,
        is_internal=str(annotations.get("service.beta.kubernetes.io/azure-load-balancer-internal")).lower() == "true",
        families=tuple(spec.get("ipFamilies") or ("IPv4",)),
        hosts=tuple(sorted(set(_hosts_of_gateway(gateway, cluster) if gateway else _hosts_of_ingresses(cluster)))),
    )


def _kind_of(service: Object) -> str:
    """The kind of ingress that a Service belongs to; empty for none."""
    metadata, spec = service["metadata"], service.get("spec") or {}
    labels, name = metadata.get("labels") or {}, str(metadata["name"])
    if _GATEWAY in labels or _ENVOY_GATEWAY in labels:
        return _gateway_kind(labels, name)
    if metadata.get("namespace") == "app-routing-system":
        return "approuting_nginx" if name.startswith("nginx") and not name.endswith("-metrics") else ""
    if name.endswith(("-metrics", "-admission", "-dashboard", "-defaultbackend", "-default-backend", "-stats")):
        return ""
    application = str(labels.get(_NAME) or labels.get("app") or "").lower()
    if application == "ingress-nginx":
        return "ingress_nginx" if labels.get(_COMPONENT, "controller") == "controller" else ""
    for kind, names in _APPLICATIONS.items():
        if application in names:
            return kind
    ports = {port.get("port") for port in spec.get("ports") or ()}
    return "other" if spec.get("type") == "LoadBalancer" and {80, 443} <= ports else ""


#: kind -> the names by which its charts label their Services
_APPLICATIONS = {
    "traefik": ("traefik",),
    "haproxy": ("haproxy", "haproxy-ingress", "kubernetes-ingress", "haproxy-kubernetes-ingress"),
}


def _gateway_kind(labels: Mapping[str, str], name: str) -> str:
    if _ENVOY_GATEWAY in labels or labels.get("app.kubernetes.io/managed-by") == "envoy-gateway":
        return "envoy_gateway"
    if name.endswith("-approuting-istio") or labels.get(_GATEWAY_CLASS) == "approuting-istio":
        return "approuting_istio"
    if "nginx-gateway" in str(labels.get("app.kubernetes.io/managed-by") or labels.get(_NAME) or ""):
        return "nginx_gateway_fabric"
    return "gateway"


def _port(ports: Sequence[Mapping[str, Any]], names: Iterable[str], number: int) -> int:
    """The port of this number, else of one of these names; 0 without."""
    named = set(names)
    is_it: tuple[Callable[[Mapping[str, Any]], bool], ...] = (lambda port: port.get("port") == number, lambda port: port.get("name") in named)
    return next((int(port["port"]) for fits in is_it for port in ports if fits(port)), 0)


def _hosts_of_ingresses(cluster: RunningCluster) -> Iterable[str]:
    return (str(rule["host"]) for item in cluster.of_kind("Ingress") for rule in (item.get("spec") or {}).get("rules") or () if rule.get("host"))


def _hosts_of_gateway(gateway: str, cluster: RunningCluster) -> list[str]:
    """What its listeners and the routes to it name."""
    listeners = [
        str(listener["hostname"])
        for item in cluster.of_kind("Gateway")
        if item["metadata"]["name"] == gateway
        for listener in (item.get("spec") or {}).get("listeners") or ()
        if listener.get("hostname")
    ]
    routes = [
        str(host)
        for item in cluster.of_kind("HTTPRoute")
        if any(parent.get("name") == gateway for parent in (item.get("spec") or {}).get("parentRefs") or ())
        for host in (item.get("spec") or {}).get("hostnames") or ()
    ]
    return [*listeners, *routes]


def load_balancers(cluster: RunningCluster) -> list[tuple[str, str, tuple[str, ...]]]:
    """Each Service of the type LoadBalancer: its name, its family policy, and its addresses."""
    return [
        (
            named(service),
            str((service.get("spec") or {}).get("ipFamilyPolicy") or "SingleStack"),
            tuple(str(item["ip"]) for item in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or () if item.get("ip")),
        )
        for service in cluster.of_kind("Service")
        if (service.get("spec") or {}).get("type") == "LoadBalancer"
    ]
