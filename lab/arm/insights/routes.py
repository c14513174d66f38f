"""The categories of logs and metrics that diagnostic settings of a resource can collect."""

from __future__ import annotations

from aiohttp import web

from .. import ids
from ..containerregistry.kinds import REGISTRY
from ..containerservice.types import CLUSTER
from ..keyvault.kinds import VAULT
from ..network.bodies import NSG
from ..request import Request
from ..routes import route

#: learn.microsoft.com/azure/azure-monitor/reference/logs-index
_CATEGORIES = {
    REGISTRY.lower(): ("ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"),
    VAULT.lower(): ("AuditEvent", "AzurePolicyEvaluationDetails"),
    CLUSTER.lower(): (
        "kube-apiserver",
        "kube-audit",
        "kube-audit-admin",
        "kube-controller-manager",
        "kube-scheduler",
        "cluster-autoscaler",
        "cloud-controller-manager",
        "guard",
    ),
    NSG.lower(): ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"),
}


@route(".*/providers/microsoft.insights/diagnosticsettingscategories", method="GET")
def diagnostic_categories(request: Request) -> web.Response:
    resource = request.azure.get(ids.parse(request.path).scope)
    base = f"{resource.id}/providers/Microsoft.Insights/diagnosticSettingsCategories"
    kinds = [(name, "Logs") for name in _CATEGORIES.get(resource.type.lower(), ())] + [("AllMetrics", "Metrics")]
    value = [
        {
            "id": f"{base}/{name}",
            "name": name,
            "type": "Microsoft.Insights/diagnosticSettingsCategories",
            "properties": {"categoryType": category, "categoryGroups": ["allLogs"] if category == "Logs" else []},
        }
        for name, category in kinds
    ]
    return web.json_response({"value": value})
