"""NetworkPolicies as nftables rules of a node, read as Cilium on AKS reads them.

An ipBlock never matches a pod or a node, whatever its prefix says (learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium, limitations).
A rule without peers matches everybody (cilium/cilium pkg/k8s/network_policy.go). The API server is outside the cluster, so an ipBlock matches
it (cilium/cilium pkg/ipcache/metadata.go).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .security import merged

Object = Mapping[str, Any]

#: direction -> its peers in a policy's rule, and on which sides of a packet they and the pod are
_DIRECTIONS = {"ingress": ("from", "saddr", "daddr"), "egress": ("to", "daddr", "saddr")}


@dataclass(frozen=True)
class Cluster:
    """What a cluster stores, and where its pods and nodes are."""

    policies: Sequence[Object]
    namespaces: Sequence[Object]
    pods: Sequence[Object]
    #: ranges of its pods and addresses of its nodes, which no ipBlock matches
    inside: Sequence[str]


def ruleset(cluster: Cluster, node: str) -> str:
    """The nftables table that a node enforces policies with: outgoing packets of its pods, then incoming ones, after Services were translated.

    What a node sends to its own pods does not pass it. Flows that were allowed go on.
    """
    chains: list[str] = []
    jumps: dict[str, list[str]] = {direction: [] for direction in _DIRECTIONS}
    for pod in sorted(_networked(cluster.pods), key=_name_of):
        if pod["spec"].get("nodeName") != node:
            continue
        for direction, (_, _, own) in _DIRECTIONS.items():
            applied = [policy for policy in cluster.policies if _applies(policy, direction, pod)]
            if applied:
                name = f"{direction}_{len(chains)}"
                chains.append(_chain(name, [*_rules(cluster, applied, direction, pod), "drop"]))
                jumps[direction] += [f"{match} jump {name}" for match in _matches(own, _addresses(pod))]
    going_on = "ct state established,related accept"
    # A pod's own node is no pod, so that its input chain has only what leaves pods. No policy filters neighbour discovery.
    neighbours = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
    chains += [
        _chain("forwarded", ["type filter hook forward priority filter; policy accept;", going_on, *jumps["egress"], *jumps["ingress"]]),
        _chain("to_the_node", ["type filter hook input priority filter; policy accept;", neighbours, going_on, *jumps["egress"]]),
    ]
    sets = (_set(version, [item for item in merged(cluster.inside) if ipaddress.ip_network(item).version == version]) for version in (4, 6))
    return "table inet policies\ndelete table inet policies\ntable inet policies {\n" + "\n".join([*sets, *chains]) + "\n}\n"


def _rules(cluster: Cluster, applied: Iterable[Object], direction: str, pod: Object) -> list[str]:
    """What policies allow a pod in one direction, whose verdict is `return`; a pod always reaches itself."""
    peers, side, _ = _DIRECTIONS[direction]
    found = [f"{match} return" for match in _matches(side, _addresses(pod))]
    for policy in applied:
        for rule in policy["spec"].get(direction) or []:
            for port in rule.get("ports") or [{}]:
                found += [f"{match} return".lstrip() for match in _allowed(cluster, policy, rule.get(peers) or [], side, port, pod)]
    return list(dict.fromkeys(found))


def _allowed(cluster: Cluster, policy: Object, peers: Sequence[Object], side: str, port: Object, pod: Object) -> Iterator[str]:
    """The matches of one port of a rule, of which one suffices; an empty one matches everything."""
    selected = [other for other in _networked(cluster.pods) if any(_is_peer(cluster, policy, peer, other) for peer in peers)]
    if isinstance(port.get("port"), str) and side == "daddr":
        # The name is one of the other pod's ports.
        for other in selected if peers else _networked(cluster.pods):
            for named in _numbers(other, port):
                yield from (f"{match} {_port(port, named)}" for match in _matches(side, _addresses(other)))
        return
    matches = [*_matches(side, [address for other in selected for address in _addresses(other)])] if peers else [""]
    matches += [_outside(peer["ipBlock"], side) for peer in peers if peer.get("ipBlock")]
    numbers = _numbers(pod, port) if isinstance(port.get("port"), str) else [port.get("port")]
    for number in numbers:
        yield from (f"{match} {_port(port, number)}".strip() for match in matches)


def _applies(policy: Object, direction: str, pod: Object) -> bool:
    spec = policy["spec"]
    return (
        policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and direction.capitalize() in spec["policyTypes"]
        and selects(spec.get("podSelector") or {}, pod)
    )


def _is_peer(cluster: Cluster, policy: Object, peer: Object, pod: Object) -> bool:
    if peer.get("ipBlock"):
        return False
    place = pod["metadata"]["namespace"]
    if peer.get("namespaceSelector") is None:
        here = place == policy["metadata"]["namespace"]
    else:
        here = any(item["metadata"]["name"] == place and selects(peer["namespaceSelector"], item) for item in cluster.namespaces)
    return here and selects(peer.get("podSelector") or {}, pod)


def selects(selector: Object, item: Object) -> bool:
    """Whether a label selector of Kubernetes matches an object."""
    labels = item["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) and all(
        _fulfils(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _fulfils(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _networked(pods: Iterable[Object]) -> Iterator[Object]:
    """The pods that have addresses of their own; those on their node's network are the node, and those that ended have given theirs back."""
    for pod in pods:
        if _addresses(pod) and not pod["spec"].get("hostNetwork") and pod["status"].get("phase") not in ("Succeeded", "Failed"):
            yield pod


def _name_of(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _addresses(pod: Object) -> list[str]:
    return [item["ip"] for item in pod.get("status", {}).get("podIPs") or []]


def _matches(side: str, addresses: Iterable[str]) -> Iterator[str]:
    """The matches of addresses, one for each family that they have."""
    found = [ipaddress.ip_address(address) for address in addresses]
    for family, version in (("ip", 4), ("ip6", 6)):
        own = sorted(str(address) for address in found if address.version == version)
        if own:
            yield f"{family} {side} {{ {', '.join(own)} }}"


def _outside(block: Object, side: str) -> str:
    # The API server takes prefixes with host bits.
    network, *excepted = (ipaddress.ip_network(item, strict=False) for item in (block["cidr"], *(block.get("except") or [])))
    family = "ip" if network.version == 4 else "ip6"
    words = [f"{family} {side} {network}", f"{family} {side} != @inside_ipv{network.version}"]
    if excepted:
        words.append(f"{family} {side} != {{ {', '.join(merged(map(str, excepted)))} }}")
    return " ".join(words)


def _numbers(pod: Object, port: Object) -> list[int]:
    """The ports that a name stands for in a pod."""
    declared = (item for container in pod["spec"].get("containers") or [] for item in container.get("ports") or [])
    wanted = (port["port"], port.get("protocol", "TCP"))
    return [item["containerPort"] for item in declared if (item.get("name"), item.get("protocol", "TCP")) == wanted]


def _port(port: Object, number: int | None) -> str:
    if not port:
        return ""
    protocol = port.get("protocol", "TCP").lower()
    if number is None:
        return f"meta l4proto {protocol}"
    return f"{protocol} dport {number}-{port['endPort']}" if port.get("endPort") else f"{protocol} dport {number}"


def _set(version: int, elements: Sequence[str]) -> str:
    members = f"elements = {{ {', '.join(elements)} }}; " if elements else ""
    return f"set inside_ipv{version} {{ type ipv{version}_addr; flags interval; {members}}}"


def _chain(name: str, lines: Iterable[str]) -> str:
    return f"chain {name} {{\n" + "".join(f"  {line}\n" for line in lines) + "}"
