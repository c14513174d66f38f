"""The role ingress as a run renders it: every mode in front of all it can stand in front of, with each feature."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Violation
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.entrances import MANIFESTS, PROXIES, Manifests, Proxies
from tests.rendering import Rendering

APPS = "apps"


def service(name: str, *addresses: str, port: int = 8080, protocol: str = "TCP") -> dict[str, Any]:
    families = [f"IPv{ipaddress.ip_address(address).version}" for address in addresses]
    policy = "SingleStack" if len(addresses) == 1 else "PreferDualStack"
    ports = [{"port": port, "protocol": protocol}]
    spec = {"clusterIP": addresses[0], "clusterIPs": list(addresses), "ipFamilies": families, "ipFamilyPolicy": policy, "ports": ports}
    return {"metadata": {"name": name, "namespace": APPS}, "spec": spec}


V4, V6 = "10.0.0.20", "fd00:10::20"
ROUTE = {"service": "shop", "namespace": APPS, "port": 8080}
SPLIT = {**ROUTE, "ipv6_service": "shop-ipv6"}
INGRESS = {"service": "running", "namespace": APPS}
ROUTED = {"upstream": "services", "routes": [SPLIT]}
RUNNING = {"upstream": "ingress", "upstream_ingress": INGRESS}


def rendering(*services: dict[str, Any], **variables: Any) -> Rendering:
    """The role with ``ingress_`` variables, in a cluster that has ``services``; without a cluster when there are none."""
    named = {f"ingress_{name}": value for name, value in variables.items()}
    known = {"ingress_access": {"services": list(services)}} if services else {}
    return Rendering(ingress_kubernetes_version="1.36", **named, **known)


def broken(found: Rendering) -> list[Violation]:
    """The rules of proxies that the rendered variables break."""
    return PROXIES.violations(Proxies(**{field.name: found[f"ingress_{field.name}"] for field in dataclasses.fields(Proxies)}))


def configurations(found: Rendering) -> dict[str, str]:
    """Entrance -> its nginx.conf."""
    return {
        item["metadata"]["labels"]["app.kubernetes.io/name"]: item["data"]["nginx.conf"]
        for item in found["__ingress_objects"]
        if item["kind"] == "ConfigMap"
    }


def objects(found: Rendering, kind: str) -> dict[str, Any]:
    return {item["metadata"]["name"]: item for item in found["__ingress_objects"] if item["kind"] == kind}


def upstreams(configuration: str) -> set[str]:
    return set(re.findall(r"server (\S+) max_fails=0;", configuration))


#: (mode, what is behind it, Services) -> entrance -> where it connects to
MODES: list[tuple[str, dict[str, Any], list[dict[str, Any]], dict[str, set[str]]]] = [
    ("nat64", ROUTED, [service("shop", V4)], {"entrance-ipv4": {f"{V4}:8080"}, "entrance-ipv6": {f"{V4}:8080"}}),
    ("nat46", ROUTED, [service("shop", V6)], {"entrance-ipv4": {f"[{V6}]:8080"}, "entrance-ipv6": {f"[{V6}]:8080"}}),
    ("split", ROUTED, [service("shop", V4), service("shop-ipv6", V6)], {"entrance-ipv4": {f"{V4}:8080"}, "entrance-ipv6": {f"[{V6}]:8080"}}),
    ("native", ROUTED, [service("shop", V4, V6)], {"entrance-ipv4": {f"{V4}:8080"}, "entrance-ipv6": {f"[{V6}]:8080"}}),
    ("native", ROUTED, [service("shop", V6, V4)], {"entrance-ipv4": {f"{V4}:8080"}, "entrance-ipv6": {f"[{V6}]:8080"}}),
    ("nat64", RUNNING, [service("running", V4)], {"entrance-ipv6": {f"{V4}:80", f"{V4}:443"}}),
    ("nat46", RUNNING, [service("running", V6)], {"entrance-ipv4": {f"[{V6}]:80", f"[{V6}]:443"}}),
]


@pytest.mark.parametrize(("mode", "behind", "services", "expected"), MODES)
def test_mode(mode: str, behind: dict[str, Any], services: list[dict[str, Any]], expected: dict[str, set[str]]) -> None:
    found = rendering(*services, mode=mode, **behind)
    assert {name: upstreams(text) for name, text in configurations(found).items()} == expected
    assert violations(found) == []
    for name, entrance in objects(found, "Service").items():
        assert entrance["spec"]["ipFamilies"] == [name.replace("entrance-ip", "IP")]


def test_the_ipv4_service_is_first_and_its_deployment_comes_after_ipv6() -> None:
    """Azure refuses an IPv6 frontend without an IPv4 one, and a run that was killed before the IPv4 Deployment is still a first build."""
    found = rendering(service("shop", V4), mode="nat64", **ROUTED)["__ingress_objects"]
    made = [(item["kind"], item["metadata"]["name"]) for item in found]
    services = [name for kind, name in made if kind == "Service"]
    assert services == ["entrance-ipv4", "entrance-ipv6"]
    last_of_ipv6 = max(number for number, (_, name) in enumerate(made) if "ipv6" in name)
    assert made.index(("Deployment", "entrance-ipv4")) > last_of_ipv6


def violations(found: Rendering) -> list[Any]:
    checks = broken(found)
    schema = MANIFESTS.violations(Manifests(found["__ingress_native_objects"], "1.36"))
    return [*checks, *schema]


@pytest.mark.parametrize("mode", ["nat64", "nat46", "split", "native"])
def test_without_a_cluster_names_stand_for_addresses(mode: str) -> None:
    found = rendering(mode=mode, routes=[SPLIT])
    names = {"entrance-ipv4": "shop", "entrance-ipv6": "shop-ipv6" if mode == "split" else "shop"}
    assert {name: upstreams(text) for name, text in configurations(found).items()} == {
        entrance: {f"{name}.apps.svc.cluster.local:8080"} for entrance, name in names.items()
    }


def test_an_entrance_that_is_not_wanted_is_not_rendered() -> None:
    assert list(configurations(rendering(routes=[ROUTE], ipv6="disabled"))) == ["entrance-ipv4"]
    assert list(configurations(rendering(mode="nat46", ipv6="disabled", **RUNNING))) == ["entrance-ipv4"]
    assert list(configurations(rendering(mode="nat64", ipv6="disabled", **RUNNING))) == []


def blocks(configuration: str, word: str = "server") -> list[str]:
    """The blocks of one kind, each up to the line that closes it."""
    return re.findall(rf"^  {word}[^\n]* \{{\n.*?^  \}}$", configuration, re.MULTILINE | re.DOTALL)


def test_paths_end_at_a_slash() -> None:
    routes = [{**ROUTE, "host": "a.example.org", "path": path} for path in ("/", "/shop", "/cart/")]
    routes += [{**ROUTE, "host": "a.example.org", "path": "/cart", "path_type": "exact"}]
    text = configurations(rendering(routes=routes))["entrance-ipv6"]
    (host,) = (block for block in blocks(text) if "a.example.org" in block)
    assert re.findall(r"location (.*?) \{", host) == ["/", "= /shop", "/shop/", "/cart/", "= /cart"]
    (default,) = (block for block in blocks(text) if "default_server" in block)
    assert "return 404" in default


def test_all_headers_are_set_in_one_place() -> None:
    text = configurations(rendering(routes=[ROUTE, {**ROUTE, "host": "grpc.example.org", "protocol": "grpc"}]))["entrance-ipv6"]
    inside = [block for block in blocks(text) if "_set_header" in block]
    assert inside == []
    for protocol in ("proxy", "grpc"):
        assert f"  {protocol}_set_header X-Forwarded-For $remote_addr;" in text
        assert f'  {protocol}_set_header X-Original-Url "";' in text


def test_grpc_has_connections_of_its_own_and_clients_may_speak_http2_without_tls() -> None:
    text = configurations(rendering(routes=[ROUTE, {**ROUTE, "host": "grpc.example.org", "protocol": "grpc", "timeout": 3600}]))["entrance-ipv4"]
    assert "grpc_pass grpc://grpc_apps_shop_8080;" in text and "grpc_read_timeout 3600s;" in text
    assert text.count("http2 on;") == 2
    assert "http2 on;" not in configurations(rendering(routes=[ROUTE]))["entrance-ipv4"]


TLS = {
    "routes": [{**ROUTE, "host": "a.example.org"}, {**ROUTE, "host": "b.example.org"}, {**ROUTE, "host": "c.example.org"}],
    "tls": [{"hosts": ["a.example.org"], "secret": "a-tls"}, {"hosts": ["b.example.org"], "key_vault_certificate": "b"}],
    "key_vault_id": "/subscriptions/x/resourceGroups/y/providers/Microsoft.KeyVault/vaults/kv",
    "key_vault_client_id": "00000000-0000-4000-8000-000000000009",
}


def test_tls() -> None:
    found = rendering(**TLS)
    assert violations(found) == []
    text = configurations(found)["entrance-ipv6"]
    assert "ssl_certificate $certificates/secrets/a-tls/tls.crt;" in text and "ssl_certificate_key $certificates/vault/b.pem;" in text
    assert "listen [::]:8443 default_server ssl;\n    ssl_reject_handshake on;" in text
    assert "proxy_protocol" not in text and "308" not in text
    assert [port["port"] for port in objects(found, "Service")["entrance-ipv6"]["spec"]["ports"]] == [80, 443]
    pod = objects(found, "Deployment")["entrance-ipv6"]["spec"]["template"]["spec"]
    assert {"name": "secret-0", "secret": {"secretName": "a-tls"}} in pod["volumes"]
    assert pod["volumes"][1]["csi"]["driver"] == "secrets-store.csi.k8s.io"


def test_redirect() -> None:
    text = configurations(rendering(**TLS, tls_redirect=True))["entrance-ipv6"]
    plain = {re.findall("server_name (.*?);", block)[0]: "308" in block for block in blocks(text) if ":8080" in block}
    assert plain == {"a.example.org": True, "b.example.org": True, "c.example.org": False, "_": False}


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ("workload", {"clientID": TLS["key_vault_client_id"]}),
        ("addon", {"useVMManagedIdentity": "true", "userAssignedIdentityID": TLS["key_vault_client_id"]}),
    ],
)
def test_certificates_from_key_vault(identity: str, expected: dict[str, str]) -> None:
    parameters = objects(rendering(**TLS, key_vault_identity=identity), "SecretProviderClass")["entrance"]["spec"]["parameters"]
    assert expected.items() <= parameters.items() and parameters["keyvaultName"] == "kv"
    listed = yaml.safe_load(parameters["objects"])["array"]
    assert [yaml.safe_load(item) for item in listed] == [{"objectName": "b", "objectType": "secret", "objectAlias": "b.pem"}]


@pytest.mark.parametrize(
    ("cloud", "expected"), [("AzureCloud", None), ("https://localhost:8443", None), ("AzureUSGovernment", "AzureUSGovernmentCloud")]
)
def test_the_secrets_provider_knows_the_cloud(cloud: str, expected: str | None) -> None:
    found = rendering(**TLS, key_vault_identity="workload", cloud=cloud)
    assert Rendering(dualstack_cloud=cloud)["ingress_cloud"] == cloud
    assert objects(found, "SecretProviderClass")["entrance"]["spec"]["parameters"].get("cloudName") == expected


def test_tls_passed_through_and_plain_ports() -> None:
    streams = [
        {"name": "names-udp", "port": 53, "protocol": "UDP", "service": "shop", "namespace": APPS, "service_port": 53},
        {"name": "names-tcp", "port": 53, "service": "shop", "namespace": APPS, "service_port": 53, "proxy_protocol": True},
    ]
    passthrough = [{**ROUTE, "host": "raw.example.org", "port": 8443}]
    found = rendering(**TLS, streams=streams, tls_passthrough=passthrough, tls_redirect=True)
    assert violations(found) == []
    text = configurations(found)["entrance-ipv6"]
    http, _, stream = text.partition("\nstream {")
    assert "raw.example.org passed_0;" in stream and "default opened_here;" in stream
    # TLS that is opened here has been looked at first, and arrives with the client's address.
    assert "listen [::1]:8444 ssl proxy_protocol;" in http and "set_real_ip_from ::1;" in http and ":8443" not in http
    assert [("udp" in block, "proxy_protocol on" in block) for block in blocks(stream)] == [(False, True), (True, False), (False, True)]
    ports = objects(found, "Service")["entrance-ipv4"]["spec"]["ports"]
    assert [(port["name"], port["port"], port["protocol"]) for port in ports] == [
        ("http", 80, "TCP"),
        ("https", 443, "TCP"),
        ("names-udp", 53, "UDP"),
        ("names-tcp", 53, "TCP"),
    ]
    for_everybody, _ = objects(found, "NetworkPolicy")["entrance-ipv4"]["spec"]["ingress"]
    assert [port["port"] for port in for_everybody["ports"]] == ["http", "https", "names-udp", "names-tcp"]


def test_a_running_ingress_that_expects_the_proxy_protocol() -> None:
    text = configurations(rendering(service("running", V4), upstream="ingress", upstream_ingress={**INGRESS, "proxy_protocol": True}))[
        "entrance-ipv6"
    ]
    http, _, stream = text.partition("\nstream {")
    assert ":8080" not in http
    assert [re.findall(r"listen (\S+);", block) for block in blocks(stream)] == [["[::]:8080"], ["[::]:8443"]]
    assert stream.count("proxy_protocol on;") == 2


def test_a_running_ingress_behind_tls_that_is_opened_here() -> None:
    found = rendering(service("running", V4), **RUNNING, tls=[{"hosts": ["a.example.org"], "secret": "a-tls"}])
    text = configurations(found)["entrance-ipv6"]
    assert upstreams(text) == {f"{V4}:80"} and "stream {" not in text
    assert "ssl_certificate $certificates/secrets/a-tls/tls.crt;" in text


FRONT = ["203.0.113.0/24", "2001:db8:1::/48"]


def test_nobody_is_trusted_unless_declared() -> None:
    for text in configurations(rendering(routes=[ROUTE])).values():
        assert "real_ip" not in text and "proxy_protocol" not in text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Azure-ClientIP", "X-Azure-SocketIP"])
@pytest.mark.parametrize(("mode", "behind", "services", "expected"), MODES)
def test_trusted_proxies(mode: str, behind: dict[str, Any], services: list[dict[str, Any]], expected: dict[str, set[str]], header: str) -> None:
    """In each mode, also what they say of clients of the other family."""
    for text in configurations(rendering(*services, mode=mode, **behind, trusted_proxies=FRONT, real_ip_header=header)).values():
        http, _, stream = text.partition("\nstream {")
        assert re.findall("set_real_ip_from (.*);", http) == FRONT
        assert f"real_ip_header {header};" in http and "real_ip_recursive on;" in http
        assert "real_ip" not in stream and "proxy_protocol" not in text


def test_trusted_proxies_by_service_tag() -> None:
    access = {"ingress_access": {"services": [service("shop", V4)], "service_tags": {"AzureFrontDoor.Backend": FRONT}}}
    found = Rendering(ingress_routes=[ROUTE], ingress_trusted_proxies=["AzureFrontDoor.Backend"], **access)
    for text in configurations(found).values():
        assert re.findall("set_real_ip_from (.*);", text) == FRONT


def test_the_proxy_protocol_of_trusted_proxies() -> None:
    """On every TCP listener of a family that they have, and on none of the other."""
    found = rendering(
        service("shop", V4),
        routes=[{**ROUTE, "host": "a.example.org"}],
        tls=[{"hosts": ["a.example.org"], "secret": "a"}],
        tls_passthrough=[{**ROUTE, "host": "raw.example.org"}],
        streams=[
            {**ROUTE, "name": "sql", "port": 5432, "service_port": 8080},
            {**ROUTE, "name": "dns", "port": 53, "protocol": "UDP", "service_port": 8080},
        ],
        trusted_proxies=FRONT[:1],
        real_ip_header="proxy_protocol",
    )
    texts = configurations(found)
    four, six = (
        [line for line in re.findall("listen (.*);", texts[name]) if ":8081" not in line and line != "8081"]
        for name in ("entrance-ipv4", "entrance-ipv6")
    )
    assert set(four) == {
        "0.0.0.0:8080 proxy_protocol",
        "0.0.0.0:8080 default_server proxy_protocol",
        "127.0.0.1:8444 ssl proxy_protocol",
        "127.0.0.1:8444 default_server ssl proxy_protocol",
        "0.0.0.0:8443 proxy_protocol",
        "0.0.0.0:10000 proxy_protocol",
        "0.0.0.0:10001 udp reuseport",
    }
    assert {line for line in six if line.startswith("[::]:")} == {
        "[::]:8080",
        "[::]:8080 default_server",
        "[::]:8443",
        "[::]:10000",
        "[::]:10001 udp reuseport",
    }
    http, _, stream = texts["entrance-ipv4"].partition("\nstream {")
    assert re.findall("set_real_ip_from (.*);", http) == [FRONT[0], "127.0.0.1"] and re.findall("set_real_ip_from (.*);", stream) == FRONT[:1]
    assert "set_real_ip_from" not in texts["entrance-ipv6"].partition("\nstream {")[2]
    assert all("real_ip_header proxy_protocol;" in text for text in texts.values())


def test_pods_that_are_gone_are_found() -> None:
    """A connection is tried twelve times within 3 s, and kept ones are asked for by TCP's own keepalive."""
    streams = [{"name": "mail", "port": 25, "service": "shop", "namespace": APPS, "service_port": 25}]
    found = rendering(service("shop", V4), routes=[ROUTE, {**ROUTE, "host": "grpc.example.org", "protocol": "grpc"}], streams=streams)
    text = configurations(found)["entrance-ipv6"]
    assert text.count(f"server {V4}:8080 max_fails=0;") == 24
    assert text.count("_connect_timeout 250ms;") == text.count("_socket_keepalive on;") == 3
    pod = objects(found, "Deployment")["entrance-ipv6"]["spec"]["template"]["spec"]
    assert [item["name"] for item in pod["securityContext"]["sysctls"]] == [f"net.ipv4.tcp_keepalive_{name}" for name in ("time", "intvl", "probes")]


