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


@rule("-e dualstack_ipv6=enabled or -e dualstack_ipv6=disabled")
def toggle_wish(switch: Switch) -> Iterator[Finding]:
    """A desired state that is neither enabled nor disabled."""
    if switch.desired not in STATES:
        yield "dualstack_ipv6", f"{switch.desired!r} is neither enabled nor disabled"


@rule("build the stamp with site.yml first; a cluster that is there must be ready")
def toggle_cluster(switch: Switch) -> Iterator[Finding]:
    """A cluster that does not exist or is not ready: only a running stamp is switched."""
    if switch.problem:
        yield "ingress_cluster_id", switch.problem.rstrip(".")


@rule(CONVERT, "https://learn.microsoft.com/azure/aks/configure-dual-stack")
def toggle_families(switch: Switch) -> Iterator[Finding]:
    """A cluster without IPv6. A switch never converts one."""
    if not switch.problem and "IPv6" not in switch.cluster_families:
        yield "ingress_cluster_id", f"{switch.cluster_id.rpartition('/')[2]} has only {', '.join(switch.cluster_families)}"


@rule("run site.yml, which makes it")
def toggle_address(switch: Switch) -> Iterator[Finding]:
    """IPv6 that is to be switched on without the public address of its entrance."""
    if switch.desired == "enabled" and not switch.address_exists:
        yield "ingress_entrance_ipv6_id", f"{switch.address_id} does not exist"


@rule("add one that has IPv6 ({probes: {hosts: {a-host: {probe_families: [ipv6]}}}}): AAAA is published only for an entrance that answered")
def toggle_probe(switch: Switch) -> Iterator[Finding]:
    """IPv6 that is to be switched on without a host that can ask its entrance."""
    if switch.desired == "enabled" and "ipv6" not in switch.probe_families:
        yield "probes", "no host of the inventory group probes has ipv6 among its probe_families"
