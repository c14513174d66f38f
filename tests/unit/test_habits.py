"""What people bring from Kubernetes' Ingress to the variables of the role ingress, and what they are told."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import specified
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Violation, entrances, variables
from ansible_collections.dualstack.aks.plugins.plugin_utils._typed import typed

ROUTE = {"service": "shop", "namespace": "apps", "port": 8080}
GENERAL = "use a value that"


def told(name: str, value: Any) -> list[Violation]:
    """What a run says to a variable of the role: that it does not fit its specification, or else what rules say."""
    found, misfits = typed(name, value, specified()[name])
    if misfits:
        return variables.CHAPTER.violations(variables.Variables("ingress", [(misfit.path, misfit.problem) for misfit in misfits]))
    declaration: dict[str, Any] = {"mode": "nat64", "upstream": "services", name.removeprefix("ingress_").removeprefix("tls_"): found}
    if name == "ingress_tls":
        declaration["routes"] = [{**ROUTE, "host": host} for entry in found for host in entry["hosts"]]
    return entrances.CHAPTER.violations(declaration)


def route(**keys: Any) -> list[dict[str, Any]]:
    return [{**ROUTE, **keys}]


# (variable, given value, expected message)
HABITS: list[tuple[str, Any, str]] = [
    ("ingress_routes", route(**{"rewrite-target": "/"}), "the entrances do not rewrite paths"),
    ("ingress_routes", route(rewrite_target="/$1"), "the entrances do not rewrite paths"),
    ("ingress_routes", route(rewrite="/"), "the entrances do not rewrite paths"),
    ("ingress_routes", route(**{"nginx.ingress.kubernetes.io/rewrite-target": "/"}), "the entrances do not rewrite paths"),
    ("ingress_routes", route(useRegex="true"), "path_type exact matches only the path"),
    ("ingress_routes", route(annotations={"nginx.ingress.kubernetes.io/proxy-body-size": "8m"}), "ingress_max_body_size"),
    ("ingress_routes", route(**{"nginx.ingress.kubernetes.io/ssl-redirect": "true"}), "ingress_tls_redirect"),
    ("ingress_routes", route(pathType="Prefix"), "call it path_type"),
    ("ingress_routes", route(path_type="ImplementationSpecific"), "use prefix (the default"),
    ("ingress_routes", route(path="/api/(.*)"), "Regular expressions need your own ingress"),
    ("ingress_routes", route(path="~ ^/api/[0-9]+"), "Regular expressions need your own ingress"),
    ("ingress_routes", route(path="/shop/.*"), "Regular expressions need your own ingress"),
    ("ingress_routes", route(path="/api/*"), "the prefix /api/ matches everything below it"),
    ("ingress_routes", route(path="/search?q=x"), "routes match only the path"),
    ("ingress_routes", route(path="api"), "begin it with /, for example /api"),
    ("ingress_routes", route(path="/a%20b"), "write it decoded"),
    ("ingress_routes", route(port="http"), "port names are not supported"),
    ("ingress_routes", route(port={"name": "http"}), "port names are not supported"),
    ("ingress_routes", [{"path": "/", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}], "set service, namespace and port"),
    ("ingress_routes", [{"namespace": "apps", "serviceName": "shop", "servicePort": 80}], "call it port, and set the number"),
    ("ingress_routes", [{"host": "a.example.org", "http": {"paths": []}}], "add one route per path"),
    ("ingress_routes", route(hosts=["a.example.org"]), "call it host"),
    ("ingress_routes", route(secretName="web"), "list the host in ingress_tls"),
    ("ingress_routes", route(ingressClassName="nginx"), "do not read Ingress objects"),
    ("ingress_routes", route(host="shop.example.org:8443"), "remove the port"),
    ("ingress_routes", route(host="https://shop.example.org"), "remove the scheme"),
    ("ingress_routes", route(host="shop.example.org/cart"), "set it as path"),
    ("ingress_routes", route(host="*"), "a route without a host matches every host"),
    ("ingress_routes", route(host="shop.*"), "use * only as the whole first label"),
    ("ingress_routes", route(host=r"~^.*\.example\.org$"), "regular expressions are not supported"),
    ("ingress_routes", route(host="Shop.example.org"), "write it in lower case"),
    ("ingress_routes", route(host="shop_1.example.org"), "*.example.org matches every name below it"),
    ("ingress_tls", [{"hosts": ["a.example.org"], "secretName": "web"}], "call it secret"),
    ("ingress_tls", [{"hosts": ["a.example.org:443"], "secret": "web"}], "remove the port"),
    ("ingress_tls_passthrough", [{**ROUTE, "host": "a.example.org:443"}], "remove the port"),
    ("ingress_streams", [{"name": "db", "port": 5432, "service": "db", "namespace": "apps", "targetPort": 5432}], "call it service_port"),
    ("ingress_streams", [{"name": "db", "port": "postgres", "service": "db", "namespace": "apps", "service_port": 5432}], "port names"),
]


@pytest.mark.parametrize(("name", "value", "words"), HABITS, ids=str)
def test_a_habit_is_answered(name: str, value: Any, words: str) -> None:
    assert [violation for violation in told(name, value) if words in violation.remedy] != [], list(map(str, told(name, value)))


def test_what_is_no_habit_gets_the_general_answer() -> None:
    assert [violation.remedy[: len(GENERAL)] for violation in told("ingress_routes", route(protocol="ftp", tiemout=5))] == [GENERAL] * 2


def test_what_is_right_is_told_nothing() -> None:
    assert told("ingress_routes", route(host="*.example.org", path="/api", path_type="Exact", port="8080")) == []