def test_limits_can_be_left_out() -> None:
    streams = [{"name": "mail", "port": 25, "service": "shop", "namespace": APPS, "service_port": 25}]
    limited = configurations(rendering(routes=[ROUTE], streams=streams, requests_per_second=20))["entrance-ipv6"]
    assert "rate=20r/s" in limited and limited.count("limit_conn_zone $client_network") == 2
    free = configurations(rendering(routes=[ROUTE], streams=streams, connections_per_client=0))["entrance-ipv6"]
    assert "limit_req" not in free and "limit_conn" not in free


@pytest.mark.parametrize(("cpu_request", "workers"), [("250m", 2), ("2", 2), ("2.5", 3), ("4100m", 5), (8, 8)])
def test_workers_follow_the_requested_cpu_and_not_the_node(cpu_request: str | int, workers: int) -> None:
    texts = configurations(rendering(routes=[ROUTE], cpu_request=cpu_request)).values()
    assert [re.findall(r"^worker_processes (.*);$", text, re.MULTILINE) for text in texts] == [[str(workers)]] * 2


def test_metrics() -> None:
    image = f"registry.example.org/exporter@sha256:{'0' * 64}"
    found = rendering(routes=[ROUTE], metrics_image=image, metrics_sources=["192.0.2.0/24"])
    assert violations(found) == []
    containers = objects(found, "Deployment")["entrance-ipv6"]["spec"]["template"]["spec"]["containers"]
    assert [container["image"] for container in containers][1:] == [image]
    status = configurations(found)["entrance-ipv6"].partition("stub_status;")[2].partition("deny all;")[0]
    assert re.findall("allow (.*);", status) == ["127.0.0.1", "::1", "192.0.2.0/24"]


