"""Which Service of a cluster is an ingress, of which kind, and what it has to be told."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.ingresses import CONTROLLERS, ingresses_of
from tests.unit.upgrade_samples import running

PODS = "10.244.0.0/16"
HTTP = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]


def service(name: str, namespace: str = "ingress", ports: Any = None, kind: str = "LoadBalancer", **more: Any) -> dict[str, Any]:
    """A Service; ``labels``, ``annotations`` and ``ips`` are taken out of ``more``."""
    labels, annotations, ips = more.get("labels") or {}, more.get("annotations") or {}, more.get("ips") or ()
    metadata = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
    spec = {"type": kind, "clusterIP": more.get("cluster_ip", "10.0.0.7"), "ports": HTTP if ports is None else ports, "ipFamilies": ["IPv4"]}
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": {"ingress": [{"ip": text} for text in ips]}}}


def by_name(name: str, **more: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, **more}


GATEWAY = {"gateway.networking.k8s.io/gateway-name": "web"}

#: Service -> its kind; empty for one that is no ingress
KINDS: list[tuple[dict[str, Any], str]] = [
    (service("ingress-nginx-controller", labels=by_name("ingress-nginx", **{"app.kubernetes.io/component": "controller"})), "ingress_nginx"),
    (service("ingress-nginx-controller-admission", labels=by_name("ingress-nginx"), kind="ClusterIP"), ""),
    (service("ingress-nginx-defaultbackend", labels=by_name("ingress-nginx", **{"app.kubernetes.io/component": "default-backend"})), ""),
    (service("traefik", labels=by_name("traefik"), ports=[{"name": "web", "port": 80}, {"name": "websecure", "port": 443}]), "traefik"),
    (service("haproxy", labels=by_name("haproxy-ingress")), "haproxy"),
    (service("haproxy-kubernetes-ingress", labels=by_name("kubernetes-ingress")), "haproxy"),
    (service("haproxy", labels={"app": "haproxy"}), "haproxy"),
    (service("envoy-web-1", labels=GATEWAY | {"app.kubernetes.io/managed-by": "envoy-gateway"}), "envoy_gateway"),
    (service("envoy-web-1", labels={"gateway.envoyproxy.io/owning-gateway-name": "web"}), "envoy_gateway"),
    (service("web-nginx", labels=GATEWAY | by_name("web-nginx", **{"app.kubernetes.io/managed-by": "nginx-gateway"})), "nginx_gateway_fabric"),
    (service("web-approuting-istio", labels=GATEWAY), "approuting_istio"),
    (service("web-istio", labels=GATEWAY), "gateway"),
    (service("nginx", "app-routing-system"), "approuting_nginx"),
    (service("nginx-metrics", "app-routing-system", kind="ClusterIP"), ""),
    (service("edge"), "other"),
    (service("edge", kind="ClusterIP"), ""),
    (service("mail", ports=[{"port": 25}]), ""),
    (service("database", ports=[{"port": 80}]), ""),
    (service("traefik", labels=by_name("traefik"), cluster_ip="None"), ""),
    (service("traefik", labels=by_name("traefik"), ports=[{"port": 443, "protocol": "UDP"}]), ""),
]


@pytest.mark.parametrize(("found", "kind"), KINDS)
def test_kinds(found: dict[str, Any], kind: str) -> None:
    assert [item.kind for item in ingresses_of(running(objects={"Service": [found]}))] == [kind] * bool(kind)


def test_every_kind_is_found_once_at_least_and_says_what_to_set() -> None:
    assert {kind for _, kind in KINDS if kind} == set(CONTROLLERS)
    for found, kind in KINDS:
        for item in ingresses_of(running(objects={"Service": [found]})):
            lines = item.setting(PODS)
            assert lines and not any("{pods}" in line for line in lines)
            assert PODS in "\n".join(lines) or kind.startswith("approuting")


#: ports -> those for plain HTTP and for TLS
PORTS: list[tuple[list[dict[str, Any]], tuple[int, int]]] = [
    (HTTP, (80, 443)),
    ([{"name": "web", "port": 8080}, {"name": "websecure", "port": 8443}], (8080, 8443)),
    ([{"port": 80}], (80, 0)),
    ([{"port": 443}], (0, 443)),
    ([{"name": "http", "port": 8000}, {"port": 80}], (80, 0)),
]


@pytest.mark.parametrize(("ports", "expected"), PORTS)
def test_ports(ports: list[dict[str, Any]], expected: tuple[int, int]) -> None:
    [item] = ingresses_of(running(objects={"Service": [service("t", labels=by_name("traefik"), ports=ports)]}))
    assert (item.port, item.https_port) == expected


def test_a_public_one_comes_first() -> None:
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    services = [
        service("b", labels=by_name("traefik"), kind="ClusterIP"),
        service("c", labels=by_name("traefik"), annotations=internal),
        service("d", ips=["203.0.113.9"]),
        service("e", labels=by_name("traefik"), ips=["203.0.113.7", "2001:db8::7"]),
    ]
    found = ingresses_of(running(objects={"Service": services}))
    assert [item.service for item in found] == ["e", "d", "c", "b"]
    assert (found[0].addresses, found[0].is_internal, found[2].is_internal) == (("203.0.113.7", "2001:db8::7"), False, True)


def test_hosts_are_those_of_ingresses_or_of_the_gateway_and_its_routes() -> None:
    objects: dict[str, Any] = {
        "Service": [service("web-istio", labels=GATEWAY), service("t", labels=by_name("traefik"))],
        "Ingress": [{"metadata": {"name": "i"}, "spec": {"rules": [{"host": "old.example.org"}, {}]}}],
        "Gateway": [{"metadata": {"name": name}, "spec": {"listeners": [{"hostname": f"*.{name}.example.org"}, {}]}} for name in ("web", "other")],
        "HTTPRoute": [{"metadata": {"name": "r"}, "spec": {"parentRefs": [{"name": "web"}], "hostnames": ["shop.example.org"]}}],
    }
    found = {item.kind: item for item in ingresses_of(running(objects=objects))}
    assert found["gateway"].hosts == ("*.web.example.org", "shop.example.org") and found["gateway"].gateway == "web"
    assert found["traefik"].hosts == ("old.example.org",)
