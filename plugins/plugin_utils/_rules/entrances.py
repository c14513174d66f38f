"""Rules of the entrances: what the inventory declares of them, the proxies that carry it out, and the Services that they send requests to.

This file is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._kubernetes.entrances import (
    addresses_of,
    by_name,
    families_of,
    ingress_of,
    is_prefix,
    path_of,
    protocol_of,
    service_of,
    targets_of,
    upstream_family,
    workers_of,
)
from .._kubernetes.quantities import quantity
from .._kubernetes.service_families import SINGLE, service_family_change
from . import Answer, Chapter, Finding
from .habits import host_remedy, path_remedy
from .security_groups import SERVICE_TAG

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_NAME = re.compile(_LABEL)
#: a port's name as Kubernetes takes it, and short enough for a probe's annotation
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
#: what nginx compares a path with is decoded, and these characters mean nothing else in its configuration
_PATH = re.compile(r"(/[A-Za-z0-9._~@:+,=-]*)+")
_CERTIFICATE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]{0,125}[A-Za-z0-9])?")
_SECRET = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_HOST_REMEDY = "write it in lower case, without port and scheme; *.example.org matches every name below it"
_PATH_REMEDY = "begin it with /, write it decoded, and use only letters, digits and . _ ~ @ : + , = -"
_OWN_NAMES = ("http", "https", "health", "metrics")

_SERVICES = "https://kubernetes.io/docs/concepts/services-networking/service/"
_DUAL_STACK = "https://kubernetes.io/docs/concepts/services-networking/dual-stack/"
_PATHS = "https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types"
_HOSTS = "https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards"
_LOAD_BALANCER = "https://learn.microsoft.com/azure/aks/load-balancer-standard"
_NGINX_SYNTAX = "https://nginx.org/en/docs/syntax.html"
_RESOURCES = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"

#: of a proxy with its zones full and 200 clients, and of each of its workers, in bytes (tests/bench/proxies.py)
_PROXY_MEMORY, _WORKER_MEMORY = 64 * 2**20, 8 * 2**20

#: what the inventory declares of the entrances, in the form that :mod:`.._kubernetes.entrances` takes
type Declaration = Mapping[str, Any]

CHAPTER = Chapter[Declaration]("entrances")
rule = CHAPTER.rule


def _routes(declaration: Declaration) -> list[Mapping[str, Any]]:
    return list(declaration.get("routes") or [])


def _certificates(declaration: Declaration) -> list[Mapping[str, Any]]:
    return list(declaration.get("tls") or [])


def _passed(declaration: Declaration) -> list[Mapping[str, Any]]:
    return list(declaration.get("passthrough") or [])


def _streams(declaration: Declaration) -> list[Mapping[str, Any]]:
    return list(declaration.get("streams") or [])


@rule("set ingress_upstream to ingress, or remove this variable")
def ingress_unused(declaration: Declaration) -> Iterator[Finding]:
    """A running ingress that is declared, while the entrances send requests to Services."""
    if declaration["upstream"] == "services" and declaration.get("upstream_ingress"):
        yield "ingress_upstream_ingress", "it is set, but ingress_upstream is services"


@rule(
    "give the running ingress a LoadBalancer Service of the other family, or use nat64 (or nat46, if it runs on IPv6)",
    _DUAL_STACK,
)
def ingress_mode_upstream(declaration: Declaration) -> Iterator[Finding]:
    """A running ingress in a mode that does not translate: it needs no entrance."""
    mode = declaration["mode"]
    if declaration["upstream"] == "ingress" and not families_of(mode, "ingress"):
        yield (
            "ingress_mode",
            f"{mode} does not translate between families, so a running ingress needs no entrance",
        )


@rule("configure these options in the running ingress, or set ingress_upstream to services")
def ingress_upstream(declaration: Declaration) -> Iterator[Finding]:
    """A running ingress without a name, or together with options that the ingress handles itself."""
    if declaration["upstream"] != "ingress":
        return
    ingress = declaration.get("upstream_ingress") or {}
    if not ingress.get("service") or not ingress.get("namespace"):
        yield "ingress_upstream_ingress", "it does not name a Service", "set service and namespace of the running ingress"
    if _routes(declaration):
        yield (
            "ingress_routes",
            "it has routes, but all requests go to the running ingress",
            "empty ingress_routes and configure the routes in the running ingress, or set ingress_upstream to services",
        )
    if _passed(declaration):
        yield (
            "ingress_tls_passthrough",
            "the running ingress gets all TLS on one port",
            "empty ingress_tls_passthrough and configure it in the running ingress",
        )
    if _certificates(declaration) and (ingress.get("https_port") or ingress.get("proxy_protocol")):
        yield (
            "ingress_tls",
            "the entrance terminates TLS, but https_port or proxy_protocol passes it through to the running ingress",
            "remove either ingress_tls, or https_port and proxy_protocol of ingress_upstream_ingress",
        )


@rule(_HOST_REMEDY, _HOSTS)
def ingress_host(declaration: Declaration) -> Iterator[Finding]:
    """A host that is not a valid host name."""
    hosts = [(f"ingress_routes[{index}]", route["host"]) for index, route in enumerate(_routes(declaration)) if route.get("host")]
    hosts += [(f"ingress_tls[{index}]", host) for index, entry in enumerate(_certificates(declaration)) for host in entry["hosts"]]
    hosts += [(f"ingress_tls_passthrough[{index}]", entry["host"]) for index, entry in enumerate(_passed(declaration))]
    for subject, host in hosts:
        if len(host) > 253 or not _HOST.fullmatch(host):
            yield subject, f"{host!r} is not a valid host name", host_remedy(host) or _HOST_REMEDY


@rule(_PATH_REMEDY, _PATHS)
def ingress_path(declaration: Declaration) -> Iterator[Finding]:
    """A path that never matches a decoded request, or that has a special meaning in nginx' configuration."""
    for index, route in enumerate(_routes(declaration)):
        path = str(route.get("path") or "/")
        if not _PATH.fullmatch(path) or "//" in path or {".", ".."} & set(path.split("/")):
            found = f"no request has the path {path!r} after nginx has decoded it"
            yield f"ingress_routes[{index}]", found, path_remedy(path) or _PATH_REMEDY


