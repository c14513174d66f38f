"""Microsoft.ManagedIdentity: identities and their federated credentials."""

from . import kinds, rules

__all__ = ["kinds", "rules"]
