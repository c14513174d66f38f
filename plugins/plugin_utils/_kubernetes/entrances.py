"""What an entrance's proxy listens on and where it sends it, from what the inventory declares.

This file is private to the collection.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .quantities import quantity

MODES = ("nat64", "nat46", "split", "native")
UPSTREAMS = ("services", "ingress")
#: where the unprivileged proxy listens; the Service maps 80 and 443 to them
HTTP, HTTPS = 8080, 8443
#: the first of the ports that plain TCP and UDP arrive on
FIRST_STREAM = 10000


class UnknownService(ValueError):
    """A Service that is not there, or has no address in the family that is needed."""


@dataclass(frozen=True)
class Upstream:
    name: str
    address: str


@dataclass(frozen=True)
class Location:
    """``match`` is what stands after nginx' word ``location``."""

    match: str
    protocol: str
    upstream: str
    timeout: int


@dataclass(frozen=True)
class Server:
    """One host, with TLS or without: ``certificate`` and ``key`` are files, empty without. Without locations it redirects to TLS, or refuses."""

    host: str
    certificate: str = ""
    key: str = ""
    redirect: bool = False
    locations: tuple[Location, ...] = ()


@dataclass(frozen=True)
class Stream:
    """A port whose bytes are passed on as they are."""

    name: str
    port: int
    container_port: int
    protocol: str
    address: str
    proxy_protocol: bool


@dataclass(frozen=True)
class Passed:
    """TLS that is passed on unopened, by the name that the client asks for."""

    host: str
    name: str
    address: str


@dataclass(frozen=True)
class Port:
    """A port of the load balancer, and where the proxy listens for it."""

    name: str
    port: int
    container_port: int
    protocol: str = "TCP"


@dataclass(frozen=True)
class Listener:
    """What clients connect to, and the variable that asks for it.

    ``kind`` is what a client speaks first: ``http``; ``tls``, for the name ``host``, empty where any name may be asked for; ``tcp`` or ``udp``.
    """

    subject: str
    port: Port
    kind: str
    host: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.port.port}{f' {self.host}' if self.host else ''}"


@dataclass(frozen=True)
class Configuration:
    workers: int
    ports: tuple[Port, ...]
    upstreams: tuple[Upstream, ...]
    servers: tuple[Server, ...]
    streams: tuple[Stream, ...]
    passed: tuple[Passed, ...]
    #: prefixes of those who are believed in what they say of their client, and whether everybody in this family has to say it by the PROXY protocol
    trusted_proxies: tuple[str, ...]
    proxy_protocol: bool
    #: whether some TLS is opened here, and whether clients may speak HTTP/2 without TLS
    terminates: bool
    cleartext_http2: bool


def families_of(mode: str, upstream: str) -> tuple[str, ...]:
    """The families whose entrance is ours. A running ingress has its own entrance in its own family."""
    if upstream == "services":
        return ("IPv4", "IPv6")
    return {"nat64": ("IPv6",), "nat46": ("IPv4",)}.get(mode, ())


def upstream_family(mode: str, family: str) -> str:
    """The family that the entrance of ``family`` opens connections in."""
    return {"nat64": "IPv4", "nat46": "IPv6"}.get(mode, family)


def workers_of(cpu_request: str) -> int:
    """Worker processes of a proxy that asks for so much CPU: one a CPU, and two at least, so that a busy one keeps nobody waiting.

    nginx' own count is that of the node's cores, whose workers outgrow the proxy's memory. Raises :class:`ValueError` for what is no quantity.
    """
    return max(2, math.ceil(quantity(cpu_request)))


def service_of(target: Mapping[str, Any], mode: str, family: str) -> str:
    """The name of the Service that the entrance of ``family`` sends ``target`` to."""
    return str(target["ipv6_service"] if mode == "split" and family == "IPv6" else target["service"])


def listeners_of(declaration: Mapping[str, Any]) -> list[Listener]:
    """Everything that an entrance listens on for its clients: its Service, the rules that let clients in and whoever asks it go by this list.

    An entry without a port or a name is left out: the role's specification reports it.
    """
    http, https = Port("http", 80, HTTP), Port("https", 443, HTTPS)
    listeners = [Listener("ingress_upstream_ingress" if declaration["upstream"] == "ingress" else "ingress_routes", http, "http")]
    for index, entry in enumerate(declaration.get("tls") or []):
        listeners += [Listener(f"ingress_tls[{index}]", https, "tls", host) for host in entry.get("hosts") or []]
    passed = [(index, entry["host"]) for index, entry in enumerate(declaration.get("passthrough") or []) if entry.get("host")]
    listeners += [Listener(f"ingress_tls_passthrough[{index}]", https, "tls", host) for index, host in passed]
    if declaration["upstream"] == "ingress" and ingress_of(declaration)["https_port"]:
        listeners.append(Listener("ingress_upstream_ingress", https, "tls"))
    for index, stream in enumerate(declaration.get("streams") or []):
        if str(stream.get("port")).isdecimal():
            port = Port(str(stream.get("name")), int(stream["port"]), FIRST_STREAM + index, protocol_of(stream))
            listeners.append(Listener(f"ingress_streams[{index}]", port, port.protocol.lower()))
    return listeners