@rule("use 1 to 86400 s; without it, the timeout is 60 s")
def ingress_timeout_of_route(declaration: Declaration) -> Iterator[Finding]:
    """A timeout that nginx does not support."""
    for index, route in enumerate(_routes(declaration)):
        timeout = route.get("timeout")
        if timeout is not None and not 1 <= int(timeout) <= 86400:
            yield f"ingress_routes[{index}]", f"a timeout of {timeout} s"


@rule("set ipv6_service, or use another ingress_mode", _DUAL_STACK)
def ingress_split(declaration: Declaration) -> Iterator[Finding]:
    """A target without a Service for IPv6 in the mode split."""
    if declaration["mode"] == "split":
        for target in targets_of(declaration):
            if not target.get("ipv6_service"):
                yield target["subject"], "the mode split needs one Service per family, but ipv6_service is missing"


@rule("use lower-case letters, digits and hyphens", _SERVICES)
def ingress_name(declaration: Declaration) -> Iterator[Finding]:
    """A Service or namespace with an invalid name."""
    for target in targets_of(declaration):
        for key in ("service", "ipv6_service", "namespace"):
            if target.get(key) and not _NAME.fullmatch(str(target[key])):
                yield target["subject"], f"{key} {target[key]!r} is not a valid Kubernetes name"


@rule("use a port from 1 to 65535")
def ingress_port(declaration: Declaration) -> Iterator[Finding]:
    """A number that is not a port."""
    ports = [(target["subject"], target["target_port"]) for target in targets_of(declaration)]
    ports += [(f"ingress_streams[{index}]", stream["port"]) for index, stream in enumerate(_streams(declaration))]
    for subject, port in ports:
        if not 1 <= int(port) <= 65535:
            yield subject, f"port {port}"


