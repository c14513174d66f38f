"""Log Analytics workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import ids
from ..azure import Azure
from ..kinds import Kind, Write, kind
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
        return [] if name == "intelligencepacks" else None

    def accepted(self, write: Write, resource: Resource) -> None:
        resource.properties["customerId"] = ids.stable_uuid(resource.id, "customer")
