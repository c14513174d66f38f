"""What AKS runs in kube-system and the lab's pods need: CoreDNS, metrics-server, and the objects of the add-on for secrets in volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..supplies import images

_MANIFESTS = Path(__file__).with_name("addons.yml")
_SECRETS_PROVIDER = Path(__file__).with_name("secrets_provider.yml")


def manifests(dns_service_ip: str) -> list[dict[str, Any]]:
    """The objects, with the cluster's DNS address and the images' names filled in."""
    text = _MANIFESTS.read_text().replace("DNS_SERVICE_IP", dns_service_ip)
    for name in ("coredns", "metrics-server"):
        text = text.replace(f"IMAGE_{name}", images.PROGRAMS[name].image)
    return [document for document in yaml.safe_load_all(text) if document]


def secrets_provider() -> list[dict[str, Any]]:
    """The objects that volumes of the Secrets Store CSI driver need."""
    return [document for document in yaml.safe_load_all(_SECRETS_PROVIDER.read_text()) if document]


#: kind -> the collection it is in
_COLLECTIONS = {
    "CSIDriver": "apis/storage.k8s.io/v1/csidrivers",
    "CustomResourceDefinition": "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "APIService": "apis/apiregistration.k8s.io/v1/apiservices",
    "ClusterRole": "apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ConfigMap": "api/v1/namespaces/{namespace}/configmaps",
    "Deployment": "apis/apps/v1/namespaces/{namespace}/deployments",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "Service": "api/v1/namespaces/{namespace}/services",
    "ServiceAccount": "api/v1/namespaces/{namespace}/serviceaccounts",
}


def path_of(manifest: dict[str, Any]) -> str:
    """Where the API server keeps an object."""
    metadata = manifest["metadata"]
    return f"/{_COLLECTIONS[manifest['kind']].format(**metadata)}/{metadata['name']}"
