"""What clients get, and what applications see, in each mode and through each protocol: with real packets, each family asked apart."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.certificates import CertificateAuthority
from lab.packets import clients
from lab.supplies import images
from tests.clients import APPLICATIONS, IPV4_CLIENT, IPV6_CLIENT, NEIGHBOUR, Answered, address, call, claiming, logged, seen, settled
from tests.harness import THREE_NODES, Lab, Run, is_ready, until

#: The client dual-stack plays Front Door, and these are its clients.
FRONT_DOOR = {"ingress_trusted_proxies": ["AzureFrontDoor.Backend"]}
CUSTOMER, CUSTOMER_IPV6 = "198.51.100.7", "2001:db8:9::7"
#: A load balancer that has no IPv4 frontend until an entrance brings one.
PLATFORM: dict[str, Any] = {"network_egress": "nat_gateway", **THREE_NODES}
WEB = {"path": "/", "service": "web", "namespace": "apps", "port": 8080}
STREAMS = [
    {"name": "plain", "port": 7000, "service": "web", "namespace": "apps", "service_port": 9000},
    {"name": "proxied", "port": 7001, "service": "web", "namespace": "apps", "service_port": 9100, "proxy_protocol": True},
    {"name": "datagrams", "port": 7002, "service": "web", "namespace": "apps", "service_port": 9001, "protocol": "UDP"},
]
RUNNING = {"service": "running-ingress", "namespace": "apps", "port": 80, "https_port": 0}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A cluster with the applications, and no entrance yet."""
    with Lab(packets=True) as made:
        # The nodes' security group lets in what an entrance listens on, and no rule of the inventory's names these ports.
        made.set(ingress_streams=STREAMS, **PLATFORM)
        made.build("--tags", "network,aks,keyvault,dns")
        made.apply(APPLICATIONS.read_text())
        for deployment in ("web", "both", "running-ingress"):
            made.rollout("apps", deployment)
        yield made
        # Azure refuses an IPv6 frontend before there is an IPv4 one: nobody asked for it.
        assert [entry["path"] for entry in made.entries() if entry.get("rule") == "load-balancer-ipv4-frontend"] == []


def site(lab: Lab, **variables: Any) -> None:
    """Bring the entrances to what these variables say; the rest of the platform stays as it is."""
    lab.set(ingress_drain_seconds=15, **PLATFORM, **variables)
    run = lab.playbook("site", "--tags", "ingress")
    assert run.code == 0, run.output
    settled(lab)


def certificate(folder: Path, host: str) -> tuple[Path, str, str]:
    """A new authority's certificate, and the certificate and key that it has issued for a host."""
    authority = CertificateAuthority(folder, "test")
    issued, key = authority.issue("host", host, hosts=(host,))
    return authority.certificate_path, issued.read_text(), key.read_text()


class Vault:
    """The stamp's vault, with a certificate in it that an identity of the entrances' service account may read."""

    host, name, service_account = "vault.example.org", "vault-example-org", "system:serviceaccount:dualstack-ingress:entrance"

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        (self.id,) = (found["id"] for found in lab.get(f"{lab.group()}/providers/Microsoft.KeyVault/vaults", "2026-02-01")["value"])
        self._identity = f"{lab.group()}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-entrance"
        facts = lab.put(self._identity, "2024-11-30", {"location": "westeurope"})["properties"]
        self.client_id, self._principal = facts["clientId"], facts["principalId"]
        issuer = lab.get(lab.cluster_id, "2026-05-01")["properties"]["oidcIssuerProfile"]["issuerURL"]
        trusted = {"issuer": issuer, "subject": self.service_account, "audiences": ["api://AzureADTokenExchange"]}
        lab.put(f"{self._identity}/federatedIdentityCredentials/entrance", "2024-11-30", {"properties": trusted})

    def let_read(self) -> None:
        """Key Vault Secrets User, on the vault."""
        self._lab.assign_role(self.id, "4633458b-17de-408a-b874-0445c86b69e6", self._principal)

    def renew(self, folder: Path) -> Path:
        """Store a new certificate: that of the authority which issued it."""
        authority, issued, key = certificate(folder, self.host)
        properties = {"value": issued + key, "contentType": "application/x-pem-file"}
        self._lab.put(f"{self.id}/secrets/{self.name}", "2026-02-01", {"properties": properties})
        return authority

    def trusted(self, client: str, family: str, authority: Path) -> Run:
        """What curl gets who trusts this authority alone."""
        at = address(self._lab, family)
        return self._lab.curl(client, f"https://{self.host}/", "--resolve", f"{self.host}:443:{at}", "--cacert", str(authority))

    @property
    def variables(self) -> dict[str, Any]:
        tls = [{"hosts": [self.host], "key_vault_certificate": self.name}]
        return {"ingress_tls": tls, "ingress_key_vault_id": self.id, "ingress_key_vault_client_id": self.client_id}


