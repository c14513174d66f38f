"""What is refused of the entrances' declaration, and of the Services that it names, before a proxy is started with it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrances import (
    MODES,
    UnknownService,
    entrance_configuration,
    expects_proxy_protocol,
    trusted_prefixes,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Violation
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.entrances import CHAPTER, UPSTREAMS, Upstreams

ROUTE = {"service": "shop", "namespace": "apps", "port": 8080}
STREAM = {**ROUTE, "name": "mail", "port": 25, "service_port": 8080}
SPLIT, STREAM_OF_BOTH = {**ROUTE, "ipv6_service": "shop-ipv6"}, {**STREAM, "ipv6_service": "shop-ipv6"}
SERVICES = {"mode": "nat64", "upstream": "services"}
INGRESS = {"service": "running", "namespace": "apps"}
RUNNING = {"mode": "nat64", "upstream": "ingress", "upstream_ingress": INGRESS}
PROXIES = ["AzureFrontDoor.Backend", "203.0.113.0/24", "2001:db8:1::1"]
TLS = {"hosts": ["a.example.org"], "secret": "a"}
VAULT = {"key_vault_id": "/vaults/kv", "key_vault_client_id": "00000000-0000-4000-8000-000000000009"}

GOOD: list[dict[str, Any]] = [
    SERVICES,
    RUNNING,
    {**SERVICES, "routes": [ROUTE, {**ROUTE, "path": "/a"}, {**ROUTE, "path": "/a", "path_type": "exact"}, {**ROUTE, "host": "*.example.org"}]},
    {**SERVICES, "mode": "split", "routes": [{**ROUTE, "ipv6_service": "shop-ipv6"}]},
    {**SERVICES, "routes": [ROUTE], "tls": [TLS], "tls_redirect": True},
    {**SERVICES, **VAULT, "routes": [{**ROUTE, "host": "a.example.org"}], "tls": [{"hosts": ["*.example.org"], "key_vault_certificate": "kv"}]},
    {**SERVICES, "passthrough": [{**ROUTE, "host": "raw.example.org"}], "tls_redirect": True},
    {**SERVICES, "streams": [STREAM, {**STREAM, "name": "mail-udp", "protocol": "UDP"}, {**STREAM, "name": "quic", "port": 443, "protocol": "UDP"}]},
    {**RUNNING, "tls": [TLS], "streams": [STREAM]},
    *(
        {**SERVICES, "mode": mode, "trusted_proxies": PROXIES, "real_ip_header": header, "tls": [TLS], "routes": [SPLIT], "streams": [STREAM_OF_BOTH]}
        for mode in MODES
        for header in ("X-Forwarded-For", "X-Azure-ClientIP", "X-Azure-SocketIP", "proxy_protocol")
    ),
    {**SERVICES, "trusted_proxies": PROXIES, "real_ip_header": "proxy_protocol", "passthrough": [{**ROUTE, "host": "raw.example.org"}]},
    {**RUNNING, "trusted_proxies": PROXIES, "tls": [TLS]},
    {**RUNNING, "trusted_proxies": PROXIES, "upstream_ingress": {**INGRESS, "https_port": 0}},
    {**RUNNING, "trusted_proxies": PROXIES, "real_ip_header": "proxy_protocol"},
    {**RUNNING, "trusted_proxies": PROXIES, "real_ip_header": "proxy_protocol", "upstream_ingress": {**INGRESS, "proxy_protocol": True}},
]


def missing(declaration: dict[str, Any], services: list[dict[str, Any]]) -> list[Violation]:
    """What the entrances cannot use of these Services."""
    return UPSTREAMS.violations(Upstreams(declaration, services))


@pytest.mark.parametrize("declaration", GOOD)
def test_good(declaration: dict[str, Any]) -> None:
    assert CHAPTER.violations(declaration) == []


#: declaration -> the rules it breaks, and a part of what is said
BAD: list[tuple[dict[str, Any], list[str], str]] = [
    ({**SERVICES, "trusted_proxies": ["front door"]}, ["ingress_trusted_proxies"], "neither an address, a prefix nor a service tag"),
    ({**SERVICES, "trusted_proxies": ["203.0.113.0/33"]}, ["ingress_trusted_proxies"], "neither"),
    ({**SERVICES, "trusted_proxies": ["203.0.113.1", "::/0"]}, ["ingress_trusted_proxies"], "::/0 matches every client"),
    (
        {**SERVICES, "trusted_proxies": PROXIES, "passthrough": [{**ROUTE, "host": "raw.example.org"}]},
        ["ingress_real_ip_header"],
        "X-Forwarded-For cannot be read from TLS while ingress_tls_passthrough",
    ),
    ({**RUNNING, "trusted_proxies": PROXIES}, ["ingress_real_ip_header"], "https_port"),
    (
        {**RUNNING, "trusted_proxies": PROXIES, "upstream_ingress": {**INGRESS, "proxy_protocol": True}},
        ["ingress_real_ip_header"],
        "passed through to the running ingress",
    ),
    ({**SERVICES, "upstream_ingress": {"service": "running", "namespace": "apps"}}, ["ingress_unused"], "but ingress_upstream is services"),
    ({**RUNNING, "mode": "split"}, ["ingress_mode_upstream", "ingress_split", "ingress_split"], "LoadBalancer Service of the other family"),
    ({**RUNNING, "mode": "native"}, ["ingress_mode_upstream"], "does not translate between families"),
    ({**RUNNING, "upstream_ingress": {}}, ["ingress_upstream"], "set service and namespace"),
    ({**RUNNING, "routes": [ROUTE]}, ["ingress_upstream"], "empty ingress_routes"),
    ({**RUNNING, "passthrough": [{**ROUTE, "host": "raw.example.org"}]}, ["ingress_upstream"], "empty ingress_tls_passthrough"),
    ({**RUNNING, "tls": [TLS], "upstream_ingress": {"service": "r", "namespace": "n", "https_port": 443}}, ["ingress_upstream"], "https_port"),
    ({**SERVICES, "probe": {"path": "health"}}, ["ingress_probe"], "begin the path with /"),
    ({**SERVICES, "probe": {"path": "/a b"}}, ["ingress_probe"], "%20"),
    ({**SERVICES, "probe": {"ca_certificates": "/etc/ssl/ca.pem"}}, ["ingress_probe"], "as PEM"),
    ({**SERVICES, "probe": {"ca_certificates": "ä/ö"}}, ["ingress_probe"], "as PEM"),
    ({**SERVICES, "routes": [{**ROUTE, "host": "Shop.example.org"}]}, ["ingress_host"], "lower case"),
    ({**SERVICES, "routes": [{**ROUTE, "host": f"{'a' * 64}.example.org"}]}, ["ingress_host"], "not a valid host name"),
    ({**SERVICES, "routes": [{**ROUTE, "path": "shop"}]}, ["ingress_path"], "begin it with /"),
    ({**SERVICES, "routes": [{**ROUTE, "path": "/a/../b"}]}, ["ingress_path"], "decoded"),
    ({**SERVICES, "routes": [{**ROUTE, "path": "/a { }"}]}, ["ingress_path"], "decoded"),
    ({**SERVICES, "routes": [{**ROUTE, "path": "/a"}, {**ROUTE, "path": "/a/"}]}, ["ingress_overlap"], "paths below /a"),
    ({**SERVICES, "routes": [ROUTE, ROUTE]}, ["ingress_overlap"], "2 routes for any host"),
    ({**SERVICES, "routes": [{**ROUTE, "port": 0}]}, ["ingress_port"], "port 0"),
    ({**SERVICES, "routes": [{**ROUTE, "timeout": 0}]}, ["ingress_timeout_of_route"], "1 to 86400"),
    ({**SERVICES, "routes": [{**ROUTE, "service": "a;b"}]}, ["ingress_name"], "'a;b'"),
    ({**SERVICES, "mode": "split", "routes": [ROUTE]}, ["ingress_split"], "set ipv6_service"),
    ({**SERVICES, "routes": [ROUTE], "tls": [{"hosts": ["a.example.org"]}]}, ["ingress_certificate"], "no certificate"),
    (
        {**SERVICES, "routes": [ROUTE], "tls": [{**TLS, "key_vault_certificate": "a"}], **VAULT},
        ["ingress_certificate"],
        "set either secret or key_vault_certificate",
    ),
    ({**SERVICES, "routes": [ROUTE], "tls": [{**TLS, "secret": "../a"}]}, ["ingress_certificate"], "'../a'"),
    ({**SERVICES, "routes": [ROUTE], "tls": [{**TLS, "hosts": []}]}, ["ingress_certificate"], "the certificate has no hosts"),
    ({**SERVICES, "routes": [ROUTE], "tls": [TLS, TLS]}, ["ingress_certificate"], "two certificates"),
    ({**SERVICES, "routes": [{**ROUTE, "host": "b.example.org"}], "tls": [TLS]}, ["ingress_certificate"], "no route has the host a.example.org"),
    ({**SERVICES, "routes": [ROUTE], "tls": [{"hosts": ["a.example.org"], "key_vault_certificate": "a"}]}, ["ingress_key_vault"] * 2, "client id"),
    ({**SERVICES, "routes": [ROUTE], "tls_redirect": True}, ["ingress_redirect"], "no host has TLS"),
    (
        {**SERVICES, "routes": [ROUTE], "tls": [TLS], "passthrough": [{**ROUTE, "host": "a.example.org"}]},
        ["ingress_passthrough"],
        "also terminated here",
    ),
    ({**SERVICES, "passthrough": [{**ROUTE, "host": "a.example.org"}] * 2}, ["ingress_overlap"], "two Services"),
    (
        {**SERVICES, "routes": [{**ROUTE, "host": "a.b"}], "passthrough": [{**ROUTE, "host": "a.b"}], "tls_redirect": True},
        ["ingress_passthrough"],
        "redirected",
    ),
    ({**SERVICES, "streams": [{**STREAM, "port": 443}]}, ["ingress_stream_port"], "is used by HTTP and TLS"),
    ({**SERVICES, "streams": [STREAM, {**STREAM, "name": "post"}]}, ["ingress_stream_port"], "2 streams on TCP port 25"),
    ({**SERVICES, "streams": [STREAM, {**STREAM, "port": 26}]}, ["ingress_stream_name"], "have the name mail"),
    ({**SERVICES, "streams": [{**STREAM, "name": "health"}]}, ["ingress_stream_name"], "'health'"),
    ({**SERVICES, "streams": [{**STREAM, "name": "a-name-that-is-long"}]}, ["ingress_stream_name"], "1 to 15"),
    ({**SERVICES, "streams": [{**STREAM, "protocol": "UDP", "proxy_protocol": True}]}, ["ingress_stream_proxy_protocol"], "client's address is lost"),
    ({**SERVICES, "streams": [{**STREAM, "name": f"s{port}", "port": port} for port in range(1000, 1101)]}, ["ingress_streams"], "101 ports"),
]


@pytest.mark.parametrize(("declaration", "rules", "words"), BAD)
def test_bad(declaration: dict[str, Any], rules: list[str], words: str) -> None:
    found = CHAPTER.violations(declaration)
    assert [violation.rule for violation in found] == rules
    assert any(words in f"{violation.found}; {violation.remedy}" for violation in found)
    assert all(violation.remedy and violation.subject for violation in found)


def service(addresses: list[str], families: list[str], name: str = "shop", **port: Any) -> dict[str, Any]:
    spec = {"clusterIP": addresses[0] if addresses else None, "clusterIPs": addresses, "ipFamilies": families, "ipFamilyPolicy": "SingleStack"}
    return {"metadata": {"name": name, "namespace": "apps"}, "spec": spec | {"ports": [{"port": 8080} | port]}}


V4 = service(["10.0.0.20"], ["IPv4"])
V6 = service(["fd00:10::20"], ["IPv6"])
BOTH = service(["10.0.0.20", "fd00:10::20"], ["IPv4", "IPv6"])

#: (mode, families that are wanted, Services) -> the rules that are broken, and a part of what is said
LIVE: list[tuple[str, list[str], list[dict[str, Any]], list[str], str]] = [
    ("nat64", ["IPv4", "IPv6"], [V4], [], ""),
    ("nat64", ["IPv4", "IPv6"], [BOTH], [], ""),
    ("nat46", ["IPv4", "IPv6"], [V6], [], ""),
    ("native", ["IPv4", "IPv6"], [BOTH], [], ""),
    ("native", ["IPv4"], [V4], [], ""),
    ("split", ["IPv4", "IPv6"], [V4, service(["fd00:10::21"], ["IPv6"], "shop-ipv6")], [], ""),
    ("split", ["IPv4"], [V4], [], ""),
    ("nat64", [], [], [], ""),
    ("nat64", ["IPv4"], [], ["service_missing"], "ingress_routes[0] sends requests to it"),
    ("split", ["IPv4", "IPv6"], [V4], ["service_missing"], "apps/shop-ipv6"),
    ("nat64", ["IPv4"], [V6], ["service_family"], "kubectl patch service shop --namespace apps"),
    ("native", ["IPv4", "IPv6"], [V4], ["service_family"], "add IPv6 to it, which does not change IPv4"),
    ("nat46", ["IPv6"], [V4], ["service_family"], "nat46 needs IPv6"),
    ("nat64", ["IPv4"], [service(["None"], ["IPv4"])], ["service_family"], "headless"),
    ("nat64", ["IPv4"], [service([], [])], ["service_family"], "headless or external"),
    ("nat64", ["IPv4"], [service(["10.0.0.20"], ["IPv4"], port=80)], ["service_port"], "no TCP port 8080, but TCP 80"),
    ("nat64", ["IPv4"], [service(["10.0.0.20"], ["IPv4"], protocol="UDP")], ["service_port"], "but UDP 8080"),
    ("nat64", ["IPv4"], [service(["fd00::1"], ["IPv6"], port=80)], ["service_family", "service_port"], "IPv4"),
]


@pytest.mark.parametrize(("mode", "families", "services", "rules", "words"), LIVE)
def test_services(mode: str, families: list[str], services: list[dict[str, Any]], rules: list[str], words: str) -> None:
    route = {**ROUTE, "ipv6_service": "shop-ipv6"}
    declaration = {"mode": mode, "upstream": "services", "families": families, "routes": [route]}
    found = missing(declaration, services)
    assert [violation.rule for violation in found] == rules
    assert words in str(found)
    if not rules:
        assert all(entrance_configuration(declaration, family, services).upstreams for family in families)


#: the rules that a case of this file breaks
FAILING = {rule for _, rules, _ in BAD for rule in rules} | {rule for *_, rules, _ in LIVE for rule in rules}


def test_a_proxy_is_never_given_an_address_of_the_other_family() -> None:
    with pytest.raises(UnknownService, match="apps/shop has no IPv6 cluster IP"):
        entrance_configuration({"mode": "native", "upstream": "services", "routes": [ROUTE]}, "IPv6", [V4])


def test_every_service_that_is_named_is_asked_for() -> None:
    declaration = {
        **SERVICES,
        "routes": [ROUTE],
        "passthrough": [{**ROUTE, "host": "a.b", "service": "raw"}],
        "streams": [{**STREAM, "service": "mail"}],
    }
    assert [violation.subject for violation in missing(declaration, [])] == [
        "Service apps/shop",
        "Service apps/raw",
        "Service apps/mail",
    ]
    assert [violation.subject for violation in missing(RUNNING, [])] == ["Service apps/running"]


#: trusted proxies, service tags -> their prefixes, and the families whose clients have to speak the PROXY protocol
TRUSTED: list[tuple[list[str], dict[str, list[str]], list[str], list[str]]] = [
    ([], {}, [], []),
    (["203.0.113.7", "203.0.113.9/24", "203.0.113.0/24"], {}, ["203.0.113.7/32", "203.0.113.0/24"], ["IPv4"]),
    (["2001:DB8:1::/48"], {}, ["2001:db8:1::/48"], ["IPv6"]),
    (
        ["azurefrontdoor.backend"],
        {"AzureFrontDoor.Backend": ["203.0.113.0/24", "2001:db8::/32"]},
        ["203.0.113.0/24", "2001:db8::/32"],
        ["IPv4", "IPv6"],
    ),
    # Before Azure was asked.
    (["AzureFrontDoor.Backend", "203.0.113.7"], {}, ["203.0.113.7/32"], ["IPv4"]),
]


@pytest.mark.parametrize(("proxies", "tags", "prefixes", "families"), TRUSTED)
def test_trusted_proxies(proxies: list[str], tags: dict[str, list[str]], prefixes: list[str], families: list[str]) -> None:
    declaration = {"trusted_proxies": proxies, "service_tags": tags}
    assert trusted_prefixes(declaration) == prefixes
    for header, expected in (("X-Forwarded-For", []), ("proxy_protocol", families)):
        found = [family for family in ("IPv4", "IPv6") if expects_proxy_protocol({**declaration, "real_ip_header": header}, family)]
        assert found == expected
