"""The nodes of one cluster where there are packets, and the connections between them and their API server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..arm.azure import Azure
from ..arm.store import Resource
from ..packets import Datacentre
from ..packets.forwarding import Inward, Outward
from ..packets.virtual_network import CONTROL_PLANE
from . import addons
from .control_plane import ControlPlane, Reach
from .nodes import Membership, Node, await_room
from .policies import NetworkPolicies
from .volumes import SecretVolumes


class DataPlane:
    def __init__(self, datacentre: Datacentre, folder: Path, subnet: str, dns_service_ip: str, pod_cidrs: Sequence[str]) -> None:
        self._datacentre, self._folder, self._subnet = datacentre, folder, subnet
        self._dns_service_ip, self._pod_cidrs = dns_service_ip, pod_cidrs
        self._control_plane: ControlPlane | None = None
        self._secrets: SecretVolumes | None = None
        self._policies = NetworkPolicies(pod_cidrs)
        self._running: list[Inward | Outward | SecretVolumes | NetworkPolicies] = []
        self._nodes: dict[str, tuple[Node, str]] = {}

    async def prepare(self) -> Reach:
        """Make the VNet, and the proxy by which the API server reaches into it."""
        vnet = await self._datacentre.vnet(self._subnet)
        egress = Path("/run", f"egress-{self._folder.name}.sock")
        outward = Outward(vnet.namespace, egress, CONTROL_PLANE)
        await outward.start()
        self._running.append(outward)
        return Reach(CONTROL_PLANE, egress)

    async def start(self, control_plane: ControlPlane) -> None:
        """Let nodes reach the API server, and apply what AKS runs in kube-system."""
        self._control_plane = control_plane
        vnet = await self._datacentre.vnet(self._subnet)
        inward = Inward(vnet.namespace, CONTROL_PLANE, control_plane.ports.apiserver)
        await inward.start()
        self._running.append(inward)
        self._policies.start(control_plane)
        self._running.append(self._policies)
        for manifest in addons.manifests(self._dns_service_ip):
            await control_plane.apply(addons.path_of(manifest), manifest)

    async def serve_secrets(self, azure: Azure, cluster: str) -> None:
        """The add-on azureKeyvaultSecretsProvider: volumes with secrets, on nodes that start from now on."""
        assert self._control_plane is not None
        self._secrets = SecretVolumes(azure, cluster, self._control_plane, Path("/run", f"secrets-{self._folder.name}.sock"))
        await self._secrets.start()
        self._running.append(self._secrets)
        for manifest in addons.secrets_provider():
            await self._control_plane.apply(addons.path_of(manifest), manifest)

    @property
    def pod_cidrs(self) -> Sequence[str]:
        """The pods' ranges, for nodes that start from now on."""
        return self._pod_cidrs

    @pod_cidrs.setter
    def pod_cidrs(self, ranges: Sequence[str]) -> None:
        self._pod_cidrs = self._policies.pod_cidrs = ranges

    def enforce_policies(self, enforced: bool) -> None:
        self._policies.enforce(enforced)

    async def converge(self, wanted: Mapping[str, tuple[Resource, Sequence[str], int]]) -> None:
        """Node name -> (its VM, its pods' ranges, how many pods it takes): start what is missing, stop what is no longer wanted."""
        await self.remove(self._nodes.keys() - wanted.keys())
        new = sorted(wanted.keys() - self._nodes.keys())
        await await_room(len(new))
        await asyncio.gather(*(self._add(name, *wanted[name]) for name in new))

    async def remove(self, names: Iterable[str]) -> None:
        """Stop nodes."""
        for name in [name for name in names if name in self._nodes]:
            node, machine = self._nodes.pop(name)
            self._policies.remove(name)
            await node.stop()
            await self._datacentre.remove_node(machine)

    async def _add(self, name: str, machine: Resource, ranges: Sequence[str], max_pods: int) -> None:
        assert self._control_plane is not None
        _, attached = await self._datacentre.add_node(machine, list(ranges))
        self._policies.add(name, attached)
        membership = Membership(
            self._control_plane.node_kubeconfig(name),
            self._control_plane.proxy_kubeconfig(),
            self._control_plane.certificate_authority,
            self._dns_service_ip,
            self._pod_cidrs,
            self._secrets.path if self._secrets else None,
        )
        cgroup = f"/{self._datacentre.label}/{name}"
        node = Node(name, self._folder / "nodes" / name, cgroup, attached.namespace, attached.addresses, max_pods, membership)
        await node.start()
        self._nodes[name] = (node, machine.id)

    async def stop(self) -> None:
        """Stop all nodes and forwarders."""
        await self.converge({})
        await self.disconnect()

    async def disconnect(self) -> None:
        """Stop this before the API server, which waits for its watchers when it stops."""
        while self._running:
            await self._running.pop().stop()