@pytest.fixture(scope="module")
def vault(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """With a first certificate, and beside entrances that do without it."""
    site(lab, ingress_mode="nat64", ingress_routes=[WEB])
    made = Vault(lab)
    made.renew(tmp_path_factory.mktemp("vault"))
    return made


def test_a_vault_that_may_not_be_read_is_named(lab: Lab, vault: Vault) -> None:
    """The proxies cannot start; the run ends with what the vault said, and the old ones go on."""
    lab.set(ingress_mode="nat64", ingress_routes=[WEB], **PLATFORM, **vault.variables)
    run = lab.playbook("site", "--tags", "ingress", "-e", "ingress_timeout=30")
    assert run.code == 2, run.output
    assert "403 Forbidden: Caller is not authorized to perform action" in " ".join(run.output.split()), run.output
    assert seen(lab, "ipv6-only", "ipv6")["family"] == "IPv4"


@pytest.fixture(scope="module")
def features(lab: Lab, vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """One configuration with every protocol."""
    _, issued, key = certificate(tmp_path_factory.mktemp("tls"), "shop.example.org")
    data = {name: base64.b64encode(text.encode()).decode() for name, text in (("tls.crt", issued), ("tls.key", key))}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "shop-tls", "namespace": "dualstack-ingress"},
        "data": data,
    }
    lab.apply(yaml.safe_dump(secret))
    vault.let_read()
    upstream = {"service": "web", "namespace": "apps"}
    site(
        lab,
        ingress_mode="nat64",
        ingress_routes=[
            WEB,
            WEB | {"host": "shop.example.org"},
            WEB | {"host": "shop.example.org", "path": "/lab.Application", "port": 8081, "protocol": "grpc"},
        ],
        **vault.variables | {"ingress_tls": [{"hosts": ["shop.example.org"], "secret": "shop-tls"}, *vault.variables["ingress_tls"]]},
        ingress_tls_passthrough=[upstream | {"host": "sealed.example.org", "port": 8543}],
        ingress_streams=STREAMS,
        # Nobody's authorities have issued these certificates.
        ingress_probe_validate_certs=False,
    )
    return lab


FAMILIES = {"ipv4": ("ipv4-only", IPV4_CLIENT), "ipv6": ("ipv6-only", IPV6_CLIENT)}
FAMILY_CLIENTS = [(client, family) for family, (client, _) in FAMILIES.items()]
SECURE = ("--insecure", "--host", "shop.example.org")


@pytest.mark.parametrize("family", FAMILIES)
def test_websocket(features: Lab, family: str) -> None:
    client, source = FAMILIES[family]
    answer = call(features, client, "websocket", f"ws://{address(features, family)}/websocket")
    assert answer["echo"] == "hello" and answer["body"]["headers"]["x-forwarded-for"] == [source], answer


@pytest.mark.parametrize("family", FAMILIES)
def test_tls_terminated_with_http2(features: Lab, family: str) -> None:
    client, source = FAMILIES[family]
    answer = call(features, client, "http", f"https://{address(features, family)}/", "--http2", *SECURE)
    assert (answer["status"], answer["protocol"]) == (200, "HTTP/2.0"), answer
    assert answer["body"]["headers"]["x-forwarded-for"] == [source] and answer["body"]["headers"]["x-forwarded-proto"] == ["https"]


def test_tls_with_a_certificate_of_key_vault(features: Lab, vault: Vault, tmp_path: Path) -> None:
    """Whoever trusts its authority gets an answer in each family; a renewed one is taken up by the proxies as they are."""
    before = proxies(features)
    authority = vault.renew(tmp_path)
    # Each proxy's kubelet asks for its volume again about once a minute; connections are spread over all of them.
    until(lambda: {answer for _ in range(12) for answer in answers(vault, authority).values()} == {"0 200"})
    assert before.items() <= proxies(features).items()


def answers(vault: Vault, authority: Path) -> dict[str, str]:
    """Family -> curl's exit code and the HTTP status."""
    found = {family: vault.trusted(client, family, authority) for client, family in FAMILY_CLIENTS}
    return {family: f"{run.code} {run.output.partition(' ')[0]}" for family, run in found.items()}


