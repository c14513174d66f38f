"""What people bring from Kubernetes' Ingress, and what to write here instead.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NO_REWRITE = (
    "remove it, since the entrances do not rewrite paths: let the application serve this path, or keep the ingress that rewrites, "
    "and put the entrances in front of it (ingress_upstream: ingress)"
)
_NO_REGEX = (
    "write the path as clients send it: /shop matches /shop and all paths below it, path_type exact matches only the path. "
    "Regular expressions need your own ingress behind the entrances (ingress_upstream: ingress)"
)
_PORT_NUMBER = "use the number of the Service's port (kubectl get service shows it); port names are not supported"

#: (variable, key as people write it, ...) -> what to write here; of several that fit the first counts
_KEYS: Sequence[tuple[str, str, str]] = (
    ("ingress_routes", r".*rewrite.*|.*app-?root", _NO_REWRITE),
    ("ingress_routes", r".*regex.*", _NO_REGEX),
    (
        "ingress_",
        r"annotations?|.*/.*",
        "remove it, since entrances have no annotations: a route has timeout and protocol, the role has ingress_max_body_size, "
        "ingress_requests_per_second, ingress_connections_per_client and ingress_tls_redirect",
    ),
    ("ingress_routes", r"path-?type", "call it path_type, and set prefix or exact"),
    ("ingress_routes", r"hosts", "call it host, and add one route per host"),
    ("ingress_routes", r"paths|http|rules", "add one route per path: {host, path, service, namespace, port}"),
    ("ingress_", r"backends?|upstreams?|service-?name|name", "set service, namespace and port"),
    ("ingress_streams", r"service-?port-?number|target-?port|node-?port", "call it service_port"),
    ("ingress_", r"service-?port(-?number)?|port-?(number|name)|target-?port", "call it port, and set the number of the Service's port"),
    ("ingress_tls", r"secret-?name", "call it secret"),
    ("ingress_routes", r"tls|secret(-?name)?|certificates?", "list the host in ingress_tls with its secret or key_vault_certificate"),
    ("ingress_", r"ingress-?class(-?name)?", "remove it: the entrances do not read Ingress objects"),
)


def remedy(path: str, problem: str) -> str:
    """The way out for a value of the ingress role's variables that does not fit, where it is a habit; empty for any other."""
    variable, key = re.split(r"[.\[]", path)[0], re.sub(r"^[^.]*\.", "", path)
    if problem.startswith("unknown key"):
        written = re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", key).lower()
        return next((text for start, habit, text in _KEYS if variable.startswith(start) and re.fullmatch(habit, written)), "")
    if variable.startswith("ingress_") and key.endswith("port") and problem.endswith("is not a whole number"):
        return _PORT_NUMBER
    if key == "path_type":
        return "use prefix (the default; /shop matches /shop and all paths below it) or exact"
    return ""


#: what a host must not have -> what to do about it
_HOSTS = (
    (r"[~^$()|\\+?\[\]]", "list each host, or use *.example.org for every name below it: regular expressions are not supported"),
    (r"://", "remove the scheme; use ingress_tls for TLS"),
    (r"/", "remove the path, and set it as path"),
    (r":[0-9]+$", "remove the port: the entrances listen on 80 and 443; ingress_streams opens other ports"),
    (r"^\*\.?$", "remove host: a route without a host matches every host"),
    (r"\*", "use * only as the whole first label, for example *.example.org"),
    (r"[A-Z]", "write it in lower case"),
)


def host_remedy(host: str) -> str:
    """The way out for a host that is not a valid host name; empty where nothing more can be said."""
    return next((text for habit, text in _HOSTS if re.search(habit, host)), "")


def path_remedy(path: str) -> str:
    """The way out for a path that no request can have; empty where nothing more can be said."""
    if path.endswith("/*"):
        return f"remove the *: the prefix {path.removesuffix('*')} matches everything below it"
    if re.search(r"[~^$()|\\*\[\]{}]|\.\+", path):
        return _NO_REGEX
    if "?" in path or "#" in path:
        return "remove everything from ? or # on: routes match only the path"
    return "" if path.startswith("/") else f"begin it with /, for example /{path}"
