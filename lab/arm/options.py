"""What a lab was started with."""

from __future__ import annotations

from dataclasses import dataclass, field

#: what Azure counts in a region -> what it calls that, its limit
QUOTAS = {
    "cores": ("Total Regional vCPUs", 10_000),
    "VirtualNetworks": ("Virtual Networks", 1000),
    "IPv4StandardSkuPublicIpAddresses": ("Public IPv4 Addresses - Standard", 1000),
    "IPv6StandardSkuPublicIpAddresses": ("Public IPv6 Addresses - Standard", 1000),
}
#: vCPUs of a family of VM sizes
FAMILY_QUOTA = 10_000


@dataclass
class Options:
    """What a lab was started with."""

    subscription: str = "00000000-0000-4000-8000-000000000001"
    tenant: str = "00000000-0000-4000-8000-000000000002"
    client: str = "00000000-0000-4000-8000-000000000003"
    client_object: str = "00000000-0000-4000-8000-000000000004"
    #: one second in Azure takes this many here
    time_scale: float = 0.02
    unregistered: list[str] = field(default_factory=list)
    #: what is counted -> its limit in each region, where that is not the one of QUOTAS
    quotas: dict[str, int] = field(default_factory=dict)
    any_version: bool = False
    kubernetes: bool = True
