"""What an address plan costs, for 10 to 10,000 stamps of 16 subnets, against ansible.utils.ipsubnet and netaddr.

All are called as Python functions, ours and ansible.utils' as the filters that a playbook names. The peers get the index of each prefix given, since
they have no register and look for nothing: two filter calls a range (IPv4 and IPv6), 38 a stamp, where ours looks for free room, passes over what is
taken, and returns the register.

make bench
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import netaddr
from ansible.plugins.loader import filter_loader

from tests.bench.measuring import alternate, ratios, spread, target
from tests.loader import find_collections

STAMPS, SUBNETS = (10, 30, 100, 1000, 10_000), 16
#: where the peers are compared
COMPARED, ROUNDS = 30, 15
LINEAR_ROUNDS = 3
LEAST, MOST = 10, 1.3
#: 10,000 stamps need nearly all private IPv4 space, so each is small: room for 16 subnets of 64 addresses, one node, and 16 Services
POOLS = {"vnet": ["10.0.0.0/8"], "pods": ["100.64.0.0/10"], "services": ["172.16.0.0/12"]}
LENGTHS = {"vnet": 22, "pods": 24, "services": 28}
OWN = "2001:db8::/32"


def specifications(count: int) -> list[dict[str, Any]]:
    shared = {
        "organisation": "example",
        "ipv4_pools": POOLS,
        "ipv6_prefix": OWN,
        "subnets": {f"subnet{number:02}": {"ipv4_prefix_length": 26} for number in range(SUBNETS)},
        **{f"{name}_ipv4_prefix_length": length for name, length in LENGTHS.items()},
    }
    return [{**shared, "stamp": f"stamp{number:05}"} for number in range(count)]


def by_index(subnet: Callable[[str, int, int], str], count: int) -> dict[str, Any]:
    """The same ranges, one after the other: ``subnet(prefix, length, index)`` is the peer's."""
    plans = {}
    for number in range(count):
        stamp = subnet(OWN, 48, number)
        vnet = {"ipv4": subnet(POOLS["vnet"][0], LENGTHS["vnet"], number), "ipv6": subnet(stamp, 56, 0)}
        plans[f"stamp{number:05}"] = {
            "vnet": vnet,
            "pods": {"ipv4": subnet(POOLS["pods"][0], LENGTHS["pods"], number), "ipv6": subnet(stamp, 64, 256)},
            "services": {"ipv4": subnet(POOLS["services"][0], LENGTHS["services"], number), "ipv6": subnet(stamp, 108, 512 << 44)},
            "subnets": {
                f"subnet{index:02}": {"ipv4": subnet(vnet["ipv4"], 26, index), "ipv6": subnet(vnet["ipv6"], 64, index)} for index in range(SUBNETS)
            },
        }
    return plans


def netaddr_subnet(prefix: str, length: int, index: int) -> str:
    """The direct way: its ``subnet`` counts up to the index, which for a /108 in a /48 never ends."""
    space = netaddr.IPNetwork(prefix)
    first = space.first + (index << ((32 if space.version == 4 else 128) - length))
    return str(netaddr.IPNetwork(f"{netaddr.IPAddress(first, space.version)}/{length}"))


def timed(work: Callable[[], object]) -> float:
    # The collector's own runs would count for whoever comes when one is due.
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    find_collections()
    from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plans

    ipsubnet = filter_loader.get("ansible.utils.ipsubnet").j2_function
    wanted = specifications(COMPARED)

    def ansible_utils_subnet(prefix: str, length: int, index: int) -> str:
        # The first argument is Jinja's environment, which the filter takes and does not use.
        return str(ipsubnet(None, prefix, str(length), index))

    theirs, netaddrs = by_index(ansible_utils_subnet, 2), by_index(netaddr_subnet, 2)
    if theirs != netaddrs or any(str(netaddr.IPNetwork(plan["pods"]["ipv6"])) != plan["pods"]["ipv6"] for plan in theirs.values()):
        sys.exit(f"plan: the peers do not agree: {theirs} {netaddrs}")
    if not all(len(plan["subnets"]) == SUBNETS and len(plan["vnet"]) == 2 for plan in address_plans(wanted, {})["plans"].values()):
        sys.exit("plan: our plan is not whole")
    ours, utils, direct = alternate(
        ROUNDS,
        lambda: timed(lambda: address_plans(wanted, {})),
        lambda: timed(lambda: by_index(ansible_utils_subnet, COMPARED)),
        lambda: timed(lambda: by_index(netaddr_subnet, COMPARED)),
    )
    print(f"plan: {COMPARED} stamps of {SUBNETS} subnets, {ROUNDS} rounds")
    print(f"{'':16} {'ms a stamp':>22} {'of ours':>20}")
    for name, found in (("ours", ours), ("ansible.utils", utils), ("netaddr", direct)):
        print(f"{name:16} {spread([1000 * it / COMPARED for it in found], 3):>22} {spread(ratios(found, ours), 1):>20}", flush=True)
    print(f"plan: ours by the number of stamps, {LINEAR_ROUNDS} rounds")
    print(f"{'stamps':>7} {'seconds':>26} {'ms a stamp':>24}")
    sizes = {count: specifications(count) for count in STAMPS}
    rows = dict(
        zip(
            sizes, alternate(LINEAR_ROUNDS, *((lambda found=found: timed(lambda: address_plans(found, {}))) for found in sizes.values())), strict=True
        )
    )
    for count, found in rows.items():
        print(f"{count:7} {spread(found, 4):>26} {spread([1000 * it / count for it in found], 3):>24}")
    target("plan: ansible.utils' time of ours", statistics.median(ratios(utils, ours)), LEAST, 1, at_least=True)
    each = {count: statistics.median(found) / count for count, found in rows.items()}
    target("plan: time for a stamp of 10,000, of that for one of 100", each[10_000] / each[100], MOST)


if __name__ == "__main__":
    main()
