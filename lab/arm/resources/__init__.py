"""Microsoft.Resources: resource groups, and the subscription with its regions, providers, lists and tags."""

from . import kinds, routes, rules, subscription

__all__ = ["kinds", "routes", "rules", "subscription"]
