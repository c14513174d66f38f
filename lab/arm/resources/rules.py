"""What Microsoft.Resources refuses."""

from __future__ import annotations

from ..authorization.kinds import LOCK
from ..azure import Azure, plain_location
from ..errors import ArmError
from ..kinds import Write
from ..rules import delete_rule, rule
from ..store import Resource
from .kinds import GROUP
from .subscription import LOCATIONS

_RECORDED = "azure-service-operator 2.18.0, Test_NewResourceGroup_Error"
#: The regions for groups that Azure listed to the recorded client.
_LISTED = """
    centralus eastasia southeastasia eastus eastus2 westus westus2 northcentralus southcentralus westcentralus northeurope westeurope
    japaneast japanwest brazilsouth australiasoutheast australiaeast westindia southindia centralindia canadacentral canadaeast uksouth
    ukwest koreacentral koreasouth francecentral southafricanorth uaenorth australiacentral switzerlandnorth germanywestcentral norwayeast
    jioindiawest westus3 australiacentral2
"""
_REGIONS = sorted({*LOCATIONS, *_LISTED.split()})


@rule("group-location", GROUP, _RECORDED)
def groups_are_in_regions(write: Write) -> None:
    location = str(write.body.get("location"))
    if plain_location(location) not in _REGIONS:
        listed = ",".join(_REGIONS)
        message = f"The provided location '{location}' is not available for resource group. List of available regions is '{listed}'."
        raise ArmError(400, "LocationNotAvailableForResourceGroup", message)


@delete_rule("group-locked", GROUP, "learn.microsoft.com/azure/azure-resource-manager/management/lock-resources")
def nothing_in_the_group_is_locked(azure: Azure, resource: Resource) -> None:
    for lock in azure.store.of_type(LOCK):
        if lock.key.startswith(resource.key + "/"):
            raise ArmError(409, "ScopeLocked", f"The scope '{resource.id}' cannot perform delete operation because '{lock.id}' is locked.")
