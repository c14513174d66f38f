"""What a cluster has of the entrances, and what a run does about IPv6.

This file is private to the collection.

Nothing is remembered between runs: every function takes what Azure and the API server answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .entrances import families_of

MANAGED_BY = "dualstack.aks"
#: what an entrance consists of: kind and API version
KINDS = {
    "Service": "v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "Deployment": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "ConfigMap": "v1",
}

Object = Mapping[str, Any]
Action = Literal["converge", "leave", "flip"]


@dataclass(frozen=True)
class Ipv6State:
    """The desired state of IPv6 beside the actual one, and what a run of site.yml does about it.

    ``action``: ``converge`` applies the IPv6 entrance as declared, ``leave`` does not touch it and shows ``message``, ``flip`` goes through
    the stages of a switch. ``hold`` is the reason that a toggle against the inventory left on the address; empty without one.
    """

    desired: str
    actual: str
    first_build: bool
    hold: str
    action: Action
    message: str


def entrances_in(objects: Iterable[Object]) -> set[str]:
    """Names of the entrances whose object, a Service or a Deployment, is among these."""
    labels = {found["metadata"]["name"]: found["metadata"].get("labels") or {} for found in objects}
    return {name for name, given in labels.items() if given.get("app.kubernetes.io/managed-by") == MANAGED_BY}


def is_first_build(mode: str, upstream: str, deployed: Iterable[str], *, namespace_exists: bool) -> bool:
    """Whether no run has got past IPv6 yet. A run applies the Deployment of the IPv4 entrance when all of IPv6 is there.

    ``deployed`` are names of :func:`entrances_in`, of Deployments.
    """
    return not namespace_exists or ("IPv4" in families_of(mode, upstream) and "entrance-ipv4" not in set(deployed))


def ipv6_state(
    stamp: str,
    *,
    mode: str,
    upstream: str,
    desired: str,
    existing: Iterable[str],
    deployed: Iterable[str],
    namespace_exists: bool,
    hold: str,
    consent: bool,
) -> Ipv6State:
    """Compare what the inventory declares of IPv6 with what the cluster has.

    ``existing`` and ``deployed`` are names of :func:`entrances_in`, of Services and of Deployments; ``consent`` is ``ingress_ipv6_flip``.
    """
    existing = set(existing)
    actual = "enabled" if "entrance-ipv6" in existing else "disabled"
    first_build = is_first_build(mode, upstream, deployed, namespace_exists=namespace_exists)
    action: Action
    # Where the running ingress has IPv6, it is not ours to switch.
    if "IPv6" not in families_of(mode, upstream) or first_build:
        action = "converge"
    elif hold:
        action = "leave"
    elif desired == actual:
        action = "converge"
    else:
        action = "flip" if consent else "leave"
    reason = f"held in that state ({hold})" if hold else f"the inventory declares it {desired}"
    other_way = "" if hold else ", or site.yml with -e dualstack_ipv6_flip=true"
    message = (
        f"{stamp}: IPv6 is {actual} and {reason}. This run leaves IPv6 unchanged and applies everything else. To change it: "
        f"ansible-playbook dualstack.aks.toggle_ipv6 -e dualstack_ipv6={desired} --limit {stamp}{other_way}"
    )
    return Ipv6State(desired, actual, first_build, hold, action, message)


def rolling_out(deployments: Iterable[Object], names: Sequence[str], min_replicas: int) -> list[str]:
    """Those of ``names`` whose proxies do not all run the newest configuration yet.

    Counted as ``kubectl rollout status`` counts: all replicas are new, none is left of the old ones, and all are available. A new Deployment
    has one replica until its autoscaler, seconds later, gives it ``min_replicas``.
    """
    finished = {item["metadata"]["name"] for item in deployments if _is_rolled_out(item, min_replicas)}
    return [name for name in names if name not in finished]


def _is_rolled_out(deployment: Object, min_replicas: int) -> bool:
    status, wanted = deployment.get("status") or {}, int(deployment["spec"]["replicas"])
    counts = [int(status.get(name) or 0) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and wanted >= min_replicas and counts == [wanted] * 3


def without_address(services: Iterable[Object], addresses: Mapping[str, str]) -> list[str]:
    """Those of ``addresses``, name to public address, whose Service does not have its address yet."""
    given = {
        item["metadata"]["name"]: [entry.get("ip") for entry in ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []]
        for item in services
    }
    return [name for name, address in addresses.items() if address not in given.get(name, [])]


def unused_configurations(config_maps: Iterable[Object], replica_sets: Iterable[Object]) -> list[Object]:
    """ConfigMaps that no ReplicaSet mounts, each as far as it takes to delete it.

    Kubernetes keeps as many older ReplicaSets as ``revisionHistoryLimit`` says; a rollback needs their ConfigMaps and no others.
    """
    mounted = {
        volume["configMap"]["name"]
        for item in replica_sets
        for volume in item["spec"]["template"]["spec"].get("volumes") or []
        if volume.get("configMap")
    }
    unused = (item["metadata"]["name"] for item in config_maps if item["metadata"]["name"] not in mounted)
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in unused]