def proxies(lab: Lab) -> dict[str, int]:
    """Pod -> how often its proxy was started again; those that end do not count."""
    pods = filter(is_ready, lab.kubectl("-n", "dualstack-ingress", "get", "pods")["items"])
    return {pod["metadata"]["name"]: sum(container["restartCount"] for container in pod["status"]["containerStatuses"]) for pod in pods}


@pytest.mark.parametrize("kind", ["grpc", "grpc-echo"])
@pytest.mark.parametrize("family", FAMILIES)
def test_grpc(features: Lab, family: str, kind: str) -> None:
    client, source = FAMILIES[family]
    answer = call(features, client, kind, f"{address(features, family)}:443", "--tls", *SECURE)
    assert not answer.get("error"), answer
    if kind == "grpc":
        assert answer["body"]["headers"]["x-forwarded-for"] == [source], answer
    else:
        assert answer["echo"] == "hello", answer


@pytest.mark.parametrize("family", FAMILIES)
def test_tls_passed_through(features: Lab, family: str) -> None:
    """The application's own certificate, and the client's address by the PROXY protocol."""
    client, source = FAMILIES[family]
    answer = call(features, client, "http", f"https://{address(features, family)}/", "--insecure", "--host", "sealed.example.org")
    assert answer["status"] == 200, answer
    assert answer["body"]["client"].rpartition(":")[0].strip("[]") == source, answer


@pytest.mark.parametrize("family", FAMILIES)
def test_tcp(features: Lab, family: str) -> None:
    client, source = FAMILIES[family]
    plain = call(features, client, "tcp", f"{address(features, family)}:7000")
    assert plain["echo"] == "hello" and plain["body"]["family"] == "IPv4", plain
    proxied = call(features, client, "tcp", f"{address(features, family)}:7001")
    assert proxied["body"]["client"].rpartition(":")[0].strip("[]") == source, proxied


@pytest.mark.parametrize("family", FAMILIES)
def test_udp(features: Lab, family: str) -> None:
    """Datagrams pass; whose they are is lost, as the documentation says."""
    client, source = FAMILIES[family]
    answer = call(features, client, "udp", f"{address(features, family)}:7002")
    assert "hello" in json.dumps(answer["body"]), answer
    assert source not in json.dumps(answer["body"]), answer


def record(lab: Lab, kind: str) -> dict[str, Any]:
    """The stamp's record set in the public zone; empty without."""
    return lab.get(f"{lab.group('shared')}/providers/Microsoft.Network/dnsZones/aks.example.org/{kind}/www.westeurope", "2018-05-01")


@contextlib.contextmanager
def closed(lab: Lab, port: int) -> Iterator[None]:
    """While it lasts, somebody else's rule denies IPv6 clients a port."""
    path = f"{lab.group()}/providers/Microsoft.Network/networkSecurityGroups/nsg-example-westeurope-nodes"
    before = lab.get(path)
    denied = {"access": "Deny", "direction": "Inbound", "priority": 150, "protocol": "Tcp", "destinationPortRange": str(port)}
    anywhere = {"sourceAddressPrefix": "2000::/3", "sourcePortRange": "*", "destinationAddressPrefix": "*"}
    rules = [*before["properties"]["securityRules"], {"name": "theirs", "properties": denied | anywhere}]
    lab.put(path, "2025-05-01", before | {"properties": before["properties"] | {"securityRules": rules}})
    try:
        yield
    finally:
        lab.put(path, "2025-05-01", before)


def test_a_family_is_published_when_all_that_it_listens_on_answers(features: Lab) -> None:
    """HTTP answers in each case. The client's own TLS and TCP are what decides, and whoever is silent is named."""
    features.change(ingress_probe_validate_certs=True)
    run = features.playbook("site", "--tags", "ingress,dns", "-e", "ingress_timeout=10")
    assert run.code == 2, run.output
    printed = " ".join(run.output.split())
    for family in FAMILIES:
        found = address(features, family).strip("[]")
        assert f"{family} {found} tls 443 shop.example.org: certificate: unable to get local issuer certificate" in printed, run.output
    assert (record(features, "A"), record(features, "AAAA")) == ({}, {})

    features.change(ingress_probe_validate_certs=False)
    with closed(features, 7000):
        run = features.playbook("site", "--tags", "ingress,dns", "-e", "ingress_timeout=10")
        told = features.playbook("verify", "-e", "verify_timeout=7")
    assert run.code == 2, run.output
    printed = " ".join(run.output.split())
    assert f"ipv6 {address(features, 'ipv6').strip('[]')} tcp 7000: timed out" in printed, run.output
    assert "ipv4 203" not in printed.partition("did not answer on all")[2].partition("Its record")[0], run.output
    assert seen(features, "ipv6-only", "ipv6")["family"] == "IPv4"
    assert record(features, "A") and not record(features, "AAAA")
    assert told.code == 2 and "tcp 7000: timed out" in " ".join(told.output.split()), told.output