@rule("leave one of them", _PATHS)
def ingress_overlap(declaration: Declaration) -> Iterator[Finding]:
    """Two entries for the same requests: only one of them would get requests."""
    same = Counter((str(route.get("host") or ""), path_of(route), route.get("path_type") or "prefix") for route in _routes(declaration))
    for (host, path, kind), times in same.items():
        if times > 1:
            yield "ingress_routes", f"{times} routes for {host or 'any host'} and the {'path' if kind == 'exact' else 'paths below'} {path}"
    for host, times in Counter(entry["host"] for entry in _passed(declaration)).items():
        if times > 1:
            yield "ingress_tls_passthrough", f"{host} is passed through to two Services"


@rule("give each host exactly one certificate: a Secret, or a certificate in Key Vault")
def ingress_certificate(declaration: Declaration) -> Iterator[Finding]:
    """A host without a certificate or with two, or a certificate for a host without a route."""
    routed = {str(route.get("host") or "") for route in _routes(declaration)} | ({""} if declaration["upstream"] == "ingress" else set())
    for index, entry in enumerate(_certificates(declaration)):
        subject = f"ingress_tls[{index}]"
        secret, certificate = entry.get("secret"), entry.get("key_vault_certificate")
        if bool(secret) == bool(certificate):
            yield (
                subject,
                "it has both a Secret and a certificate in Key Vault" if secret else "its hosts have no certificate",
                "set either secret or key_vault_certificate",
            )
        if (secret and not _SECRET.fullmatch(secret)) or (certificate and not _CERTIFICATE.fullmatch(certificate)):
            yield subject, f"{secret or certificate!r} is not a valid name of a Secret or certificate", "correct it"
        if not entry["hosts"]:
            yield subject, "the certificate has no hosts", "set hosts"
        for host in entry["hosts"]:
            if not ("" in routed or host in routed or (host.startswith("*.") and any(name.partition(".")[2] == host[2:] for name in routed))):
                yield subject, f"no route has the host {host}", "add a route for it, or remove the host"
    for host, times in Counter(host for entry in _certificates(declaration) for host in entry["hosts"]).items():
        if times > 1:
            yield "ingress_tls", f"{host} has two certificates", "leave one of them"


@rule(
    "set the vault's id, and the client id of an identity that can read its secrets",
    "https://learn.microsoft.com/azure/aks/csi-secrets-store-identity-access",
)
def ingress_key_vault(declaration: Declaration) -> Iterator[Finding]:
    """Certificates from a vault that is not set, or that no identity can read."""
    if any(entry.get("key_vault_certificate") for entry in _certificates(declaration)):
        for key in ("key_vault_id", "key_vault_client_id"):
            if not declaration.get(key):
                yield f"ingress_{key}", "it is empty, but certificates come from Key Vault"


@rule("add ingress_tls or ingress_tls_passthrough")
def ingress_redirect(declaration: Declaration) -> Iterator[Finding]:
    """A redirect to TLS without TLS."""
    if declaration.get("tls_redirect") and not _certificates(declaration) and not _passed(declaration):
        yield "ingress_tls_redirect", "it redirects to TLS, but no host has TLS"


@rule("keep the host in one of the lists")
def ingress_passthrough(declaration: Declaration) -> Iterator[Finding]:
    """A host whose TLS is both passed through and terminated, or whose routes only redirect to TLS that is passed through."""
    opened = {host for entry in _certificates(declaration) for host in entry["hosts"]}
    routed = {str(route.get("host") or "") for route in _routes(declaration)}
    for index, entry in enumerate(_passed(declaration)):
        subject, host = f"ingress_tls_passthrough[{index}]", entry["host"]
        if host in opened:
            yield subject, f"the TLS of {host} is also terminated here", "keep it in ingress_tls or here, not in both"
        if host in routed and declaration.get("tls_redirect"):
            yield (
                subject,
                f"{host} has routes, but its HTTP is redirected to TLS that is passed through",
                "remove its routes from ingress_routes, or set ingress_tls_redirect to false",
            )


