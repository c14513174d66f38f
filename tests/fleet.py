"""An inventory of many stamps, with the register that plan.yml would write for it."""

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plans
from lab.arm.resources.subscription import LOCATIONS, zones_of

#: /18 for pods: 256 stamps fit the sample's pool, with 64 nodes each
PODS_LENGTH = 18


def write(inventories: Path, count: int) -> list[str]:
    """Replace the sample's stamps by ``count`` others; their names, in the order of the inventory."""
    variables = inventories / "group_vars" / "regions"
    sample = {name: value for path in sorted(variables.glob("*.yml")) for name, value in yaml.safe_load(path.read_text()).items()}
    for path in inventories.glob("*.yml"):
        path.unlink()
    regions = [region for region in LOCATIONS if zones_of(region)]
    stamps = {f"{regions[number % len(regions)]}-{number:03}": regions[number % len(regions)] for number in range(count)}
    hosts = {name: {"dualstack_location": region} for name, region in stamps.items()}
    (inventories / "fleet.yml").write_text(yaml.safe_dump({"regions": {"hosts": hosts}}))
    (variables / "fleet.yml").write_text(yaml.safe_dump({"network_pods_ipv4_prefix_length": PODS_LENGTH}))
    specifications = [
        {
            "organisation": sample["dualstack_organisation"],
            "stamp": name,
            "ipv4_pools": sample["dualstack_ipv4_pools"],
            "subnets": sample["dualstack_subnets"],
            "pods_ipv4_prefix_length": PODS_LENGTH,
        }
        for name in stamps
    ]
    register = address_plans(specifications, {})["register"]
    (variables / "addresses.yml").write_text(yaml.safe_dump({"dualstack_register": register}, sort_keys=False))
    return list(stamps)
