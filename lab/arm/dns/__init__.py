"""Microsoft.Network/dnsZones and privateDnsZones. The two spell the same things differently."""

from . import kinds, rules

__all__ = ["kinds", "rules"]