@rule(f"use 1 to 15 lower-case letters, digits and single hyphens, and none of {', '.join(_OWN_NAMES)}", _SERVICES)
def ingress_stream_name(declaration: Declaration) -> Iterator[Finding]:
    """A stream name that is not a valid port name, or that two streams have."""
    for index, stream in enumerate(_streams(declaration)):
        if not _PORT_NAME.fullmatch(stream["name"]) or stream["name"] in _OWN_NAMES:
            yield f"ingress_streams[{index}]", f"{stream['name']!r} is not a valid port name"
    for name, times in Counter(stream["name"] for stream in _streams(declaration)).items():
        if times > 1:
            yield "ingress_streams", f"{times} streams have the name {name}", "use a different name for each"


@rule("use a different port for each stream, and none of HTTP and TLS")
def ingress_stream_port(declaration: Declaration) -> Iterator[Finding]:
    """A port that HTTP or TLS already uses, or that two streams use."""
    streams = _streams(declaration)
    for index, stream in enumerate(streams):
        if protocol_of(stream) == "TCP" and stream["port"] in (80, 443):
            yield (
                f"ingress_streams[{index}]",
                f"port {stream['port']} is used by HTTP and TLS",
                "use ingress_routes or ingress_tls_passthrough for it, or another port",
            )
    for (port, protocol), times in Counter((stream["port"], protocol_of(stream)) for stream in streams).items():
        if times > 1:
            yield "ingress_streams", f"{times} streams on {protocol} port {port}", "use a different port for each"


@rule(
    "remove proxy_protocol: over UDP the client's address is lost",
    "https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_protocol",
)
def ingress_stream_proxy_protocol(declaration: Declaration) -> Iterator[Finding]:
    """The PROXY protocol over UDP: nginx would write the PROXY line into the datagram."""
    for index, stream in enumerate(_streams(declaration)):
        if protocol_of(stream) == "UDP" and stream.get("proxy_protocol"):
            yield f"ingress_streams[{index}]", "nginx would write the PROXY line into the datagram"


@rule("declare at most 100", _LOAD_BALANCER)
def ingress_streams(declaration: Declaration) -> Iterator[Finding]:
    """More ports than the load balancer has rules: 250, of which each family needs two for HTTP and TLS."""
    if len(_streams(declaration)) > 100:
        yield "ingress_streams", f"{len(_streams(declaration))} ports in each family"


@rule("begin the path with / and write spaces as %20; write the authorities' certificates as PEM")
def ingress_probe(declaration: Declaration) -> Iterator[Finding]:
    """An invalid path, or certificate authorities that cannot be read: every probe would fail."""
    probe = declaration.get("probe") or {}
    path, authorities = str(probe.get("path") or "/"), str(probe.get("ca_certificates") or "")
    if not re.fullmatch(r"/[!-~]*", path):
        yield "ingress_probe_path", f"{path!r} is not a path"
    try:
        ssl.create_default_context(cadata=authorities or None)
    except (ssl.SSLError, TypeError, ValueError) as error:
        # TypeError: it is not ASCII.
        yield "ingress_probe_ca_certificates", f"it contains no readable certificate ({error})"


@rule("list the proxies in front of the entrances: addresses, prefixes, or a service tag such as AzureFrontDoor.Backend")
def ingress_trusted_proxies(declaration: Declaration) -> Iterator[Finding]:
    """Trusted proxies that are neither prefixes nor service tags, or that match every client: any client could then forge its address."""
    for index, proxy in enumerate(map(str, declaration.get("trusted_proxies") or [])):
        if is_prefix(proxy) and not ipaddress.ip_network(proxy, strict=False).prefixlen:
            yield f"ingress_trusted_proxies[{index}]", f"{proxy} matches every client"
        elif not is_prefix(proxy) and not SERVICE_TAG.fullmatch(proxy):
            yield f"ingress_trusted_proxies[{index}]", f"{proxy!r} is neither an address, a prefix nor a service tag"


