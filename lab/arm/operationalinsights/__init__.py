"""Microsoft.OperationalInsights: Log Analytics workspaces."""

from . import kinds

__all__ = ["kinds"]
