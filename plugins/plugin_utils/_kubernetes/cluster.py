"""A cluster's API server, asked in Ansible's own process.

This file is private to the collection.

A module of kubernetes.core begins another process, and its client loads every model of Kubernetes and discovers every kind before its first
request. Here a read is one GET of a list; what is written goes through kubernetes.core.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from .._azure.connections import session
from .._libraries import requests

#: seconds that one answer may take
_TIMEOUT = 60


class KubernetesFailure(Exception):
    """The API server refused a request, or could not be reached. ``status`` is the HTTP status, 0 without an answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """One cluster, by a kubeconfig as :func:`.._azure.aks.kubeconfig` makes it: server, certificate authority and token. Close it after use."""

    def __init__(self, kubeconfig: Mapping[str, Any]) -> None:
        server = kubeconfig["clusters"][0]["cluster"]
        self._kubeconfig = kubeconfig
        self._url = str(server["server"]).rstrip("/")
        self._session = session(authorities=base64.b64decode(server["certificate-authority-data"]).decode())
        self._session.headers.update({"Authorization": f"Bearer {kubeconfig['users'][0]['user']['token']}", "Accept": "application/json"})

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._session.close()

    def objects(
        self, kind: str, api_version: str = "v1", *, namespace: str = "", label_selector: str = "", field_selector: str = ""
    ) -> list[dict[str, Any]]:
        """All objects of a kind, of every namespace when none is named. Raises :class:`KubernetesFailure`.

        Source: kubernetes.io/docs/reference/using-api/api-concepts.
        """
        selectors = {name: value for name, value in (("labelSelector", label_selector), ("fieldSelector", field_selector)) if value}
        found = self._get(_path(kind, api_version, namespace), selectors)
        # Items of a list do not name their kind.
        return [{"apiVersion": api_version, "kind": kind, **item} for item in found.get("items") or []]

    def serves(self, api_version: str) -> bool:
        """Whether the cluster has the kinds of an API version; who may list none of them may ask that. Raises :class:`KubernetesFailure`."""
        try:
            self._get(_group(api_version), {})
        except KubernetesFailure as error:
            if error.status != 404:
                raise
            return False
        return True

    def may(self, verb: str, kind: str, api_version: str, namespace: str = "") -> bool:
        """Whether the credentials may do something with all objects of a kind in a namespace. Raises :class:`KubernetesFailure`.

        Source: kubernetes.io/docs/reference/access-authn-authz/authorization (SelfSubjectAccessReview).
        """
        group = api_version.rpartition("/")[0]
        asked = {"verb": verb, "group": group, "resource": _plural(kind), **({"namespace": namespace} if namespace else {})}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked}}
        found = self._send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json=body)
        return bool((found.get("status") or {}).get("allowed"))

    def output_of(self, command: Sequence[str], *, namespace: str, pod: str, container: str) -> str:
        """What a command prints in a container. Raises :class:`KubernetesFailure`."""
        # Not above: loading it takes longer than all requests of a run, and few runs need it.
        import kubernetes

        configuration = kubernetes.client.Configuration()
        kubernetes.config.load_kube_config_from_dict(dict(self._kubeconfig), client_configuration=configuration)
        try:
            with kubernetes.client.ApiClient(configuration) as client:
                api = kubernetes.client.CoreV1Api(client)
                return str(
                    kubernetes.stream.stream(
                        api.connect_get_namespaced_pod_exec, pod, namespace, container=container, command=list(command), stderr=False, stdout=True
                    )
                )
        except kubernetes.client.exceptions.ApiException as error:
            raise KubernetesFailure(int(error.status or 0), str(error.reason)) from error

    def replace(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Write an object as a whole. Raises :class:`KubernetesFailure`: 409 where somebody else has written it since it was read."""
        metadata = item["metadata"]
        path = _path(str(item["kind"]), str(item["apiVersion"]), str(metadata.get("namespace") or ""))
        return self._send("PUT", f"{path}/{metadata['name']}", json=dict(item))

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        return self._send("GET", path, params=dict(parameters))

    def _send(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self._session.request(method, f"{self._url}{path}", timeout=_TIMEOUT, **request)
            found = answer.json()
        except ValueError as error:
            raise KubernetesFailure(answer.status_code, f"{path}: the answer is not JSON") from error
        except requests.RequestException as error:
            raise KubernetesFailure(0, f"{path}: {error}") from error
        if not answer.ok:
            raise KubernetesFailure(answer.status_code, str(found.get("message") or answer.reason))
        return dict(found)


def _path(kind: str, api_version: str, namespace: str) -> str:
    """Where the objects of a kind are."""
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{_group(api_version)}{place}/{_plural(kind)}"


def _group(api_version: str) -> str:
    """Where an API version lists its kinds."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _plural(kind: str) -> str:
    """The name of a kind's lists, as Kubernetes itself derives it of its own kinds (k8s.io/apimachinery, UnsafeGuessKindToResource).

    Of others English decides: the lists of a Gateway are gateways (gateway-api.sigs.k8s.io).
    """
    name = kind.lower()
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2] not in "aeiou" else f"{name}s"
