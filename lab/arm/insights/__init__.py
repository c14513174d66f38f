"""Microsoft.Insights: diagnostic settings."""

from . import kinds, routes, rules

__all__ = ["kinds", "routes", "rules"]
