"""Load balancers."""

from __future__ import annotations

from typing import Any

from ...azure import Azure
from ...kinds import Write, kind
from ...store import Resource
from ..bodies import AWAITED, BALANCER_PARTS, LOAD_BALANCER, reference, same_id
from ..usage import free_private_address, pool_members
from .base import NetworkKind

_INBOUND = {
    "idleTimeoutInMinutes": 4,
    "enableFloatingIP": False,
    "enableDestinationServiceEndpoint": False,
    "enableTcpReset": False,
    "allowBackendPortConflict": False,
}
_DEFAULTS: dict[str, dict[str, Any]] = {"inboundNatRules": _INBOUND, "inboundNatPools": _INBOUND}


@kind
class LoadBalancer(NetworkKind):
    """Writes are done when they are answered, as the cloud controller's Services wait for each one."""

    type = LOAD_BALANCER
    awaited = AWAITED
    member_lists = ("backendAddressPools",)
    shown_lists = tuple(part for part in BALANCER_PARTS if part != "backendAddressPools")
    seconds = 0
    delete_seconds = 0
    #: Azure answers with these, and takes them back
    overlooked = frozenset(
        f"properties.{part}[].properties.{name}" for part in _DEFAULTS for name in ("enableDestinationServiceEndpoint", "allowBackendPortConflict")
    )

    def defaults(self, write: Write) -> None:
        write.body.setdefault("sku", {}).setdefault("name", "Basic")
        write.body["sku"].setdefault("tier", "Regional")
        for part in BALANCER_PARTS:
            if write.properties.get(part) is None:
                write.properties[part] = []

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        before = {item["name"].lower(): item for item in write.old_properties.get("frontendIPConfigurations") or []}
        for part in BALANCER_PARTS:
            for item in resource.properties[part]:
                item.setdefault("properties", {})
                item["id"] = f"{resource.id}/{part}/{item['name']}"
                item["type"] = f"{LOAD_BALANCER}/{part}"
                item["etag"] = resource.body["etag"]
                item["properties"] = _DEFAULTS.get(part, {}) | item["properties"] | {"provisioningState": "Succeeded"}
        for frontend in resource.properties["frontendIPConfigurations"]:
            properties = frontend["properties"]
            properties.setdefault("privateIPAllocationMethod", "Dynamic")
            public = write.azure.store.get(reference(properties, "publicIPAddress"))
            if public:
                properties["publicIPAddress"] = {"id": public.id}
            elif reference(properties, "subnet"):
                properties.setdefault("privateIPAddressVersion", "IPv4")
                old = before.get(frontend["name"].lower(), {}).get("properties", {})
                if not properties.get("privateIPAddress"):
                    properties["privateIPAddress"] = old.get("privateIPAddress") or free_private_address(
                        write.azure, reference(properties, "subnet"), properties["privateIPAddressVersion"]
                    )

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]

        def users(part: str, name: str, target: str) -> list[dict[str, str]]:
            return [{"id": item["id"]} for item in properties[part] if same_id(reference(item["properties"], name), target)]

        for frontend in properties["frontendIPConfigurations"]:
            _set_unless_empty(frontend["properties"], "loadBalancingRules", users("loadBalancingRules", "frontendIPConfiguration", frontend["id"]))
            outbound = [
                {"id": item["id"]}
                for item in properties["outboundRules"]
                if any(same_id(used["id"], frontend["id"]) for used in item["properties"].get("frontendIPConfigurations") or [])
            ]
            _set_unless_empty(frontend["properties"], "outboundRules", outbound)
            for part in _DEFAULTS:
                _set_unless_empty(frontend["properties"], part, users(part, "frontendIPConfiguration", frontend["id"]))
        for pool in properties["backendAddressPools"]:
            _set_unless_empty(pool["properties"], "loadBalancingRules", users("loadBalancingRules", "backendAddressPool", pool["id"]))
            _set_unless_empty(pool["properties"], "outboundRules", users("outboundRules", "backendAddressPool", pool["id"]))
            _set_unless_empty(pool["properties"], "backendIPConfigurations", [{"id": member} for member in pool_members(azure, pool["id"])])
            pool["properties"].setdefault("loadBalancerBackendAddresses", [])
        for probe in properties["probes"]:
            _set_unless_empty(probe["properties"], "loadBalancingRules", users("loadBalancingRules", "probe", probe["id"]))
        return body


def _set_unless_empty(properties: dict[str, Any], name: str, value: list[Any]) -> None:
    properties.pop(name, None)
    if value:
        properties[name] = value
