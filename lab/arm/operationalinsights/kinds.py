"""Log Analytics workspaces."""

from __future__ import annotations

import copy
import time
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
    has_etag = True

    def defaults(self, write: Write) -> None:
        properties, old = write.properties, write.old_properties
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime())
        sku = properties.setdefault("sku", copy.deepcopy(old.get("sku", {"name": "PerGB2018"})))
        if sku["name"] == "Standalone":
            # The retired tiers that new workspaces get no more.
            sku["name"] = "PerGB2018"
        sku["lastSkuUpdate"] = (old.get("sku") or {}).get("lastSkuUpdate", stamp)
        properties.setdefault("retentionInDays", 30)
        properties.setdefault("publicNetworkAccessForIngestion", "Enabled")
        properties.setdefault("publicNetworkAccessForQuery", "Enabled")
        features = {"legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": True}
        properties["features"] = features | (properties.get("features") or {})
        capping = {"dailyQuotaGb": -1.0, "quotaNextResetTime": stamp, "dataIngestionStatus": "RespectQuota"}
        properties["workspaceCapping"] = capping | (properties.get("workspaceCapping") or {})
        properties |= {"createdDate": old.get("createdDate", stamp), "modifiedDate": stamp}

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