#: variables -> who may scrape what
SCRAPING: list[tuple[dict[str, Any], list[tuple[list[str], list[str]]]]] = [
    ({}, [(["kube-system", "monitoring"], ["health"])]),
    ({"metrics_image": f"exporter@sha256:{'0' * 64}"}, [(["kube-system", "monitoring"], ["health", "metrics"])]),
    ({"metrics_namespaces": ["observability"]}, [(["observability"], ["health"])]),
    ({"metrics_namespaces": []}, []),
]


@pytest.mark.parametrize(("variables", "expected"), SCRAPING)
def test_policies_mean_the_same_whether_or_not_prefixes_match_pods(variables: dict[str, Any], expected: list[tuple[list[str], list[str]]]) -> None:
    """Cilium matches neither pods nor nodes with an ipBlock, so there is none: everybody may use the entrance, chosen namespaces its metrics."""
    policies = objects(rendering(routes=[ROUTE], **variables), "NetworkPolicy")
    assert policies.keys() == {"entrance-ipv4", "entrance-ipv6"}
    for policy in policies.values():
        for_everybody, *scraping = policy["spec"]["ingress"]
        assert for_everybody == {"ports": [{"port": "http", "protocol": "TCP"}]}
        found = [
            (rule["from"][0]["namespaceSelector"]["matchExpressions"][0]["values"], [port["port"] for port in rule["ports"]]) for rule in scraping
        ]
        assert found == expected
        assert policy["spec"]["egress"] == [{"to": [{"namespaceSelector": {}}]}]


