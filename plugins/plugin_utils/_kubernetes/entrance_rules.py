"""What must hold of the entrances' declaration, and of the Services that it names.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .entrances import (
    addresses_of,
    by_name,
    families_of,
    path_of,
    protocol_of,
    service_of,
    targets_of,
    upstream_family,
)
from .service_families import SINGLE, service_family_change

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_NAME = re.compile(_LABEL)
#: a port's name as Kubernetes takes it, and short enough for a probe's annotation
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
#: what nginx compares a path with is decoded, and these characters mean nothing else in its configuration
_PATH = re.compile(r"(/[A-Za-z0-9._~@:+,=-]*)+")
_CERTIFICATE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]{0,125}[A-Za-z0-9])?")
_SECRET = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_OWN_NAMES = ("http", "https", "health", "metrics")

_SERVICES = "https://kubernetes.io/docs/concepts/services-networking/service/"
_DUAL_STACK = "https://kubernetes.io/docs/concepts/services-networking/dual-stack/"
_PATHS = "https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types"
_LOAD_BALANCER = "https://learn.microsoft.com/azure/aks/load-balancer-standard"

Violation = dict[str, str]


def entrance_violations(declaration: Mapping[str, Any], services: Sequence[Mapping[str, Any]] | None) -> list[Violation]:
    """All broken rules at once. Without a cluster (``services`` is None) those that concern Services are left out."""
    found = [violation for rule in (_upstream, _routes, _tls, _passthrough, _ports) for violation in rule(declaration)]
    return found + ([] if services is None else list(_services(declaration, services)))


def _violation(rule: str, subject: str, found: str, remedy: str, reference: str = "") -> Violation:
    return {"rule": rule, "subject": subject, "found": found, "remedy": remedy, "reference": reference}


def _upstream(declaration: Mapping[str, Any]) -> Iterator[Violation]:
    mode, ingress = declaration["mode"], declaration.get("upstream_ingress") or {}
    if declaration["upstream"] == "services":
        if ingress:
            yield _violation(
                "ingress_unused",
                "ingress_upstream_ingress",
                "it is given, and nothing goes there",
                "set ingress_upstream to ingress, or leave it out",
            )
        return
    if not families_of(mode, "ingress"):
        yield _violation(
            "ingress_mode_upstream",
            "ingress_mode",
            f"{mode} keeps each family apart, and a running ingress in front of which nothing is translated needs no entrance of ours",
            "give the running ingress a LoadBalancer Service of the other family, or use nat64 (or nat46, if it runs on IPv6)",
            _DUAL_STACK,
        )
    if not ingress.get("service") or not ingress.get("namespace"):
        yield _violation("ingress_upstream", "ingress_upstream_ingress", "it names no Service", "give service and namespace of the ingress that runs")
    if declaration.get("routes"):
        yield _violation(
            "ingress_upstream",
            "ingress_routes",
            "there are routes, and all goes to the running ingress",
            "empty ingress_routes, and leave the routes to the running ingress; or set ingress_upstream to services",
        )
    if declaration.get("passthrough"):
        yield _violation(
            "ingress_upstream",
            "ingress_tls_passthrough",
            "the running ingress gets all TLS on one port",
            "empty ingress_tls_passthrough, and leave it to the running ingress",
        )
    if declaration.get("tls") and (ingress.get("https_port") or ingress.get("proxy_protocol")):
        yield _violation(
            "ingress_upstream",
            "ingress_tls",
            "TLS is opened here, and is passed to the running ingress unopened (https_port, proxy_protocol)",
            "leave out either ingress_tls, or https_port and proxy_protocol of ingress_upstream_ingress",
        )


def _routes(declaration: Mapping[str, Any]) -> Iterator[Violation]:
    routes = list(declaration.get("routes") or [])
    for index, route in enumerate(routes):
        subject = f"ingress_routes[{index}]"
        if route.get("host"):
            yield from _host(subject, route["host"])
        path = str(route.get("path") or "/")
        if not _PATH.fullmatch(path) or "//" in path or {".", ".."} & set(path.split("/")):
            yield _violation(
                "ingress_path",
                subject,
                f"the path {path!r} is none that a request can have once nginx has decoded it",
                "begin it with /, write it decoded, and use letters, digits and . _ ~ @ : + , = - alone",
                _PATHS,
            )
        timeout = route.get("timeout")
        if timeout is not None and not 1 <= int(timeout) <= 86400:
            yield _violation("ingress_timeout_of_route", subject, f"a timeout of {timeout} s", "give 1 to 86400 s; leave it out for 60 s")
    for subject, target in ((target["subject"], target) for target in targets_of(declaration)):
        if declaration["mode"] == "split" and not target.get("ipv6_service"):
            yield _violation(
                "ingress_split",
                subject,
                "the mode split has a Service for each family, and there is no ipv6_service",
                "give ipv6_service, or use another ingress_mode",
                _DUAL_STACK,
            )
        for key in ("service", "ipv6_service", "namespace"):
            if target.get(key) and not _NAME.fullmatch(str(target[key])):
                yield _violation("ingress_name", subject, f"{key} {target[key]!r} is no name in Kubernetes", "correct it", _SERVICES)
        yield from _port(subject, target["target_port"])
    same = Counter((str(route.get("host") or ""), path_of(route), route.get("path_type") or "prefix") for route in routes)
    for (host, path, kind), times in same.items():
        if times > 1:
            yield _violation(
                "ingress_overlap",
                "ingress_routes",
                f"{times} routes for {host or 'any host'} and the {'path' if kind == 'exact' else 'paths below'} {path}",
                "leave one of them",
                _PATHS,
            )


def _tls(declaration: Mapping[str, Any]) -> Iterator[Violation]:
    entries = list(declaration.get("tls") or [])
    routed = {str(route.get("host") or "") for route in declaration.get("routes") or []} | ({""} if declaration["upstream"] == "ingress" else set())
    for index, entry in enumerate(entries):
        subject = f"ingress_tls[{index}]"
        secret, certificate = entry.get("secret"), entry.get("key_vault_certificate")
        if bool(secret) == bool(certificate):
            yield _violation(
                "ingress_certificate",
                subject,
                "it has both a Secret and a certificate in Key Vault" if secret else "its hosts have no certificate",
                "give secret or key_vault_certificate, one of them",
            )
        if (secret and not _SECRET.fullmatch(secret)) or (certificate and not _CERTIFICATE.fullmatch(certificate)):
            yield _violation("ingress_certificate", subject, f"{secret or certificate!r} is no name of a Secret or a certificate", "correct it")
        if not entry["hosts"]:
            yield _violation("ingress_certificate", subject, "a certificate of no host", "give its hosts")
        for host in entry["hosts"]:
            yield from _host(subject, host)
            covered = "" in routed or host in routed or (host.startswith("*.") and any(name.partition(".")[2] == host[2:] for name in routed))
            if not covered:
                yield _violation("ingress_certificate", subject, f"no route has the host {host}", "add a route for it, or leave the host out")
    if any(entry.get("key_vault_certificate") for entry in entries):
        for key, variable in (("key_vault_id", "ingress_key_vault_id"), ("key_vault_client_id", "ingress_key_vault_client_id")):
            if not declaration.get(key):
                yield _violation(
                    "ingress_key_vault",
                    variable,
                    "certificates come from Key Vault, and it is empty",
                    "give the vault's id, and the client id of the identity that may read its secrets",
                    "https://learn.microsoft.com/azure/aks/csi-secrets-store-identity-access",
                )
    if declaration.get("tls_redirect") and not entries and not declaration.get("passthrough"):
        yield _violation("ingress_redirect", "ingress_tls_redirect", "there is no TLS to go to", "add ingress_tls or ingress_tls_passthrough")
    twice = [host for host, times in Counter(host for entry in entries for host in entry["hosts"]).items() if times > 1]
    for host in twice:
        yield _violation("ingress_certificate", "ingress_tls", f"{host} has two certificates", "leave one of them")


def _passthrough(declaration: Mapping[str, Any]) -> Iterator[Violation]:
    entries = list(declaration.get("passthrough") or [])
    opened = {host for entry in declaration.get("tls") or [] for host in entry["hosts"]}
    routed = {str(route.get("host") or "") for route in declaration.get("routes") or []}
    for index, entry in enumerate(entries):
        subject = f"ingress_tls_passthrough[{index}]"
        yield from _host(subject, entry["host"])
        if entry["host"] in opened:
            yield _violation("ingress_passthrough", subject, f"the TLS of {entry['host']} is opened here too", "leave it in ingress_tls, or here")
        if entry["host"] in routed and declaration.get("tls_redirect"):
            yield _violation(
                "ingress_passthrough",
                subject,
                f"{entry['host']} has routes, and its HTTP is redirected to TLS that is passed through",
                "take its routes out of ingress_routes, or set ingress_tls_redirect to false",
            )
    for host, times in Counter(entry["host"] for entry in entries).items():
        if times > 1:
            yield _violation("ingress_overlap", "ingress_tls_passthrough", f"{host} is passed to two Services", "leave one of them")


def _ports(declaration: Mapping[str, Any]) -> Iterator[Violation]:
    streams = list(declaration.get("streams") or [])
    for index, stream in enumerate(streams):
        subject = f"ingress_streams[{index}]"
        yield from _port(subject, stream["port"])
        if not _PORT_NAME.fullmatch(stream["name"]) or stream["name"] in _OWN_NAMES:
            yield _violation(
                "ingress_stream_name",
                subject,
                f"{stream['name']!r} cannot name a port",
                f"use 1 to 15 lower-case letters, digits and single hyphens, and none of {', '.join(_OWN_NAMES)}",
                _SERVICES,
            )
        if protocol_of(stream) == "TCP" and stream["port"] in (80, 443):
            yield _violation(
                "ingress_stream_port",
                subject,
                f"port {stream['port']} belongs to HTTP and TLS",
                "use ingress_routes or ingress_tls_passthrough for it, or another port",
            )
        if protocol_of(stream) == "UDP" and stream.get("proxy_protocol"):
            yield _violation(
                "ingress_stream_proxy_protocol",
                subject,
                "nginx writes the PROXY line into the datagram itself",
                "leave proxy_protocol out: over UDP the client's address is lost",
                "https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_protocol",
            )
    for (port, protocol), times in Counter((stream["port"], protocol_of(stream)) for stream in streams).items():
        if times > 1:
            yield _violation("ingress_stream_port", "ingress_streams", f"{times} streams on {protocol} port {port}", "give each a port of its own")
    for name, times in Counter(stream["name"] for stream in streams).items():
        if times > 1:
            yield _violation("ingress_stream_name", "ingress_streams", f"{times} streams are called {name}", "give each a name of its own", _SERVICES)
    # Two rules are HTTP's and TLS'; Azure's cloud controller makes no more than 250 on one load balancer.
    if len(streams) > 100:
        yield _violation("ingress_streams", "ingress_streams", f"{len(streams)} ports in each family", "declare 100 at most", _LOAD_BALANCER)


def _services(declaration: Mapping[str, Any], services: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    known = by_name(services)
    mode = declaration["mode"]
    # A run that wants no entrance, as one that takes IPv6 away, needs no Service.
    families = declaration.get("families", families_of(mode, declaration["upstream"]))
    needed: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for target in targets_of(declaration):
        for family in families:
            if mode == "split" and family == "IPv6" and not target.get("ipv6_service"):
                continue
            asked = (target["namespace"], service_of(target, mode, family))
            needed.setdefault(asked, {})[f"{upstream_family(mode, family)} {target['target_protocol']} {target['target_port']}"] = target
    for (namespace, name), uses in needed.items():
        subject = f"Service {namespace}/{name}"
        service = known.get((namespace, name))
        if service is None:
            places = ", ".join(sorted({use["subject"] for use in uses.values()}))
            yield _violation(
                "service_missing",
                subject,
                f"it does not exist, and {places} sends requests to it",
                "create it, or correct service and namespace; a proxy must know its upstream's address when it starts",
                _SERVICES,
            )
            continue
        spec, addresses = service["spec"], addresses_of(service)
        for family in sorted({use.split()[0] for use in uses}):
            if family not in addresses:
                yield _missing_family(subject, spec, namespace, name, mode, family)
        offered = {(port.get("protocol", "TCP"), port["port"]) for port in spec.get("ports") or ()}
        for protocol, number in sorted({(use.split()[1], int(use.split()[2])) for use in uses}):
            if (protocol, number) not in offered:
                has = ", ".join(f"{protocol} {number}" for protocol, number in sorted(offered)) or "none"
                yield _violation("service_port", subject, f"it has no {protocol} port {number}, but {has}", "give one of its ports", _SERVICES)


def _missing_family(subject: str, spec: Mapping[str, Any], namespace: str, name: str, mode: str, family: str) -> Violation:
    families = list(spec.get("ipFamilies") or ())
    if not spec.get("clusterIP") or spec["clusterIP"] == "None" or not families:
        found, remedy = "it is headless or external", "name a Service with a cluster IP: a proxy keeps to the addresses that it knew when it started"
    else:
        # A single-stack Service always takes a second family: what is there keeps its address.
        change = service_family_change(spec.get("ipFamilyPolicy") or SINGLE, families, "PreferDualStack")
        found = f"it has {' and '.join(families)}, and ingress_mode {mode} needs {family}"
        remedy = (
            f"add {' and '.join(change.added)} to it, which leaves {families[0]} as it is: kubectl patch service {name} --namespace {namespace} "
            '--patch \'{"spec": {"ipFamilyPolicy": "PreferDualStack"}}\' (its pods must listen on it); or use another ingress_mode'
            if change.added
            else "see why it has no cluster IP in that family; or use another ingress_mode"
        )
    return _violation("service_family", subject, found, remedy, _DUAL_STACK)


def _host(subject: str, host: str) -> Iterator[Violation]:
    if len(host) > 253 or not _HOST.fullmatch(host):
        yield _violation(
            "ingress_host",
            subject,
            f"{host!r} is no host name",
            "write it in lower case, without port and scheme; *.example.org stands for every name below it",
            "https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards",
        )


def _port(subject: str, port: int) -> Iterator[Violation]:
    if not 1 <= int(port) <= 65535:
        yield _violation("ingress_port", subject, f"port {port}", "give a port from 1 to 65535")
