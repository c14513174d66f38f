"""What Microsoft.Insights refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import ids
from ..errors import ArmError
from ..kinds import Write
from ..rules import rule
from .kinds import DIAGNOSTIC_SETTING

_SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId")


@rule("diagnostic-setting-sink", DIAGNOSTIC_SETTING, "github.com/Azure/bicep-registry-modules/issues/3407")
def a_sink_gets_a_category_once(write: Write) -> None:
    scope = ids.parse(write.id).scope.lower()
    for other in write.azure.store.of_type(DIAGNOSTIC_SETTING):
        if other.key == write.id.lower() or ids.parse(other.id).scope.lower() != scope:
            continue
        for sink in _SINKS:
            target = str(write.properties.get(sink) or "")
            if not target or target.lower() != str(other.properties.get(sink) or "").lower():
                continue
            for category in sorted(_categories(write.properties) & _categories(other.properties)):
                raise ArmError(
                    409,
                    "Conflict",
                    f"Data sink '{target}' is already used in diagnostic setting '{other.name}' for category '{category}'. "
                    "Data sinks can't be reused in different settings on the same category for the same resource.",
                )


def _categories(properties: Mapping[str, Any]) -> set[str]:
    """What is sent; groups of categories are compared by their names alone."""
    return {
        str(item.get("category") or item.get("categoryGroup"))
        for part in ("logs", "metrics")
        for item in properties.get(part) or ()
        if item.get("enabled")
    }
