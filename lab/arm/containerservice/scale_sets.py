"""The scale set of each pool, and its VMs."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from .. import ids
from ..azure import Azure
from ..compute.kinds import SCALE_SET
from ..network.bodies import ip_configurations
from ..network.usage import free_private_address
from ..store import Resource
from .names import cluster_number, managed_subnet, node_group_id, nodes_security_group, public_balancer, scale_set_name

_SIZE = "Standard_D4ds_v5"
_SURGE = "surge"


class PoolMachines:
    """The scale set of one pool with its VMs, as the cluster's stored body wants them."""

    def __init__(self, azure: Azure, cluster: Resource, pool: Resource) -> None:
        self._azure, self._cluster, self.pool = azure, cluster, pool
        self.name = scale_set_name(pool.name, cluster_number(cluster.id))
        self.id = f"{node_group_id(azure, cluster)}/providers/{SCALE_SET}/{self.name}"
        self._families: list[str] = cluster.properties["networkProfile"]["ipFamilies"]
        self._subnet: str = pool.properties.get("vnetSubnetID") or managed_subnet(azure, cluster)
        self._zones: list[str] = pool.properties.get("availabilityZones") or []

    @property
    def all(self) -> list[Resource]:
        return self._azure.store.children(self.id, "virtualMachines")

    @property
    def surges(self) -> list[Resource]:
        """VMs beyond the pool's count, for the time of an upgrade."""
        return [machine for machine in self.all if machine.hidden.get(_SURGE)]

    @property
    def outdated(self) -> list[Resource]:
        """VMs that are still as they were before a change that replaces nodes."""
        return [machine for machine in self.all if not machine.properties["latestModelApplied"]]

    def ensure(self) -> None:
        """Make the scale set, and as many VMs as the pool counts."""
        if self._azure.store.get(self.id) is None:
            self._azure.make(self.id, self._scale_set())
        count = self.pool.properties["count"]
        machines = {int(machine.body["instanceId"]): machine for machine in self.all if not machine.hidden.get(_SURGE)}
        for instance in range(count):
            if instance not in machines:
                self._make(instance)
        for instance, machine in machines.items():
            if instance >= count:
                self._azure.store.remove(machine.id)
        self._update_scale_set()

    def outdate(self) -> None:
        """Each VM has to be replaced."""
        for machine in self.all:
            machine.properties["latestModelApplied"] = False
            self._azure.store.save(machine)

    def add_surge(self) -> Resource:
        """One VM more than the pool counts."""
        machine = self._make(1 + max(int(machine.body["instanceId"]) for machine in self.all))
        machine.hidden[_SURGE] = True
        self._azure.store.save(machine)
        self._update_scale_set()
        return machine

    def reimage(self, machine: Resource) -> None:
        """Give a VM the scale set's model: it keeps its name and the addresses that it has."""
        had = (configuration["properties"] for configuration in ip_configurations(machine.properties))
        addresses = {properties["privateIPAddressVersion"]: properties["privateIPAddress"] for properties in had if "privateIPAddress" in properties}
        machine.properties["networkProfileConfiguration"] = {"networkInterfaceConfigurations": [self._nic(self._addresses(addresses))]}
        machine.properties["latestModelApplied"] = True
        machine.body["etag"] = f'W/"{uuid.uuid4()}"'
        self._azure.store.save(machine)

    def remove(self, machine: Resource) -> None:
        self._azure.store.remove(machine.id)
        self._update_scale_set()

    def _addresses(self, kept: dict[str, str]) -> dict[str, str]:
        return {family: kept.get(family) or free_private_address(self._azure, self._subnet, family) for family in self._families}

    def _make(self, instance: int) -> Resource:
        zone = self._zones[instance % len(self._zones)] if self._zones else ""
        return self._azure.make(f"{self.id}/virtualMachines/{instance}", self._machine(instance, zone, self._nic(self._addresses({}))))

    def _update_scale_set(self) -> None:
        found = self._azure.get(self.id)
        found.body["sku"]["capacity"] = len(self.all)
        found.properties["virtualMachineProfile"]["networkProfile"] = {"networkInterfaceConfigurations": [self._nic({})]}
        self._azure.store.save(found)

    def _nic(self, addresses: dict[str, str]) -> dict[str, Any]:
        """A network interface; without addresses as the model of a scale set has it."""
        balancer = self._azure.store.get(public_balancer(self._azure, self._cluster))
        pools: dict[str, list[str]] = {"IPv4": ["aksOutboundBackendPool", "kubernetes"], "IPv6": []}
        if balancer and any(item["name"].endswith("IPv6") for item in balancer.properties["outboundRules"]):
            pools["IPv6"].append("aksOutboundBackendPool-IPv6")
        configurations = []
        for family in self._families:
            properties: dict[str, Any] = {"primary": family == "IPv4", "privateIPAddressVersion": family, "subnet": {"id": self._subnet}}
            if balancer and pools[family]:
                properties["loadBalancerBackendAddressPools"] = [{"id": f"{balancer.id}/backendAddressPools/{name}"} for name in pools[family]]
            if family in addresses:
                properties["privateIPAddress"] = addresses[family]
            configurations.append({"name": "ipconfig1" if family == "IPv4" else "ipconfig1-v6", "properties": properties})
        return {
            "name": self.name,
            "properties": {
                "primary": True,
                "enableAcceleratedNetworking": True,
                "enableIPForwarding": True,
                "dnsSettings": {"dnsServers": []},
                "networkSecurityGroup": {"id": nodes_security_group(self._azure, self._cluster)},
                "ipConfigurations": configurations,
            },
        }

    def _scale_set(self) -> dict[str, Any]:
        return {
            "location": self._cluster.body["location"],
            "tags": {"aks-managed-poolName": self.pool.name, "aks-managed-cluster-name": self._cluster.name},
            "zones": self._zones,
            "sku": {"name": self.pool.properties.get("vmSize", _SIZE), "tier": "Standard", "capacity": self.pool.properties["count"]},
            "properties": {
                "orchestrationMode": "Uniform",
                "overprovision": False,
                "singlePlacementGroup": False,
                "uniqueId": ids.stable_uuid(self.id),
                "upgradePolicy": {"mode": "Manual"},
                "virtualMachineProfile": {
                    "osProfile": {"computerNamePrefix": self.name, "adminUsername": "azureuser"},
                    "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}},
                    "networkProfile": {"networkInterfaceConfigurations": [self._nic({})]},
                },
            },
        }

    def _machine(self, instance: int, zone: str, nic: dict[str, Any]) -> dict[str, Any]:
        statuses = [
            {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
            {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"},
        ]
        size = self.pool.properties.get("vmSize", _SIZE)
        return {
            "name": f"{self.name}_{instance}",
            "location": self._cluster.body["location"],
            "instanceId": str(instance),
            "sku": {"name": size, "tier": "Standard"},
            "tags": {"aks-managed-poolName": self.pool.name},
            **({"zones": [zone]} if zone else {}),
            "properties": {
                "latestModelApplied": True,
                "vmId": ids.stable_uuid(self.id, str(instance)),
                "hardwareProfile": {"vmSize": size},
                "osProfile": {
                    "computerName": f"{self.name}{_base36(instance)}",
                    "adminUsername": "azureuser",
                    "linuxConfiguration": {"disablePasswordAuthentication": True},
                },
                "storageProfile": {"osDisk": {"osType": "Linux", "name": f"{self.name}_{instance}_os", "createOption": "FromImage"}},
                "networkProfile": {
                    "networkInterfaces": [
                        {"id": f"{self.id}/virtualMachines/{instance}/networkInterfaces/{self.name}", "properties": {"primary": True}}
                    ]
                },
                "networkProfileConfiguration": {"networkInterfaceConfigurations": [copy.deepcopy(nic)]},
                "instanceView": {"statuses": statuses},
            },
        }


def _base36(number: int) -> str:
    """Scale sets number their computers in six digits of base 36."""
    digits = ""
    for _ in range(6):
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def computer_name(machine: Resource) -> str:
    """The name of a VM's node."""
    return str(machine.properties["osProfile"]["computerName"])


def pools_of_cluster(azure: Azure, cluster: Resource) -> list[PoolMachines]:
    """The scale set of every pool of a cluster."""
    return [PoolMachines(azure, cluster, pool) for pool in azure.store.children(cluster.id, "agentPools")]


def machines_of(azure: Azure, cluster: Resource) -> list[tuple[Resource, Resource]]:
    """(pool, VM) for every node of a cluster."""
    return [(found.pool, machine) for found in pools_of_cluster(azure, cluster) for machine in found.all]
