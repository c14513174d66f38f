"""What AKS calls the resources that it makes for a cluster."""

from __future__ import annotations

from .. import ids
from ..azure import Azure
from ..network.bodies import LOAD_BALANCER, NSG, VNET
from ..store import Resource


def cluster_number(cluster: str) -> str:
    """The eight digits that AKS puts into the names of a cluster's resources."""
    return f"{int(ids.stable_uuid(cluster, 'number')[:8], 16) % 100000000:08}"


def node_resource_group(cluster: Resource) -> str:
    """Name of the node resource group: the body's, or ``MC_<group>_<cluster>_<location>``."""
    given = cluster.properties.get("nodeResourceGroup")
    return str(given or f"MC_{ids.parse(cluster.id).resource_group}_{cluster.name}_{cluster.body['location']}")


def group_id(azure: Azure, name: str) -> str:
    """Id of a resource group."""
    return f"{azure.subscription_id}/resourceGroups/{name}"


def node_group_id(azure: Azure, cluster: Resource) -> str:
    """Id of the node resource group."""
    return group_id(azure, node_resource_group(cluster))


def managed_vnet(azure: Azure, cluster: Resource) -> str:
    """Id of the virtual network that AKS makes when pools name no subnet."""
    return f"{node_group_id(azure, cluster)}/providers/{VNET}/aks-vnet-{cluster_number(cluster.id)}"


def managed_subnet(azure: Azure, cluster: Resource) -> str:
    """Id of the subnet in it."""
    return f"{managed_vnet(azure, cluster)}/subnets/aks-subnet"


def nodes_security_group(azure: Azure, cluster: Resource) -> str:
    """Id of the security group on the nodes' network interfaces."""
    return f"{node_group_id(azure, cluster)}/providers/{NSG}/aks-agentpool-{cluster_number(cluster.id)}-nsg"


def public_balancer(azure: Azure, cluster: Resource) -> str:
    """Id of the public load balancer."""
    return f"{node_group_id(azure, cluster)}/providers/{LOAD_BALANCER}/kubernetes"


def scale_set_name(pool: str, number: str) -> str:
    """The scale set of a pool; ``number`` is its cluster's."""
    return f"aks-{pool}-{number}-vmss"
