"""Microsoft.Compute: the scale sets that AKS makes for its pools, their VMs, and the sizes of VMs."""

from . import kinds, routes

__all__ = ["kinds", "routes"]
