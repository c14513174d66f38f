"""What Microsoft.Network refuses."""

from . import (
    dedicated_subnets,
    load_balancers,
    nat_gateways,
    private_endpoints,
    public_addresses,
    route_tables,
    security_groups,
    virtual_networks,
)

__all__ = [
    "dedicated_subnets",
    "load_balancers",
    "nat_gateways",
    "private_endpoints",
    "public_addresses",
    "route_tables",
    "security_groups",
    "virtual_networks",
]