def is_prefix(text: str) -> bool:
    """Whether a trusted proxy is named by its address or prefix; a service tag is not."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def trusted_tags(declaration: Mapping[str, Any]) -> list[str]:
    """The service tags among the trusted proxies."""
    return [text for text in map(str, declaration.get("trusted_proxies") or []) if not is_prefix(text)]


def trusted_prefixes(declaration: Mapping[str, Any]) -> list[str]:
    """The prefixes of the trusted proxies of both families, each once. A tag has those of ``service_tags``; none before Azure was asked."""
    tags = {str(name).lower(): prefixes for name, prefixes in (declaration.get("service_tags") or {}).items()}
    named = map(str, declaration.get("trusted_proxies") or [])
    found = [prefix for text in named for prefix in ([text] if is_prefix(text) else tags.get(text.lower(), []))]
    return list(dict.fromkeys(str(ipaddress.ip_network(prefix, strict=False)) for prefix in found))


def expects_proxy_protocol(declaration: Mapping[str, Any], family: str) -> bool:
    """Whether the entrance of ``family`` takes TCP connections with the PROXY protocol only: a listener takes it from all clients or from none.

    Where no trusted proxy has the family, its clients come by themselves, and without it.
    """
    versions = {ipaddress.ip_network(prefix).version for prefix in trusted_prefixes(declaration)}
    return declaration.get("real_ip_header") == "proxy_protocol" and int(family[-1]) in versions


def targets_of(declaration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everything that names a Service: the routes, the names passed through and the plain ports, or the ingress that already runs.

    ``subject`` says which entry it is, ``target_port`` and ``target_protocol`` which port of the Service is meant.
    """
    found = [
        {**route, "subject": f"ingress_routes[{index}]", "target_port": route["port"], "target_protocol": "TCP"}
        for index, route in enumerate(declaration.get("routes") or [])
    ]
    found += [
        {**passed, "subject": f"ingress_tls_passthrough[{index}]", "target_port": passed["port"], "target_protocol": "TCP"}
        for index, passed in enumerate(declaration.get("passthrough") or [])
    ]
    found += [
        {**stream, "subject": f"ingress_streams[{index}]", "target_port": stream["service_port"], "target_protocol": protocol_of(stream)}
        for index, stream in enumerate(declaration.get("streams") or [])
    ]
    if declaration["upstream"] == "ingress":
        ingress = ingress_of(declaration)
        for port in (ingress["port"], ingress["https_port"]):
            if ingress.get("service") and ingress.get("namespace") and port:
                found.append({**ingress, "subject": "ingress_upstream_ingress", "target_port": port, "target_protocol": "TCP"})
    return found


