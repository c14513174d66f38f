"""Diagnostic settings."""

from __future__ import annotations

from typing import Any

from .. import ids
from ..azure import Azure
from ..kinds import Kind, Write, kind
from ..store import Resource

DIAGNOSTIC_SETTING = "Microsoft.Insights/diagnosticSettings"


@kind
class DiagnosticSetting(Kind):
    type = DIAGNOSTIC_SETTING
    has_provisioning_state = False
    created_status = 200
    #: a GET answers with it
    overlooked = frozenset({"location"})

    def defaults(self, write: Write) -> None:
        write.body.setdefault("properties", {})

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        for part in ("logs", "metrics"):
            for item in body["properties"].setdefault(part, []):
                item.setdefault("retentionPolicy", {"days": 0, "enabled": False})
        return body

    def complete(self, azure: Azure, resource: Resource, body: dict[str, Any], api_version: str) -> None:
        """A GET shows the region of what is diagnosed, and its metrics where they are not collected."""
        target = azure.get(ids.parse(resource.id).scope)
        if "location" in target.body:
            body["location"] = target.body["location"]
        if not body["properties"]["metrics"]:
            body["properties"]["metrics"] = [{"category": "AllMetrics", "enabled": False, "retentionPolicy": {"days": 0, "enabled": False}}]
