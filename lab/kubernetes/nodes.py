"""A node: containerd, a real kubelet and a real kube-proxy in the network namespace of its VM.

kube-proxy stands in for AKS' Cilium data plane.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..packets import namespaces
from ..packets.namespaces import Namespace
from ..process import Process
from ..supplies import binaries, debian, images
from . import cgroups
from .runtime import UMASK, Runtime, filled_root


@dataclass(frozen=True)
class Membership:
    """What a node needs of its cluster."""

    kubeconfig: Path
    proxy_kubeconfig: Path
    certificate_authority: Path
    dns_service_ip: str
    pod_cidrs: Sequence[str]
    #: Unix socket that secrets for volumes come from, where the cluster has the add-on
    secrets: Path | None = None


#: inotify instances of a kubelet and its containerd, each a user's
_INSTANCES = 7
_INSTANCES_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")


class NoRoom(Exception):
    """The kernel has no inotify instances left for nodes."""


def has_room(number: int) -> bool:
    """Whether so many nodes could have their inotify instances (inotify(7)): a kubelet without them ends at once."""
    libc = ctypes.CDLL(None)
    made: list[int] = [libc.inotify_init() for _ in range(_INSTANCES * number)]
    for descriptor in made:
        if descriptor >= 0:
            os.close(descriptor)
    return min(made, default=0) >= 0


async def await_room(number: int, timeout: float = 60) -> None:
    """Wait until so many nodes can start: another lab may be about to end. Raises :class:`NoRoom`."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not has_room(number):
        if asyncio.get_running_loop().time() > deadline:
            raise NoRoom(
                f"all {_INSTANCES_LIMIT.read_text().strip()} inotify instances that this user may have are in use, and {number} nodes need "
                f"{_INSTANCES} each. End other labs, or allow more: sysctl fs.inotify.max_user_instances=512"
            )
        await asyncio.sleep(1)


class Node:
    """Starts fresh: only the images are kept from earlier runs."""

    def __init__(
        self, name: str, folder: Path, cgroup: str, namespace: Namespace, addresses: Sequence[str], max_pods: int, membership: Membership
    ) -> None:
        self.name, self._folder, self._cgroup = name, folder, cgroup
        self._namespace, self._addresses, self._max_pods, self._membership = namespace, addresses, max_pods, membership
        # Sockets are made below it, whose paths have 107 characters at most; /run is the lab's own.
        self._root = Path("/run/kubelet", name)
        self._runtime = Runtime(name, folder, namespace.program)
        self._processes: list[Process] = []

    async def start(self) -> None:
        """The container runtime with the images in it; then kubelet and kube-proxy."""
        self._forget()
        await self._runtime.fill(await filled_root())
        await self._runtime.start()
        cgroups.create(self._cgroup)
        await asyncio.gather(
            self._run("kubelet", binaries.path_of("kubelet"), self._kubelet_flags()),
            self._run("kube-proxy", binaries.path_of("kube-proxy"), self._proxy_flags()),
            *([self._run("secretsstore", images.program("secretsstore"), self._secrets_flags())] if self._membership.secrets else []),
        )

    async def _run(self, name: str, program: Path, flags: dict[str, Any]) -> None:
        words = self._namespace.program(program, *(f"--{flag}={value}" for flag, value in flags.items()))
        process = Process(name, words, self._folder / f"{name}.log", environment=debian.environment(), umask=UMASK, kept=True)
        self._processes.append(process)
        await process.start()

    def _kubelet_flags(self) -> dict[str, Any]:
        resolver = self._folder / "resolv.conf"
        resolver.write_text("nameserver 168.63.129.16\n")
        configuration = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{self._runtime.socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": self._cgroup,
            "failCgroupV1": False,
            "cgroupsPerQOS": True,
            "enforceNodeAllocatable": [],
            "localStorageCapacityIsolation": False,
            # Kubelets that share a folder delete each other's.
            "podLogsDir": str(self._folder / "pods"),
            "resolvConf": str(resolver),
            "clusterDNS": [self._membership.dns_service_ip],
            "clusterDomain": "cluster.local",
            "maxPods": self._max_pods,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(self._membership.certificate_authority)},
            },
            "authorization": {"mode": "Webhook"},
            # An application that is to have no IPv6 at all switches it off in its pod.
            "allowedUnsafeSysctls": ["net.ipv6.conf.all.disable_ipv6"],
            "evictionHard": {"memory.available": "50Mi"},
            "imageGCHighThresholdPercent": 100,
            "configMapAndSecretChangeDetectionStrategy": "Watch",
        }
        path = self._folder / "kubelet.yaml"
        path.write_text(yaml.safe_dump(configuration))
        return {
            "kubeconfig": self._membership.kubeconfig,
            "config": path,
            "root-dir": self._root,
            "cert-dir": self._folder / "kubelet-pki",
            "hostname-override": self.name,
            "node-ip": ",".join(self._addresses),
            "v": 2,
        }

    def _secrets_flags(self) -> dict[str, Any]:
        return {"node": self.name, "kubelet": self._root, "lab": self._membership.secrets}

    def _proxy_flags(self) -> dict[str, Any]:
        return {
            "kubeconfig": self._membership.proxy_kubeconfig,
            "proxy-mode": "nftables",
            "hostname-override": self.name,
            "cluster-cidr": ",".join(self._membership.pod_cidrs),
            "nodeport-addresses": "primary",
            # Cilium, which it stands in for, does not collect changes for a second.
            "iptables-min-sync-period": "0s",
            # Otherwise it sets the whole machine's conntrack limits.
            "conntrack-max-per-core": 0,
            "conntrack-min": 0,
            "conntrack-tcp-timeout-established": 0,
            "conntrack-tcp-timeout-close-wait": 0,
            "v": 2,
        }

    async def stop(self) -> None:
        """End the node with everything that runs in it, and remove what it kept."""
        while self._processes:
            await self._processes.pop().stop(timeout=2)
        await self._runtime.stop()
        pods = namespaces.of_pods(cgroups.processes(self._cgroup))
        await asyncio.to_thread(cgroups.remove, self._cgroup)
        await namespaces.ip(*(f"netns del {name}" for name in pods))
        await asyncio.to_thread(self._forget)

    def _forget(self) -> None:
        for folder in (self._folder, self._root):
            shutil.rmtree(folder, ignore_errors=True)
