"""The types of Microsoft.ContainerService."""

from __future__ import annotations

CLUSTER = "Microsoft.ContainerService/managedClusters"
POOL = CLUSTER + "/agentPools"
MAINTENANCE = CLUSTER + "/maintenanceConfigurations"
