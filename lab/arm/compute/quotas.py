"""What counts towards the quotas of Microsoft.Compute."""

from __future__ import annotations

from collections import Counter

from ..azure import Azure
from .kinds import SCALE_SET
from .sizes import FAMILIES, known

#: the quota of all vCPUs of a region, and those of families of sizes
CORES = "cores"
NAMES = [CORES, *FAMILIES]


def usages(azure: Azure, location: str) -> Counter[str]:
    """vCPUs that a region's scale sets have, by quota."""
    found: Counter[str] = Counter()
    for scale_set in azure.store.of_type(SCALE_SET):
        size = known(scale_set.body["sku"]["name"])
        if size and scale_set.body["location"] == location:
            cores = size.vcpus * int(scale_set.body["sku"]["capacity"])
            found.update({CORES: cores, size.family: cores})
    return found
