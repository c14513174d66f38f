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
    "/apis/apps/v1/namespaces/ours/deployments?labelSelector=a%3Db": (200, json.dumps({"items": []})),
    "/api/v1/namespaces?fieldSelector=metadata.name%3Dours": (200, json.dumps({"items": [{"metadata": {"name": "ours"}}]})),
    "/api/v1/pods": (200, "<html>"),
}


class _Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, text = ANSWERS.get(self.path, (403, json.dumps({"kind": "Status", "message": f"{self.path} is forbidden"})))
        if self.headers["Authorization"] != "Bearer a-token":
            status, text = 401, json.dumps({"message": "Unauthorized"})
        self.send_response(status)
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
