"""Log Analytics workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import ids
from ..azure import Azure
from ..kinds import Caller, Kind, Write, kind
from ..store import Resource


@kind
class Workspace(Kind):
    type = "Microsoft.OperationalInsights/workspaces"
    seconds = 10
    delete_seconds = 5

    def defaults(self, write: Write) -> None:
        write.body.setdefault("properties", {})
        write.properties.setdefault("retentionInDays", 30)
        write.properties.setdefault("sku", {"name": "PerGB2018"})
        write.properties.setdefault("publicNetworkAccessForIngestion", "Enabled")
        write.properties.setdefault("publicNetworkAccessForQuery", "Enabled")

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        match name:
            case "intelligencepacks":
                return []
            case "managementgroups":
                return {"value": []}
            case "usages":
                quota = {"value": "DataAnalyzed", "localizedValue": "Data Analyzed"}
                usage = {"name": quota, "unit": "Bytes", "currentValue": 0, "limit": 0, "nextResetTime": "0001-01-01T00:00:00Z", "quotaPeriod": "P1D"}
                return {"value": [usage]}
        return None

    def action(self, azure: Azure, resource: Resource, name: str, body: dict[str, Any], caller: Caller) -> Any:
        if name.lower() != "sharedkeys":
            return None
        return {f"{which}SharedKey": ids.stable_uuid(resource.id, which) for which in ("primary", "secondary")}

    def accepted(self, write: Write, resource: Resource) -> None:
        resource.properties["customerId"] = ids.stable_uuid(resource.id, "customer")
