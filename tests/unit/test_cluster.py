"""What an API server is asked, and what becomes of its answers."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import Cluster, KubernetesFailure
from lab.certificates import CertificateAuthority

#: path -> status and answer; what is not listed is refused
ANSWERS: dict[str, tuple[int, str]] = {
    "/api/v1/nodes": (200, json.dumps({"kind": "NodeList", "items": [{"metadata": {"name": "one"}}]})),
    "/apis/networking.k8s.io/v1/networkpolicies": (200, json.dumps({"items": None})),
    "/apis/gateway.networking.k8s.io/v1/gateways": (200, json.dumps({"items": []})),
    "/apis/apps/v1/namespaces/ours/deployments?labelSelector=a%3Db": (200, json.dumps({"items": []})),
    "/api/v1/namespaces?fieldSelector=metadata.name%3Dours": (200, json.dumps({"items": [{"metadata": {"name": "ours"}}]})),
    "/api/v1/pods": (200, "<html>"),
    "/api/v1": (200, json.dumps({"kind": "APIResourceList"})),
    "/apis/snapshot.storage.k8s.io/v1": (404, json.dumps({"message": "not found"})),
}
#: what the token may do
ALLOWED = [
    {"verb": "patch", "group": "", "resource": "namespaces"},
    {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "ours"},
]


class _Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, text = ANSWERS.get(self.path, (403, json.dumps({"kind": "Status", "message": f"{self.path} is forbidden"})))
        if self.headers["Authorization"] != "Bearer a-token":
            status, text = 401, json.dumps({"message": "Unauthorized"})
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" and asked["kind"] == "SelfSubjectAccessReview"
        text = json.dumps({"status": {"allowed": asked["spec"]["resourceAttributes"] in ALLOWED}})
        self.send_response(201)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        is_current = json.loads(text)["metadata"]["resourceVersion"] == "7"
        is_known = self.path == "/apis/networking.k8s.io/v1/namespaces/apps/networkpolicies/web"
        text = text if is_current and is_known else json.dumps({"message": "the object has been modified"})
        self.send_response(200 if is_current and is_known else 409)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"), "A cluster")
    certificate, key = authority.issue("server", "localhost", hosts=("localhost",))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "clusters": [
            {
                "name": "one",
                "cluster": {
                    "server": f"https://localhost:{server.server_port}",
                    "certificate-authority-data": base64.b64encode(authority.certificate_path.read_bytes()).decode(),
                },
            }
        ],
        "users": [{"name": "entra", "user": {"token": "a-token"}}],
    }
    server.shutdown()


#: kind, API version and selection -> what is found
LISTS: list[tuple[str, str, dict[str, str], list[dict[str, Any]]]] = [
    ("Node", "v1", {}, [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "one"}}]),
    ("NetworkPolicy", "networking.k8s.io/v1", {}, []),
    ("Gateway", "gateway.networking.k8s.io/v1", {}, []),
    ("Deployment", "apps/v1", {"namespace": "ours", "label_selector": "a=b"}, []),
    (
        "Namespace",
        "v1",
        {"field_selector": "metadata.name=ours"},
        [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ours"}}],
    ),
]


@pytest.mark.parametrize(("kind", "api_version", "selection", "expected"), LISTS)
def test_objects(kubeconfig: dict[str, Any], kind: str, api_version: str, selection: dict[str, str], expected: list[dict[str, Any]]) -> None:
    with Cluster(kubeconfig) as cluster:
        assert cluster.objects(kind, api_version, **selection) == expected


@pytest.mark.parametrize(("kind", "status", "words"), [("Secret", 403, "/api/v1/secrets is forbidden"), ("Pod", 200, "not JSON")])
def test_refusals(kubeconfig: dict[str, Any], kind: str, status: int, words: str) -> None:
    with Cluster(kubeconfig) as cluster, pytest.raises(KubernetesFailure, match=words) as caught:
        cluster.objects(kind)
    assert caught.value.status == status


def test_which_kinds_there_are(kubeconfig: dict[str, Any]) -> None:
    with Cluster(kubeconfig) as cluster:
        assert (cluster.serves("v1"), cluster.serves("snapshot.storage.k8s.io/v1")) == (True, False)
        with pytest.raises(KubernetesFailure, match="is forbidden"):
            cluster.serves("apps/v1")


@pytest.mark.parametrize(
    ("verb", "kind", "api_version", "namespace", "allowed"),
    [
        ("patch", "Namespace", "v1", "", True),
        ("patch", "Deployment", "apps/v1", "ours", True),
        ("patch", "Deployment", "apps/v1", "theirs", False),
        ("get", "Namespace", "v1", "", False),
    ],
)
def test_what_the_credentials_may_do(kubeconfig: dict[str, Any], verb: str, kind: str, api_version: str, namespace: str, allowed: bool) -> None:
    with Cluster(kubeconfig) as cluster:
        assert cluster.may(verb, kind, api_version, namespace) is allowed


def test_an_object_is_replaced_if_nobody_has_written_it_since(kubeconfig: dict[str, Any]) -> None:
    metadata = {"namespace": "apps", "name": "web", "resourceVersion": "7"}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata}
    with Cluster(kubeconfig) as cluster:
        assert cluster.replace(policy) == policy
        with pytest.raises(KubernetesFailure, match="has been modified") as caught:
            cluster.replace({**policy, "metadata": {**metadata, "resourceVersion": "6"}})
    assert caught.value.status == 409


def test_the_machine_s_authorities_do_not_count(kubeconfig: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    other = CertificateAuthority(tmp_path_factory.mktemp("authority"), "Another cluster").certificate_path.read_bytes()
    server = kubeconfig["clusters"][0]["cluster"] | {"certificate-authority-data": base64.b64encode(other).decode()}
    with Cluster({**kubeconfig, "clusters": [{"cluster": server}]}) as cluster, pytest.raises(KubernetesFailure, match="certificate") as caught:
        cluster.objects("Node")
    assert caught.value.status == 0


def test_a_server_that_is_gone(kubeconfig: dict[str, Any]) -> None:
    server = kubeconfig["clusters"][0]["cluster"] | {"server": "https://localhost:9"}
    with Cluster({**kubeconfig, "clusters": [{"cluster": server}]}) as cluster, pytest.raises(KubernetesFailure) as caught:
        cluster.objects("Node")
    assert caught.value.status == 0
