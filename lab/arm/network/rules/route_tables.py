"""What route tables refuse."""

from __future__ import annotations

from ...azure import Azure
from ...errors import ArmError
from ...kinds import Write
from ...rules import delete_rule, rule
from ...store import Resource
from ..bodies import ROUTE_TABLE, SUBNET
from ..usage import references_to
from .shared import RESOURCE_NAMES, check_names_are_unique, version_of


@delete_rule("route-table-in-use", ROUTE_TABLE, "learn.microsoft.com/azure/virtual-network/manage-route-table")
def route_table_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in references_to(azure, SUBNET, "routeTable", resource.id):
        raise ArmError(400, "InUseRouteTableCannotBeDeleted", f"{resource.id} cannot be deleted: it is in use by {subnet.id}.")


@rule("route-names", ROUTE_TABLE, RESOURCE_NAMES)
def route_names_are_unique(write: Write) -> None:
    check_names_are_unique(write, "routes")


@rule("route-one-family", ROUTE_TABLE, "learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview")
def next_hop_has_the_prefix_family(write: Write) -> None:
    for route in write.properties["routes"]:
        hop = route["properties"].get("nextHopIpAddress")
        prefix = version_of(route["properties"].get("addressPrefix", ""))
        if hop and prefix and version_of(hop) != prefix:
            raise ArmError(400, "InvalidRouteNextHop", f"Route {route['name']}: the next hop {hop} is not of the prefix's family.")
