"""What people bring from Kubernetes' Ingress, and what to write here instead.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NO_REWRITE = (
    "leave it out, since nothing here rewrites paths: let the application serve this path, or keep the ingress that rewrites, "
    "and put the entrances in front of it (ingress_upstream: ingress)"
)
_NO_REGEX = (
    "write the path as clients send it: /shop takes /shop and all below it, path_type exact takes the path alone. "
    "Regular expressions need an ingress of your own behind the entrances (ingress_upstream: ingress)"
)
_PORT_NUMBER = "give the number of the Service's port (kubectl get service shows it); names of ports are not looked up"

#: (variable, key as people write it, ...) -> what to write here; of several that fit the first counts
_KEYS: Sequence[tuple[str, str, str]] = (
    ("ingress_routes", r".*rewrite.*|.*app-?root", _NO_REWRITE),
    ("ingress_routes", r".*regex.*", _NO_REGEX),
    (
        "ingress_",
        r"annotations?|.*/.*",
        "leave it out, since there are no annotations: a route has timeout and protocol, and the role has ingress_max_body_size, "
        "ingress_requests_per_second, ingress_connections_per_client and ingress_tls_redirect",
    ),
    ("ingress_routes", r"path-?type", "call it path_type, and give prefix or exact"),
    ("ingress_routes", r"hosts", "call it host, and give one; a route for each host"),
    ("ingress_routes", r"paths|http|rules", "give each path a route of its own: {host, path, service, namespace, port}"),
    ("ingress_", r"backends?|upstreams?|service-?name|name", "give service, namespace and port"),
    ("ingress_streams", r"service-?port-?number|target-?port|node-?port", "call it service_port"),
    ("ingress_", r"service-?port(-?number)?|port-?(number|name)|target-?port", "call it port, and give the number of the Service's port"),
    ("ingress_tls", r"secret-?name", "call it secret"),
    ("ingress_routes", r"tls|secret(-?name)?|certificates?", "list the host in ingress_tls with its secret or key_vault_certificate"),
    ("ingress_", r"ingress-?class(-?name)?", "leave it out: the entrances read no Ingress objects, so there is no class"),
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
        return "give prefix (the default; /shop takes /shop and all below it) or exact"
    return ""


#: what a host must not have -> what to do about it
_HOSTS = (
    (r"[~^$()|\\+?\[\]]", "write each host out, or *.example.org for every name below it: regular expressions are not read"),
    (r"://", "leave the scheme out; ingress_tls gives the host TLS"),
    (r"/", "leave the path out, and give it as path"),
    (r":[0-9]+$", "leave the port out: the entrances listen on 80 and 443, and ingress_streams opens another port"),
    (r"^\*\.?$", "leave host out: a route without one takes every host"),
    (r"\*", "use * for the whole first label, as *.example.org, and for nothing else"),
    (r"[A-Z]", "write it in lower case"),
)


def host_remedy(host: str) -> str:
    """The way out for a host that is not a valid host name; empty where nothing more can be said."""
    return next((text for habit, text in _HOSTS if re.search(habit, host)), "")


def path_remedy(path: str) -> str:
    """The way out for a path that no request can have; empty where nothing more can be said."""
    if path.endswith("/*"):
        return f"leave the * out: the prefix {path.removesuffix('*')} takes everything below it"
    if re.search(r"[~^$()|\\*\[\]{}]|\.\+", path):
        return _NO_REGEX
    if "?" in path or "#" in path:
        return "leave out what follows ? or #: routes are chosen by the path alone"
    return "" if path.startswith("/") else f"begin it with /, as /{path}"
