"""Diagnostic settings."""

from __future__ import annotations

from typing import Any

from ..azure import Azure
from ..kinds import Kind, Write, kind
from ..store import Resource

DIAGNOSTIC_SETTING = "Microsoft.Insights/diagnosticSettings"


@kind
class DiagnosticSetting(Kind):
    type = DIAGNOSTIC_SETTING
    has_provisioning_state = False
    created_status = 200

    def defaults(self, write: Write) -> None:
        write.body.setdefault("properties", {})

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        for part in ("logs", "metrics"):
            for item in body["properties"].get(part) or []:
                item.setdefault("retentionPolicy", {"days": 0, "enabled": False})
        return body