@rule(
    "set ingress_real_ip_header to proxy_protocol if the proxy in front supports it, or terminate TLS and HTTP here",
    "https://nginx.org/en/docs/http/ngx_http_realip_module.html",
)
def ingress_real_ip_header(declaration: Declaration) -> Iterator[Finding]:
    """A client's address in an HTTP header that the entrance cannot read."""
    header = declaration.get("real_ip_header") or "X-Forwarded-For"
    if not declaration.get("trusted_proxies") or header == "proxy_protocol":
        return
    subject, found = "ingress_real_ip_header", f"{header} cannot be read from "
    if _passed(declaration):
        yield (
            subject,
            f"{found}TLS while ingress_tls_passthrough is set",
            "empty ingress_tls_passthrough, or set ingress_real_ip_header to proxy_protocol if the proxy in front supports it",
        )
    if declaration["upstream"] == "ingress":
        ingress = ingress_of(declaration)
        if ingress["proxy_protocol"]:
            yield subject, f"{found}connections that are passed through to the running ingress (proxy_protocol of ingress_upstream_ingress)"
        elif ingress["https_port"]:
            yield (
                subject,
                f"{found}TLS that is passed through to the running ingress (https_port)",
                "terminate TLS here (ingress_tls), set https_port to 0, or set ingress_real_ip_header to proxy_protocol",
            )


@dataclass(frozen=True)
class ServiceTags:
    """The service tags that are trusted, and what Azure answered of a region's."""

    names: Sequence[str]
    answer: Answer


SERVICE_TAGS = Chapter[ServiceTags]("entrances")


