"""What a lab was started with."""

from __future__ import annotations

from dataclasses import dataclass, field

#: ids of built-in roles
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
#: the names of the service principals
PRINCIPALS = ("client", "reader")
#: what Azure counts in a region -> what it calls that, its limit
QUOTAS = {
    "cores": ("Total Regional vCPUs", 10_000),
    "VirtualNetworks": ("Virtual Networks", 1000),
    "IPv4StandardSkuPublicIpAddresses": ("Public IPv4 Addresses - Standard", 1000),
    "IPv6StandardSkuPublicIpAddresses": ("Public IPv6 Addresses - Standard", 1000),
}
#: vCPUs of a family of VM sizes
FAMILY_QUOTA = 10_000


@dataclass(frozen=True)
class Principal:
    """A service principal of the lab's tenant."""

    name: str
    client_id: str
    object_id: str
    #: the built-in role that it has on the subscription
    role: str


@dataclass
class Options:
    """What a lab was started with."""

    subscription: str = "00000000-0000-4000-8000-000000000001"
    tenant: str = "00000000-0000-4000-8000-000000000002"
    client: str = "00000000-0000-4000-8000-000000000003"
    client_object: str = "00000000-0000-4000-8000-000000000004"
    reader: str = "00000000-0000-4000-8000-000000000005"
    reader_object: str = "00000000-0000-4000-8000-000000000006"
    #: one second in Azure takes this many here
    time_scale: float = 0.02
    unregistered: list[str] = field(default_factory=list)
    #: what is counted -> its limit in each region, where that is not the one of QUOTAS
    quotas: dict[str, int] = field(default_factory=dict)
    any_version: bool = False
    #: a cluster that becomes dual-stack takes IPv6 ranges of its client's, else only those that Azure chooses
    takes_ipv6_ranges: bool = True
    kubernetes: bool = True

    @property
    def principals(self) -> tuple[Principal, ...]:
        """The service principals: the lab's client, and one that may only read."""
        return Principal("client", self.client, self.client_object, OWNER), Principal("reader", self.reader, self.reader_object, READER)
