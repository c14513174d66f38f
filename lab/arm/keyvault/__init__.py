"""Microsoft.KeyVault: vaults with soft delete, and their secrets."""

from . import kinds, routes, rules

__all__ = ["kinds", "routes", "rules"]
