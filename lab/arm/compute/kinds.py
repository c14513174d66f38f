"""Scale sets and their VMs."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ..azure import Azure
from ..ids import ResourceId
from ..kinds import Kind, Write, kind
from ..network.bodies import LOAD_BALANCER, SCALE_SET_VM, ip_configurations, nic_configurations
from ..network.usage import pool_members
from ..store import Resource

SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"


@kind
class ScaleSet(Kind):
    """The cloud controller PUTs only what it changes; the rest stays."""

    type = SCALE_SET
    has_etag = True
    partial_put = True

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        if name != "networkinterfaces":
            return None
        return {"value": [nic for machine in azure.store.children(resource.id, "virtualMachines") for nic in _interfaces(machine)]}


@kind
class VirtualMachine(Kind):
    """The lab makes none; the cloud controller lists them."""

    type = "Microsoft.Compute/virtualMachines"
    writable = False


@kind
class ScaleSetVM(Kind):
    type = SCALE_SET_VM
    has_etag = True
    honours_if_match = True
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

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        collection, _, wanted = name.partition("/")
        match collection:
            case "instanceview":
                return copy.deepcopy(resource.properties["instanceView"])
            case "networkinterfaces" if not wanted:
                return {"value": list(_interfaces(resource))}
            case "networkinterfaces":
                return next((nic for nic in _interfaces(resource) if nic["name"].lower() == wanted), None)
        return None

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        for configuration in ip_configurations(body["properties"]):
            # Azure shows a VM's addresses on its NIC only.
            configuration["properties"].pop("privateIPAddress", None)
        return body


def _interfaces(machine: Resource) -> Iterator[dict[str, Any]]:
    """A VM's network interfaces as Microsoft.Network shows them: with the addresses."""
    for configuration in copy.deepcopy(nic_configurations(machine.properties)):
        path = f"{machine.id}/networkInterfaces/{configuration['name']}"
        properties = configuration["properties"]
        for item in properties.get("ipConfigurations") or []:
            item["id"] = f"{path}/ipConfigurations/{item['name']}"
            item["properties"] |= {"privateIPAllocationMethod": "Dynamic", "provisioningState": "Succeeded"}
        properties |= {"virtualMachine": {"id": machine.id}, "provisioningState": "Succeeded"}
        yield {"id": path, "name": configuration["name"], "properties": properties}


def _keep_addresses(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Addresses are the lab's own knowledge: a client's PUT does not carry them."""

    before = {item["name"]: item["properties"] for item in ip_configurations(old)}
    for item in ip_configurations(new):
        if "privateIPAddress" in before.get(item["name"], {}):
            item["properties"]["privateIPAddress"] = before[item["name"]]["privateIPAddress"]
