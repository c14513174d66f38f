"""Microsoft Graph as far as clients of Azure need it: names for the ids in role assignments, and ids for names. Read only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..azure import Azure
from ..managedidentity.kinds import IDENTITY

_FILTERS = {
    "servicePrincipalNames": r"servicePrincipalNames/any\((\w+):\1 eq '(?P<value>[^']*)'\)",
    "appId": r"appId eq '(?P<value>[^']*)'",
    "displayName": r"displayName eq '(?P<value>[^']*)'",
}


def _service_principal(identifier: str, application: str, name: str, kind: str) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": identifier,
        "appId": application,
        "displayName": name,
        "servicePrincipalType": kind,
        "servicePrincipalNames": [application],
        "accountEnabled": True,
    }


def service_principals(azure: Azure) -> list[dict[str, Any]]:
    """The lab's own, and one for each managed identity."""
    identities = [
        _service_principal(found.properties["principalId"], found.properties["clientId"], found.name, "ManagedIdentity")
        for found in azure.store.of_type(IDENTITY)
    ]
    own = [
        _service_principal(found.object_id, found.client_id, "lab" if found.name == "client" else f"lab-{found.name}", "Application")
        for found in azure.options.principals
    ]
    return [*own, *identities]


def answer(azure: Azure, method: str, path: str, query: Mapping[str, str], body: Any) -> dict[str, Any]:
    """One request; ``path`` in lower case, behind the version."""
    principals = service_principals(azure)
    match method, path.strip("/").split("/"):
        case "POST", ["directoryobjects", "getbyids"]:
            wanted = {str(identifier).lower() for identifier in body.get("ids") or []}
            return {"value": [found for found in principals if found["id"].lower() in wanted]}
        case "GET", ["serviceprincipals"]:
            return {"value": _matching(principals, query.get("$filter", ""))}
        case "GET", ["serviceprincipals" | "directoryobjects", identifier]:
            for found in principals:
                if found["id"].lower() == identifier:
                    return found
            raise errors.ArmError(404, "Request_ResourceNotFound", f"Resource '{identifier}' does not exist.")
        case "GET", ["users" | "groups" | "applications"]:
            return {"value": []}
    raise errors.ArmError(404, "Request_ResourceNotFound", f"The lab's Microsoft Graph has no {method} {path}.")


def _matching(principals: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    if not text:
        return principals
    start = re.fullmatch(r"startswith\(displayName,\s*'([^']*)'\)", text)
    if start:
        return [found for found in principals if found["displayName"].lower().startswith(start[1].lower())]
    for name, pattern in _FILTERS.items():
        match = re.fullmatch(pattern, text)
        if match:
            value = match["value"]
            return [found for found in principals if value == found[name] or (isinstance(found[name], list) and value in found[name])]
    raise errors.ArmError(400, "Request_UnsupportedQuery", f"The lab's Microsoft Graph does not know the filter {text}.")
