"""Microsoft.ContainerService: managed clusters, their pools, and what AKS makes in the node resource group."""

from . import kinds, routes, rules

__all__ = ["kinds", "routes", "rules"]
