"""Microsoft.Network/dnsZones and privateDnsZones. The two name the same properties differently."""

from . import kinds, rules

__all__ = ["kinds", "rules"]
