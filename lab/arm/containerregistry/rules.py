"""What Microsoft.ContainerRegistry refuses."""

from __future__ import annotations

import re

from .. import ids
from ..errors import ArmError
from ..kinds import Write
from ..network.rules.shared import check_only_ipv4
from ..rules import rule
from .kinds import REGISTRY

_REGISTRY = "learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks"


@rule("registry-ip-rules", REGISTRY, _REGISTRY)
def registry_ip_rules_are_ipv4(write: Write) -> None:
    check_only_ipv4((write.properties.get("networkRuleSet") or {}).get("ipRules") or [], "networkRuleSet.ipRules")


@rule("registry-premium", REGISTRY, "learn.microsoft.com/azure/container-registry/container-registry-skus")
def premium_features(write: Write) -> None:
    properties = write.properties
    used = {
        "publicNetworkAccess": properties["publicNetworkAccess"] == "Disabled",
        "zoneRedundancy": properties["zoneRedundancy"] == "Enabled",
        "dataEndpointEnabled": properties["dataEndpointEnabled"],
    }
    for name, wanted in used.items():
        if wanted and write.body["sku"]["name"] != "Premium":
            raise ArmError(400, "FeatureNotSupportedForSku", f"{name} needs a registry of SKU Premium.", target=name)


@rule("registry-name", REGISTRY, "learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules")
def registry_name(write: Write) -> None:
    name = ids.parse(write.id).name
    if not re.fullmatch(r"[a-zA-Z0-9]{5,50}", name):
        raise ArmError(400, "InvalidRegistryName", f"The registry name '{name}' must be 5 to 50 letters and digits.")
