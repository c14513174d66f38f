"""Rules of switching IPv6 of a running stamp on or off.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import Chapter, Finding
from .aks import CONVERT

STATES = ("enabled", "disabled")


@dataclass(frozen=True)
class Switch:
    """The desired state of IPv6, and what a switch meets: the cluster, the address of the IPv6 entrance, and who can ask it.

    ``problem`` says why there is no access to the cluster; ``cluster_families`` are its ``ipFamilies``, ``probe_families`` the families that
    some host of the group ``probes`` has.
    """

    desired: str
    cluster_id: str
    problem: str
    cluster_families: tuple[str, ...]
    address_id: str
    address_exists: bool
    probe_families: tuple[str, ...]


CHAPTER = Chapter[Switch]("switching")
rule = CHAPTER.rule


@rule("set -e dualstack_ipv6=enabled or -e dualstack_ipv6=disabled")
def toggle_wish(switch: Switch) -> Iterator[Finding]:
    """A desired state that is neither enabled nor disabled."""
    if switch.desired not in STATES:
        yield "dualstack_ipv6", f"{switch.desired!r} is neither enabled nor disabled"


@rule("build the stamp with site.yml first; if the cluster exists, wait until it is ready")
def toggle_cluster(switch: Switch) -> Iterator[Finding]:
    """A cluster that does not exist or is not ready: only a running stamp can be switched."""
    if switch.problem:
        yield "ingress_cluster_id", switch.problem.rstrip(".")


@rule(CONVERT, "https://learn.microsoft.com/azure/aks/configure-dual-stack")
def toggle_families(switch: Switch) -> Iterator[Finding]:
    """A cluster without IPv6: switching never converts a cluster."""
    if not switch.problem and "IPv6" not in switch.cluster_families:
        yield "ingress_cluster_id", f"{switch.cluster_id.rpartition('/')[2]} has only {', '.join(switch.cluster_families)}"


@rule("run site.yml, which creates it")
def toggle_address(switch: Switch) -> Iterator[Finding]:
    """Switching IPv6 on without a public address for its entrance."""
    if switch.desired == "enabled" and not switch.address_exists:
        yield "ingress_entrance_ipv6_id", f"{switch.address_id} does not exist"


@rule("add a host with IPv6 ({probes: {hosts: {a-host: {probe_families: [ipv6]}}}}): AAAA is published only after the entrance answered")
def toggle_probe(switch: Switch) -> Iterator[Finding]:
    """Switching IPv6 on without a probe host that can request its entrance."""
    if switch.desired == "enabled" and "ipv6" not in switch.probe_families:
        yield "probes", "no host of the inventory group probes has ipv6 in probe_families"