def test_a_change_of_configuration_has_a_name_of_its_own() -> None:
    one, other = (objects(rendering(routes=[ROUTE], max_body_size=size), "ConfigMap") for size in ("16m", "32m"))
    assert len({*one, *other}) == 4
    assert all(item["immutable"] for item in one.values())


def test_new_proxies_do_not_wait_for_the_zones_of_the_old_ones() -> None:
    spec = objects(rendering(routes=[ROUTE]), "Deployment")["entrance-ipv6"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert [spread["matchLabelKeys"] for spread in spec["template"]["spec"]["topologySpreadConstraints"]] == [["pod-template-hash"]] * 2


@pytest.mark.parametrize(
    ("variables", "rule"),
    [
        ({"max_body_size": "16 MB"}, "ingress_size"),
        ({"client_timeout": "soon"}, "ingress_client_timeout"),
        ({"requests_per_second": -1}, "ingress_limits"),
        ({"metrics_sources": ["all; allow 0.0.0.0/0"]}, "ingress_metrics_sources"),
        ({"metrics_namespaces": ["my_team"]}, "ingress_metrics_namespaces"),
        ({"metrics_image": "exporter:latest"}, "ingress_image"),
        ({"min_replicas": 1}, "ingress_replicas"),
        ({"cpu_request": "32"}, "ingress_memory"),
    ],
)
def test_values_that_nginx_would_not_take(variables: dict[str, Any], rule: str) -> None:
    assert [violation.rule for violation in broken(rendering(**variables))] == [rule]


CLIENT_NETWORKS = [
    (re.compile(expression[2:-1].replace("(?<", "(?P<")), value)
    for expression, value in re.findall(
        r"^    (\"~[^\n]*?\"|default) (\S+);$",
        configurations(rendering(routes=[ROUTE]))["entrance-ipv6"].partition("$client_network {\n")[2].partition("  }")[0],
        re.MULTILINE,
    )
    if expression != "default"
]


def client_network(address: str) -> str:
    """What nginx' map makes of an address: its expressions are Python's too."""
    for expression, value in CLIENT_NETWORKS:
        if match := expression.search(address):
            return re.sub(r"\$([a-z]+)", lambda name: match[name[1]], value)
    return address


#: zero groups are what makes the same network look different
GROUPS = st.one_of(st.just(0), st.integers(0, 0xFFFF))


@given(st.integers(0x2000, 0xFDFF), st.tuples(GROUPS, GROUPS, GROUPS), st.lists(GROUPS, min_size=4, max_size=4))
def test_limits_count_by_the_64(first: int, rest: tuple[int, int, int], host: list[int]) -> None:
    network = [first, *rest]
    address = ipaddress.IPv6Address(":".join(f"{group:x}" for group in [*network, *host]))
    assert client_network(str(address)) == ":".join(f"{group:x}" for group in network)


def test_limits_count_by_the_whole_of_an_ipv4_address() -> None:
    assert len(CLIENT_NETWORKS) == 5
    assert client_network("198.51.100.7") == "198.51.100.7"