def applications_of(declaration: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Namespace and name of every Service behind the entrances, each once."""
    if declaration["upstream"] == "ingress":
        targets = [declaration["upstream_ingress"]]
    else:
        targets = [target for name in ("routes", "passthrough", "streams") for target in declaration.get(name) or []]
    services = ("service", "ipv6_service") if declaration["mode"] == "split" else ("service",)
    return sorted({(str(target["namespace"]), str(target[name])) for target in targets for name in services if target.get(name)})


def protocol_of(stream: Mapping[str, Any]) -> str:
    return str(stream.get("protocol") or "TCP")


def path_of(route: Mapping[str, Any]) -> str:
    """The path without the slash at its end, which means nothing to a prefix; the root keeps it."""
    path = str(route.get("path") or "/")
    return path if route.get("path_type") == "exact" else path.rstrip("/") or "/"


def ingress_of(declaration: Mapping[str, Any]) -> dict[str, Any]:
    """The running ingress with what its declaration may leave out."""
    return {"port": 80, "https_port": 0 if declaration.get("tls") else 443, "proxy_protocol": False} | dict(declaration.get("upstream_ingress") or {})


def addresses_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Family -> cluster IP of a Service as the API server returns it; none for a headless one."""
    found = {}
    for text in service.get("spec", {}).get("clusterIPs") or ():
        if text != "None":
            found[f"IPv{ipaddress.ip_address(text).version}"] = text
    return found


def by_name(services: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(service["metadata"]["namespace"], service["metadata"]["name"]): service for service in services}


def entrance_configuration(declaration: Mapping[str, Any], family: str, services: Sequence[Mapping[str, Any]] | None) -> Configuration:
    """The configuration of the entrance of ``family``.

    Upstreams are the Services' cluster IPs in the family that the mode wants, so that no connection can leave in the other one. nginx
    resolves a name once, when it starts, and takes A and AAAA alike: a name would not keep it in its family, would not follow a Service
    that was made again any better, and would keep a proxy from starting while the cluster's DNS is away.
    Without a cluster (``services`` is None) names stand for the addresses. Raises :class:`UnknownService`.
    """
    known = None if services is None else by_name(services)

    def address(target: Mapping[str, Any], port: int) -> str:
        name = service_of(target, declaration["mode"], family)
        wanted = upstream_family(declaration["mode"], family)
        if known is None:
            return f"{name}.{target['namespace']}.svc.cluster.local:{port}"
        found = addresses_of(known.get((target["namespace"], name), {})).get(wanted)
        if not found:
            raise UnknownService(f"The Service {target['namespace']}/{name} has no {wanted} cluster IP.")
        return f"[{found}]:{port}" if wanted == "IPv6" else f"{found}:{port}"

    routes = [dict(route) for route in declaration.get("routes") or []]
    streams = [
        Stream(
            stream["name"],
            stream["port"],
            FIRST_STREAM + index,
            protocol_of(stream),
            address(stream, stream["service_port"]),
            bool(stream.get("proxy_protocol")),
        )
        for index, stream in enumerate(declaration.get("streams") or [])
    ]
    http = True
    if declaration["upstream"] == "ingress":
        ingress = ingress_of(declaration)
        routes = [{**ingress, "path": "/"}]
        if ingress["proxy_protocol"]:
            http, routes = False, []
            streams.append(Stream("http", 80, HTTP, "TCP", address(ingress, ingress["port"]), True))
        if ingress["https_port"]:
            streams.append(Stream("https", 443, HTTPS, "TCP", address(ingress, ingress["https_port"]), ingress["proxy_protocol"]))

    upstreams: dict[str, Upstream] = {}
    locations: dict[str, list[Location]] = {}
    exact = {(str(route.get("host") or ""), path_of(route)) for route in routes if route.get("path_type") == "exact"}
    for route in routes:
        protocol = str(route.get("protocol") or "http")
        # One pool of kept connections a protocol: HTTP/1.1 and HTTP/2 must never share one.
        name = "_".join((protocol, route["namespace"], service_of(route, declaration["mode"], family), str(route["port"])))
        upstreams[name] = Upstream(name, address(route, route["port"]))
        host = str(route.get("host") or "")
        for match in _matches(route, exact):
            locations.setdefault(host, []).append(Location(match, protocol, name, int(route.get("timeout") or 60)))

    certificates = {host: _files(entry) for entry in declaration.get("tls") or [] for host in entry["hosts"]}
    redirect = bool(declaration.get("tls_redirect"))
    servers = []
    # A host with a certificate and no routes of its own takes those of every host.
    for host in dict.fromkeys((*locations, *certificates)):
        found = tuple(locations.get(host) or locations.get("") or ())
        certificate, key = certificates.get(host) or certificates.get(f"*.{host.partition('.')[2]}", ("", ""))
        redirected = redirect and bool(certificate)
        servers.append(Server(host, redirect=redirected, locations=() if redirected else found))
        if certificate:
            servers.append(Server(host, certificate, key, locations=found))
    passed = [
        Passed(entry["host"], f"passed_{index}", address(entry, entry["port"])) for index, entry in enumerate(declaration.get("passthrough") or [])
    ]
    if redirect:
        servers += [Server(entry.host, redirect=True) for entry in passed]
    if http and "" not in locations:
        servers.append(Server(""))
    return Configuration(
        workers=workers_of(str(declaration.get("cpu_request") or "1")),
        ports=tuple(dict.fromkeys(listener.port for listener in listeners_of(declaration))),
        upstreams=tuple(upstreams.values()),
        servers=tuple(servers),
        streams=tuple(streams),
        passed=tuple(passed),
        trusted_proxies=tuple(trusted_prefixes(declaration)),
        proxy_protocol=expects_proxy_protocol(declaration, family),
        terminates=any(server.certificate for server in servers),
        cleartext_http2=any(route.get("protocol") == "grpc" for route in routes),
    )


def _files(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Certificate and key below the proxy's folder of certificates; Key Vault gives both in one file."""
    if entry.get("key_vault_certificate"):
        return (f"vault/{entry['key_vault_certificate']}.pem",) * 2
    return f"secrets/{entry.get('secret')}/tls.crt", f"secrets/{entry.get('secret')}/tls.key"


def _matches(route: Mapping[str, Any], exact: set[tuple[str, str]]) -> list[str]:
    """A prefix ends at a slash, as Kubernetes' does: /shop is /shop and /shop/…, and never /shopping."""
    path = path_of(route)
    if route.get("path_type") == "exact":
        return [f"= {path}"]
    if path == "/":
        return ["/"]
    # An exact route of the same path goes before the prefix.
    return ([] if (str(route.get("host") or ""), path) in exact else [f"= {path}"]) + [f"{path}/"]