def raw(lab: Lab, client: str, family: str, payload: bytes) -> bytes:
    """What comes back for these bytes on one connection, until it is closed or nothing more comes."""
    program = (
        "import socket, sys\n"
        f"connection = socket.create_connection(({address(lab, family).strip('[]')!r}, 80), timeout=20)\n"
        f"connection.sendall({payload!r})\n"
        "received = b''\n"
        "try:\n"
        "    while data := connection.recv(65536):\n"
        "        received += data\n"
        "except (TimeoutError, ConnectionResetError):\n"
        "    pass\n"
        "print('received', received.hex())\n"
    )
    run = lab.run(str(clients.interpreter(lab.state.clients, client)), "-c", program)
    assert run.code == 0, run.output
    return bytes.fromhex(run.output.rpartition("received")[2].strip())


SPOOFED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-URL", "X-Client-IP")


@pytest.mark.parametrize("family", FAMILIES)
def test_spoofed_headers_are_dropped(features: Lab, family: str) -> None:
    client, source = FAMILIES[family]
    flags = [word for name in SPOOFED for word in ("--header", f"{name}=6.6.6.6")]
    answer = call(features, client, "http", f"http://{address(features, family)}/", *flags)
    assert "6.6.6.6" not in json.dumps(answer["body"]["headers"]), answer
    shown = f'"[{source}]"' if family == "ipv6" else source
    assert answer["body"]["headers"]["forwarded"][0].startswith(f"for={shown};"), answer


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
ATTACKS = {
    "CL.TE": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "TE.CL": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + SMUGGLED + b"\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "obsolete line folding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "an oversized header": b"GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + b"a" * 70000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_malformed_requests_are_refused(features: Lab, attack: str) -> None:
    """Answered with 400 and closed: what comes behind such a request is never taken for another one."""
    begin = time.time()
    answer = raw(features, "ipv6-only", "ipv6", ATTACKS[attack])
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 414", b"HTTP/1.1 431")), answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not [entry for entry in logged(features, "web", begin) if "smuggled" in entry["path"]]


def test_a_slow_client_is_given_up(features: Lab) -> None:
    begin = time.monotonic()
    answer = raw(features, "ipv6-only", "ipv6", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    assert time.monotonic() - begin < 18
    assert answer in (b"",) or answer.startswith(b"HTTP/1.1 408")


def test_a_gateway_that_speaks_the_proxy_protocol(features: Lab) -> None:
    """It has IPv4 alone, so that IPv6 clients come by themselves. Every listener answers the probes, TLS passed through included."""
    features.change(ingress_trusted_proxies=["192.0.2.11"], ingress_real_ip_header="proxy_protocol")
    run = features.playbook("site", "--tags", "ingress,dns")
    assert run.code == 0, run.output
    assert record(features, "A") and record(features, "AAAA")
    settled(features)
    # Who comes without the line gets nothing.
    assert raw(features, "ipv4-only", "ipv4", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    place = address(features, "ipv4")
    for client, source in (("dual-stack", CUSTOMER), ("ipv4-only", IPV4_CLIENT)):
        for version in ("1", "2"):
            line = ("--proxy", version, "--proxy-source", f"{CUSTOMER}:4711")
            for scheme in ("http", "https"):
                answer = call(features, client, "http", f"{scheme}://{place}/", *line, *SECURE, "--header", "X-Forwarded-For=6.6.6.6")
                assert answer["body"]["headers"]["x-forwarded-for"] == [source], answer
            passed = call(features, client, "http", f"https://{place}/", *line, "--insecure", "--host", "sealed.example.org")
            stream = call(features, client, "tcp", f"{place}:7001", *line)
            for answer in (passed, stream):
                assert answer.get("body", {}).get("client", "").rpartition(":")[0] == source, answer
    assert seen(features, "ipv6-only", "ipv6")["headers"]["x-forwarded-for"] == [IPV6_CLIENT]


@pytest.fixture(scope="module")
def limited(features: Lab) -> Lab:
    """One request a second is allowed, and only Front Door is trusted."""
    site(features, ingress_mode="nat64", ingress_routes=[WEB], ingress_requests_per_second=1, ingress_request_burst=5, **FRONT_DOOR)
    return features


def test_a_client_behind_front_door(limited: Lab) -> None:
    """Its address reaches the application, the limits and the log; whatever it made up itself does not, and nobody else is believed."""
    for family, (client, source) in FAMILIES.items():
        assert claiming(limited, client, family, f"6.6.6.6, {CUSTOMER}") == [source]
    for client, family in (("dual-stack", "ipv4"), ("dual-stack", "ipv6")):
        for written, source in (
            (f"6.6.6.6, {CUSTOMER}, 192.0.2.11", CUSTOMER),
            (f"{CUSTOMER}:4711", CUSTOMER),
            (f"[{CUSTOMER_IPV6}]:443", CUSTOMER_IPV6),
            ("nobody", {"ipv4": "192.0.2.11", "ipv6": NEIGHBOUR}[family]),
        ):
            assert claiming(limited, client, family, written) == [source], written
        target = ("http", f"http://{address(limited, family)}/", "--count", "60", "--header", "X-Forwarded-For=6.6.6.6, 198.51.100.99")
        many = limited.as_client(client, str(images.program("application")), "call", *target)
        statuses = [json.loads(line).get("status") for line in many.output.splitlines() if line.startswith("{")]
        assert statuses.count(429) > 20, statuses
        assert claiming(limited, client, family, "198.51.100.98") == ["198.51.100.98"]
        pods = limited.kubectl("-n", "dualstack-ingress", "get", "pods", "-l", f"app.kubernetes.io/name=entrance-{family}")["items"]
        log = "".join(limited.kubectl_text("-n", "dualstack-ingress", "logs", pod["metadata"]["name"]) for pod in pods)
        assert '198.51.100.99 "GET / HTTP/1.1" 429' in log and "6.6.6.6" not in log


def test_a_rate_limit_counts_by_64(limited: Lab) -> None:
    """Who shares a /64 shares the limit; IPv4 clients have one each."""
    target = {family: f"http://{address(limited, family)}/" for family in FAMILIES}
    many = limited.as_client("ipv6-only", str(images.program("application")), "call", "http", target["ipv6"], "--count", "60")
    statuses = [json.loads(line).get("status") for line in many.output.splitlines() if line.startswith("{")]
    assert statuses.count(429) > 20, statuses
    neighbour = limited.as_client("dual-stack", str(images.program("application")), "call", "http", target["ipv6"], "--count", "8")
    assert [json.loads(line).get("status") for line in neighbour.output.splitlines() if line.startswith("{")].count(429) >= 1, neighbour.output
    assert call(limited, "ipv4-only", "http", target["ipv4"])["status"] == 200


def test_nat46_in_front_of_a_running_ingress(lab: Lab) -> None:
    """The application knows the address of an IPv4 client, also of one behind Front Door. The other modes are scenarios of molecule."""
    ingress = RUNNING | {"service": "running-ingress-ipv6"}
    site(lab, ingress_mode="nat46", ingress_upstream="ingress", ingress_upstream_ingress=ingress, **FRONT_DOOR)
    Answered("web", "IPv4", IPV4_CLIENT).check(lab, "ipv4-only", hop="IPv6")
    assert claiming(lab, "ipv4-only", "ipv4", f"6.6.6.6, {CUSTOMER}") == [IPV4_CLIENT]
    for customer in (CUSTOMER, CUSTOMER_IPV6):
        assert claiming(lab, "dual-stack", "ipv4", f"6.6.6.6, {customer}") == [customer]


def test_the_application_has_no_ipv6(lab: Lab) -> None:
    """IPv4-only is enforced, not assumed: its pods have no IPv6 address, whatever Kubernetes says."""
    for pod in lab.kubectl("-n", "apps", "get", "pods", "-l", "app=web")["items"]:
        assert len(pod["status"]["podIPs"]) == 2
    sources = {entry["local"].rpartition(":")[0] for entry in logged(lab, "web", time.time() - 600)}
    assert sources and not [source for source in sources if ":" in source]


def test_a_missing_service_is_refused_before_anything_is_written(lab: Lab) -> None:
    begin = len(lab.entries())
    lab.set(ingress_mode="nat64", ingress_routes=[WEB | {"service": "nobody"}], **PLATFORM)
    run = lab.playbook("site")
    assert run.code == 2, run.output
    assert "nobody" in run.output and lab.our_writes(begin) == []
