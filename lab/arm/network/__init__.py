"""Microsoft.Network: virtual networks, addresses, NAT gateways, load balancers, private endpoints. Its DNS zones are in ``dns``."""

from . import kinds, routes, rules

__all__ = ["kinds", "routes", "rules"]
