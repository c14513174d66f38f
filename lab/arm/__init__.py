"""Azure Resource Manager, Entra ID and the services behind them, in one process.

Each service is a folder with the same rooms: ``kinds`` (its resource types), ``rules`` (what it refuses) and ``routes`` (requests that
are about no single resource), where it has them. A service registers what it has when it is imported, which happens here and nowhere
else: importing anything of this package brings all services.
"""

from . import (
    authorization,
    compute,
    containerregistry,
    containerservice,
    dns,
    insights,
    keyvault,
    managedidentity,
    network,
    operationalinsights,
    resources,
)

__all__ = [
    "authorization",
    "compute",
    "containerregistry",
    "containerservice",
    "dns",
    "insights",
    "keyvault",
    "managedidentity",
    "network",
    "operationalinsights",
    "resources",
]
