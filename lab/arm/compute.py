"""Microsoft.Compute: the scale sets that AKS makes for its pools, and their VMs."""

from __future__ import annotations

from typing import Any

from .azure import Azure, Kind, Write, kind
from .ids import ResourceId
from .network import LOAD_BALANCER, SCALE_SET_VM, pool_members
from .store import Resource

SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"


@kind
class ScaleSet(Kind):
    """The cloud controller PUTs only what it changes: the rest stays."""

    type = SCALE_SET
    has_etag = True
    partial_put = True


@kind
class VirtualMachine(Kind):
    """None is ever made; the cloud controller lists them."""

    type = "Microsoft.Compute/virtualMachines"
    writable = False


@kind
class ScaleSetVM(Kind):
    type = SCALE_SET_VM
    has_etag = True
    partial_put = True

    def busy_with(self, resource: ResourceId) -> str:
        return resource.text

    def accepted(self, write: Write, resource: Resource) -> None:
        if write.before:
            for name in ("name", "instanceId", "sku", "zones"):
                if name in write.before.body:
                    resource.body[name] = write.before.body[name]
            for name in ("vmId", "instanceView", "latestModelApplied"):
                if name in write.old_properties:
                    resource.properties[name] = write.old_properties[name]
            _keep_addresses(write.old_properties, resource.properties)

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        """Joining a pool changes the load balancer's etag, as it changes what the balancer shows."""
        if before is None or before.get("properties") == resource.properties:
            return
        for balancer in azure.store.of_type(LOAD_BALANCER):
            if any(pool_members(azure, pool["id"]) for pool in balancer.properties["backendAddressPools"]):
                balancer.body["etag"] = resource.body["etag"]
                azure.store.save(balancer)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        for nic in (body["properties"].get("networkProfileConfiguration") or {}).get("networkInterfaceConfigurations") or []:
            for configuration in nic["properties"].get("ipConfigurations") or []:
                # Azure shows a VM's addresses on its NIC only.
                configuration["properties"].pop("privateIPAddress", None)
        return body


def _keep_addresses(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Addresses are the lab's own knowledge: a client's PUT does not carry them."""

    def configurations(properties: dict[str, Any]) -> dict[str, dict[str, Any]]:
        nics = (properties.get("networkProfileConfiguration") or {}).get("networkInterfaceConfigurations") or []
        return {item["name"]: item["properties"] for nic in nics for item in nic["properties"].get("ipConfigurations") or []}

    before = configurations(old)
    for name, properties in configurations(new).items():
        if "privateIPAddress" in before.get(name, {}):
            properties["privateIPAddress"] = before[name]["privateIPAddress"]
