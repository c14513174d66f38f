"""Microsoft.Authorization: role assignments, locks and the built-in roles."""

from . import kinds, routes, rules

__all__ = ["kinds", "routes", "rules"]