def prefixes_of_tags(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """The prefixes of each service tag, by its name in lower case, from Azure's list."""
    return {str(tag["name"]).lower(): list((tag.get("properties") or {}).get("addressPrefixes") or []) for tag in body.get("values") or []}


@SERVICE_TAGS.rule(
    "use a service tag from Azure's list (az network list-service-tags), or prefixes",
    "https://learn.microsoft.com/azure/virtual-network/service-tags-overview",
)
def ingress_service_tag(tags: ServiceTags) -> Iterator[Finding]:
    """A trusted service tag without prefixes, or that cannot be looked up."""
    known = prefixes_of_tags(tags.answer.body)
    for name in tags.names:
        if not tags.answer.exists:
            yield (
                "ingress_trusted_proxies",
                f"the service tag {name} cannot be looked up: the list {tags.answer.absence}",
                "grant the credentials access to the list",
            )
        elif not known.get(name.lower()):
            yield "ingress_trusted_proxies", f"no service tag {name} has prefixes"


@dataclass(frozen=True)
class Proxies:
    """What is declared of the proxies, each under the name of its role variable without ``ingress_``."""

    image: str
    metrics_image: str
    min_replicas: int
    max_replicas: int
    max_body_size: str
    max_header_size: str
    client_timeout: str
    requests_per_second: int
    request_burst: int
    connections_per_client: int
    metrics_sources: Sequence[str]
    metrics_namespaces: Sequence[str]
    cpu_request: str
    memory_request: str
    memory_limit: str


PROXIES = Chapter[Proxies]("entrances")


@PROXIES.rule("add @sha256 and the digest to it")
def ingress_image(proxies: Proxies) -> Iterator[Finding]:
    """An image that is not pinned by digest: a tag may point to another image on the next node."""
    loose = [image for image in (proxies.image, proxies.metrics_image) if image and not re.search(r"@sha256:[0-9a-f]{64}$", image)]
    if loose:
        yield "ingress_image, ingress_metrics_image", f"{', '.join(loose)} is not pinned by digest"


@PROXIES.rule("use at least two in each family, to survive the loss of a zone, and at most ingress_max_replicas")
def ingress_replicas(proxies: Proxies) -> Iterator[Finding]:
    """Too few proxies to survive the loss of a zone."""
    if not 2 <= proxies.min_replicas <= proxies.max_replicas:
        yield "ingress_min_replicas", f"{proxies.min_replicas} to {proxies.max_replicas} replicas"


@PROXIES.rule("write digits with k, m or g, for example 16m", _NGINX_SYNTAX)
def ingress_size(proxies: Proxies) -> Iterator[Finding]:
    """An invalid size for nginx."""
    for name, size in (("ingress_max_body_size", proxies.max_body_size), ("ingress_max_header_size", proxies.max_header_size)):
        if not re.fullmatch(r"[0-9]+[kKmMgG]?", size):
            yield name, f"{size!r} is not a valid nginx size"


@PROXIES.rule("write digits with ms, s or m, for example 10s", _NGINX_SYNTAX)
def ingress_client_timeout(proxies: Proxies) -> Iterator[Finding]:
    """An invalid time for nginx."""
    if not re.fullmatch(r"[1-9][0-9]*(ms|s|m)", proxies.client_timeout):
        yield "ingress_client_timeout", f"{proxies.client_timeout!r} is not a valid nginx time"


@PROXIES.rule("use 0 for no limit")
def ingress_limits(proxies: Proxies) -> Iterator[Finding]:
    """A negative limit."""
    for name in ("requests_per_second", "request_burst", "connections_per_client"):
        if getattr(proxies, name) < 0:
            yield f"ingress_{name}", f"{getattr(proxies, name)} is negative"


@PROXIES.rule("write CPU like 250m or 2, and memory like 256Mi", _RESOURCES)
def ingress_quantity(proxies: Proxies) -> Iterator[Finding]:
    """An invalid quantity for Kubernetes."""
    for name in ("cpu_request", "memory_request", "memory_limit"):
        if _quantity(getattr(proxies, name)) is None:
            yield f"ingress_{name}", f"{getattr(proxies, name)!r} is not a valid quantity"


def _quantity(text: str) -> float | None:
    """CPUs or bytes; None for what `ingress_quantity` reports."""
    try:
        return quantity(text)
    except ValueError:
        return None


@PROXIES.rule("raise ingress_memory_limit, or lower ingress_memory_request or ingress_cpu_request", _RESOURCES)
def ingress_memory(proxies: Proxies) -> Iterator[Finding]:
    """A memory limit below the request, or below the need of the proxy's workers: one per requested CPU, at least two."""
    limit, request = _quantity(proxies.memory_limit), _quantity(proxies.memory_request)
    if limit is None:
        return
    if request is not None and request > limit:
        yield "ingress_memory_request", f"{proxies.memory_request}, but the limit is {proxies.memory_limit}"
    if _quantity(proxies.cpu_request) is not None:
        workers = workers_of(proxies.cpu_request)
        needed = _PROXY_MEMORY + workers * _WORKER_MEMORY
        if needed > limit:
            yield "ingress_memory_limit", f"{proxies.memory_limit}, but {workers} workers need {needed // 2**20}Mi"


@PROXIES.rule("use addresses or prefixes, for example 10.0.0.0/8 or fd00::/8")
def ingress_metrics_sources(proxies: Proxies) -> Iterator[Finding]:
    """A source of metrics requests that is neither an address nor a prefix."""
    for source in proxies.metrics_sources:
        try:
            ipaddress.ip_network(source, strict=False)
        except ValueError:
            yield "ingress_metrics_sources", f"{source!r} is neither an address nor a prefix"


@PROXIES.rule("use lower-case letters, digits and hyphens")
def ingress_metrics_namespaces(proxies: Proxies) -> Iterator[Finding]:
    """A namespace for scraping metrics with an invalid name."""
    for namespace in proxies.metrics_namespaces:
        if not _NAME.fullmatch(namespace):
            yield "ingress_metrics_namespaces", f"{namespace!r} is not a valid Kubernetes name"


@dataclass(frozen=True)
class Upstreams:
    """What is declared of the entrances, and the Services in the namespaces that it names, as the API server returns them."""

    declaration: Declaration
    services: Sequence[Mapping[str, Any]]

    def needed(self) -> Iterator[tuple[str, str, list[tuple[str, str, int, str]]]]:
        """(namespace, Service, its uses: family, protocol, port and who names it) for each Service that requests go to."""
        mode = self.declaration["mode"]
        # A run that wants no entrance, as one that switches IPv6 off, needs no Service.
        families = self.declaration.get("families", families_of(mode, self.declaration["upstream"]))
        uses: dict[tuple[str, str], dict[tuple[str, str, int, str], None]] = {}
        for target in targets_of(self.declaration):
            for family in families:
                if mode == "split" and family == "IPv6" and not target.get("ipv6_service"):
                    continue
                use = (upstream_family(mode, family), target["target_protocol"], int(target["target_port"]), target["subject"])
                uses.setdefault((target["namespace"], service_of(target, mode, family)), {})[use] = None
        for (namespace, name), found in uses.items():
            yield namespace, name, list(found)

    def present(self) -> Iterator[tuple[str, Mapping[str, Any], list[tuple[str, str, int, str]]]]:
        """(subject, Service, its uses) for each of them that exists."""
        known = by_name(self.services)
        for namespace, name, uses in self.needed():
            if (namespace, name) in known:
                yield f"Service {namespace}/{name}", known[namespace, name], uses


UPSTREAMS = Chapter[Upstreams]("entrances")


@UPSTREAMS.rule("create it, or correct service and namespace; a proxy needs the address of its upstream when it starts", _SERVICES)
def service_missing(upstreams: Upstreams) -> Iterator[Finding]:
    """A Service that is a target of requests and does not exist."""
    known = by_name(upstreams.services)
    for namespace, name, uses in upstreams.needed():
        if (namespace, name) not in known:
            places = ", ".join(sorted({subject for *_rest, subject in uses}))
            yield f"Service {namespace}/{name}", f"it does not exist, but {places} sends requests to it"


@UPSTREAMS.rule("add the family to the Service, or use another ingress_mode", _DUAL_STACK)
def service_family(upstreams: Upstreams) -> Iterator[Finding]:
    """A Service without a cluster IP in the family that the mode needs."""
    mode = upstreams.declaration["mode"]
    for subject, service, uses in upstreams.present():
        for family in sorted({family for family, *_rest in uses} - addresses_of(service).keys()):
            yield _missing_family(subject, service, mode, family)


def _missing_family(subject: str, service: Mapping[str, Any], mode: str, family: str) -> Finding:
    spec, families = service["spec"], list(service["spec"].get("ipFamilies") or ())
    if not spec.get("clusterIP") or spec["clusterIP"] == "None" or not families:
        return (
            subject,
            "it is headless or external",
            "use a Service with a cluster IP: a proxy keeps the addresses that it resolved when it started",
        )
    found = f"it has {' and '.join(families)}, but ingress_mode {mode} needs {family}"
    # A single-stack Service always takes a second family: what it has keeps its address.
    change = service_family_change(spec.get("ipFamilyPolicy") or SINGLE, families, "PreferDualStack")
    if not change.added:
        return subject, found, "find out why it has no cluster IP in that family, or use another ingress_mode"
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    return (
        subject,
        found,
        f"add {' and '.join(change.added)} to it, which does not change {families[0]}: kubectl patch service {name} --namespace {namespace} "
        '--patch \'{"spec": {"ipFamilyPolicy": "PreferDualStack"}}\' (its pods must listen on it); or use another ingress_mode',
    )


@UPSTREAMS.rule("use one of its ports", _SERVICES)
def service_port(upstreams: Upstreams) -> Iterator[Finding]:
    """A port that the Service does not have."""
    for subject, service, uses in upstreams.present():
        offered = {(port.get("protocol", "TCP"), port["port"]) for port in service["spec"].get("ports") or ()}
        for protocol, number in sorted({(protocol, number) for _unused, protocol, number, _unused in uses} - offered):
            has = ", ".join(f"{protocol} {number}" for protocol, number in sorted(offered)) or "none"
            yield subject, f"it has no {protocol} port {number}, but {has}"


@dataclass(frozen=True)
class OwnServices:
    """The Services of the entrances' own names that exist, each with the family that its entrance is to have."""

    services: Sequence[tuple[Mapping[str, Any], str]]


OWN_SERVICES = Chapter[OwnServices]("entrances")


@OWN_SERVICES.rule("delete it if nothing uses it, and run again; or set ingress_namespace to another name", _DUAL_STACK)
def service_family_of_entrance(own: OwnServices) -> Iterator[Finding]:
    """A Service with an entrance's name that cannot get the entrance's family: Kubernetes never changes a Service's first family."""
    for service, family in own.services:
        spec, metadata = service["spec"], service["metadata"]
        if not spec.get("ipFamilies"):
            continue
        change = service_family_change(spec.get("ipFamilyPolicy") or SINGLE, spec["ipFamilies"], SINGLE, [family])
        if not change.legal:
            yield f"Service {metadata['namespace']}/{metadata['name']}", change.reason


@dataclass(frozen=True)
class Manifests:
    """The rendered Kubernetes objects, and the version of Kubernetes that they are for."""

    objects: Sequence[Mapping[str, Any]]
    version: str


MANIFESTS = Chapter[Manifests]("entrances")


@MANIFESTS.rule("correct the variable from which this value is rendered", "https://kubernetes.io/docs/reference/kubernetes-api/")
def manifest(manifests: Manifests) -> Iterator[Finding]:
    """An object that does not fit Kubernetes' schema. For a newer cluster, the newest known schema is used."""
    # It takes longer to import than everything else together, and only runs that get this far need it.
    import kubernetes_validate

    numbers = re.match(r"v?(\d+)\.(\d+)", manifests.version)
    if not numbers:
        yield "ingress_kubernetes_version", f"{manifests.version!r} is not a Kubernetes version such as 1.36", "use a version such as 1.36"
        return
    newest = kubernetes_validate.latest_version()
    known = tuple(int(part) for part in newest.split(".")[:2])
    checked = manifests.version if (int(numbers[1]), int(numbers[2])) <= known else newest
    for item in manifests.objects:
        subject = f"{item.get('kind')} {(item.get('metadata') or {}).get('name')}"
        try:
            kubernetes_validate.validate(dict(item), checked, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield subject, f"{'.'.join(map(str, error.path))}: {error.message}"
        except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
            yield subject, error.message
        except KeyError as error:
            yield subject, f"{error} is missing"


@dataclass(frozen=True)
class ClusterAccess:
    """A running cluster, and why the credentials may not read what is in it; empty where they may."""

    cluster_id: str
    denied: str


CLUSTER_ACCESS = Chapter[ClusterAccess]("entrances")


@CLUSTER_ACCESS.rule(
    "grant the credentials Azure Kubernetes Service Cluster User Role and Azure Kubernetes Service RBAC Reader on the cluster, or check without the "
    "entrances: --tags network,aks,registry,keyvault",
    "https://learn.microsoft.com/azure/aks/entra-id-authorization",
)
def cluster_access(access: ClusterAccess) -> Iterator[Finding]:
    """Check mode with credentials that may not read the objects in the running cluster: what would change there is unknown."""
    if access.denied:
        yield f"cluster {access.cluster_id.rpartition('/')[2]}", access.denied


@dataclass(frozen=True)
class FirstEntrances:
    """The families of the entrances, the cluster's outbound type, and whether its public load balancer has an IPv4 frontend already."""

    families: Sequence[str]
    outbound_type: str
    has_ipv4_frontend: bool


FIRST_ENTRANCES = Chapter[FirstEntrances]("entrances")


@FIRST_ENTRANCES.rule(
    "create an IPv4 entrance too (ingress_families [ipv4, ipv6], ingress_upstream services), or first give the running ingress a public IPv4 Service",
    "https://github.com/kubernetes-sigs/cloud-provider-azure/issues/1831",
)
def ipv6_entrance_alone(first: FirstEntrances) -> Iterator[Finding]:
    """Only an IPv6 entrance on a load balancer without outbound rules and without another IPv4 Service: Azure needs an IPv4 frontend on it."""
    if not first.has_ipv4_frontend and first.outbound_type != "loadBalancer" and set(first.families) == {"IPv6"}:
        yield "ingress_families", f"only an IPv6 entrance, but with {first.outbound_type} the load balancer has no IPv4 frontend"
