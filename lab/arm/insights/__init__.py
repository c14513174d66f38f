"""Microsoft.Insights: diagnostic settings."""

from . import kinds, routes

__all__ = ["kinds", "routes"]
