"""Every rule of the lab's Azure: one request that it refuses and one like it that passes."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest

from lab.arm import ids
from lab.arm.authorization import kinds as authorization
from lab.arm.azure import Azure, merge
from lab.arm.compute import kinds as compute
from lab.arm.containerregistry import kinds as containerregistry
from lab.arm.containerservice import types as containerservice
from lab.arm.dns import kinds as dns
from lab.arm.errors import ArmError
from lab.arm.insights import kinds as insights
from lab.arm.keyvault import kinds as keyvault
from lab.arm.kinds import Caller, Write
from lab.arm.managedidentity import kinds as managedidentity
from lab.arm.network import bodies as network
from lab.arm.options import Options
from lab.arm.rules import DELETE_RULES, RULES, DeleteRule, Rule
from lab.arm.store import Resource, Store

Body = dict[str, Any]

QUOTAS = {"IPv6StandardSkuPublicIpAddresses": 4, "Standard NCASv3_T4 Family": 40}
OPTIONS = Options(time_scale=1e-6, quotas=QUOTAS, takes_ipv6_ranges=False)
CALLER = Caller(OPTIONS.client_object, OPTIONS.client)
#: read as the newest types that are stored
API_VERSION = "2099-01-01"
PREVIEW = "2099-01-02-preview"
LOCATION = "westeurope"
SUBSCRIPTION = f"/subscriptions/{OPTIONS.subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"


@dataclass(frozen=True)
class Put:
    path: str
    body: Body
    api_version: str = API_VERSION


@dataclass(frozen=True)
class Delete:
    path: str


@dataclass(frozen=True)
class Make:
    """What Azure makes itself."""

    path: str
    body: Body


@dataclass(frozen=True)
class Occupy:
    """A service enters a subnet in a way of its own."""

    path: str


Act = Put | Delete | Make | Occupy


@dataclass(frozen=True)
class Case:
    """After ``given``, Azure answers ``bad`` with ``code`` and carries out ``good``."""

    code: str
    bad: Put | Delete
    good: Put | Delete
    given: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Another branch of a rule: after ``given``, Azure answers ``bad`` with ``code``."""

    rule: str
    code: str
    bad: Put | Delete
    given: tuple[Act, ...] = ()


@contextmanager
def only(identifier: str) -> Iterator[list[str]]:
    """Azure with this rule alone; the list gets the id of each resource that the rule was asked about."""
    asked: list[str] = []
    found = ALL_RULES[identifier]
    writes: dict[str, Rule] = {}
    deletions: dict[str, DeleteRule] = {}
    if isinstance(found, Rule):
        check_write = found.check

        def count_write(write: Write) -> None:
            asked.append(write.id)
            check_write(write)

        writes[identifier] = replace(found, check=count_write)
    else:
        check_deletion = found.check

        def count_deletion(azure: Azure, resource: Resource) -> None:
            asked.append(resource.id)
            check_deletion(azure, resource)

        deletions[identifier] = replace(found, check=count_deletion)
    with patch.dict(RULES, writes, clear=True), patch.dict(DELETE_RULES, deletions, clear=True):
        yield asked


# Ids and bodies


def at(resource_type: str, *names: str, scope: str = GROUP) -> str:
    namespace, *types = resource_type.split("/")
    return f"{scope}/providers/{namespace}/" + "/".join(f"{kind}/{name}" for kind, name in zip(types, names, strict=True))


def tracked(properties: Body, **more: Any) -> Body:
    return {"location": LOCATION, "properties": properties, **more}


def named(name: str, **properties: Any) -> Body:
    return {"name": name, "properties": properties}


def refer(target: str) -> Body:
    return {"id": target}


def role(guid: str) -> str:
    return f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def assignment(scope: str, number: int) -> str:
    return at(authorization.ASSIGNMENT, f"00000000-0000-4000-9000-{number:012}", scope=scope)


NETWORK_CONTRIBUTOR = role("4d97b98b-1d4f-4787-a291-c67834d212e7")
IDENTITY_OPERATOR = role("f1a07417-d97a-45cb-824c-7a7467783830")
READER = role("acdd72a7-3385-48ef-bd42-f606fba81ae7")

VNET, OTHER_VNET = at(network.VNET, "vnet"), at(network.VNET, "other")
NODES, SPARE, NEW = (at(network.SUBNET, "vnet", name) for name in ("nodes", "spare", "new"))
NSG = at(network.NSG, "nsg")
ROUTES = at(network.ROUTE_TABLE, "routes")
IPV4, IPV6 = at(network.PUBLIC_IP, "ipv4"), at(network.PUBLIC_IP, "ipv6")
PREFIX = at(network.PUBLIC_IP_PREFIX, "prefix")
NAT = at(network.NAT_GATEWAY, "nat")
BALANCER, OTHER_BALANCER = at(network.LOAD_BALANCER, "balancer"), at(network.LOAD_BALANCER, "other")
ENDPOINT = at(network.PRIVATE_ENDPOINT, "endpoint")
PRIVATE_ZONE_NAME = "privatelink.vaultcore.azure.net"
ZONE, PRIVATE_ZONE = at(dns.PUBLIC_ZONE, "lab.example"), at(dns.PRIVATE_ZONE, PRIVATE_ZONE_NAME)
IDENTITY, STRANGER, KUBELET = (at(managedidentity.IDENTITY, name) for name in ("cluster", "stranger", "kubelet"))
CLUSTER = at(containerservice.CLUSTER, "aks")
LOCK_OF_NODES = f"{SUBSCRIPTION}/resourceGroups/MC_rg_aks_westeurope/providers/Microsoft.Authorization/locks/keep"
POOL = at(containerservice.POOL, "aks", "system")
REGISTRY = at(containerregistry.REGISTRY, "registry1")
VAULT = at(keyvault.VAULT, "vault1")
NOWHERE = at(network.SUBNET, "vnet", "nowhere")

VNET_SPACE = ["10.10.0.0/16", "fd00:10::/48"]
NODE_PREFIXES = ["10.10.0.0/24", "fd00:10::/64"]
SPARE_PREFIXES = ["10.10.1.0/24", "fd00:10:0:1::/64"]
NEW_PREFIXES = ["10.10.2.0/24", "fd00:10:0:2::/64"]


def vnet(*space: str, subnets: list[Body] | None = None) -> Body:
    return tracked({"addressSpace": {"addressPrefixes": list(space)}} | ({"subnets": subnets} if subnets is not None else {}))


def subnet(prefixes: list[str], **properties: Any) -> Body:
    return {"properties": {"addressPrefixes": prefixes, **properties}}


def security_rule(name: str = "web", **changes: Any) -> Body:
    properties = {
        "access": "Allow",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "443",
        "direction": "Inbound",
        "priority": 100,
        "protocol": "Tcp",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
    }
    return named(name, **merge(properties, changes))


def nsg(*security_rules: Body) -> Body:
    return tracked({"securityRules": list(security_rules)})


def routes(*found: tuple[str, str, str]) -> Body:
    return tracked(
        {"routes": [named(name, addressPrefix=prefix, nextHopType="VirtualAppliance", nextHopIpAddress=hop) for name, prefix, hop in found]}
    )


def public_ip(version: str = "IPv4", *, sku: str = "Standard", allocation: str = "Static", zones: tuple[str, ...] = ()) -> Body:
    properties = {"publicIPAddressVersion": version, "publicIPAllocationMethod": allocation}
    return tracked(properties, sku={"name": sku}, **({"zones": list(zones)} if zones else {}))


def ip_prefix(length: int, version: str = "IPv4") -> Body:
    return tracked({"prefixLength": length, "publicIPAddressVersion": version}, sku={"name": "Standard"})


def nat(sku: str, *, location: str = LOCATION, v4: tuple[str, ...] = (), v6: tuple[str, ...] = ()) -> Body:
    properties = {name: [refer(item) for item in items] for name, items in (("publicIpAddresses", v4), ("publicIpAddressesV6", v6)) if items}
    return tracked(properties, sku={"name": sku}) | {"location": location}


def frontend(name: str, **properties: str) -> Body:
    return named(name, **{key: refer(target) for key, target in properties.items()})


def balancing(name: str, to: str = "front", port: int = 443, owner: str = BALANCER) -> Body:
    front = refer(f"{owner}/frontendIPConfigurations/{to}")
    return named(name, frontendIPConfiguration=front, protocol="Tcp", frontendPort=port, backendPort=8443)


def balancer(frontends: list[Body], *, pools: tuple[str, ...] = (), balancing_rules: tuple[Body, ...] = (), **parts: list[Body]) -> Body:
    properties = {
        "frontendIPConfigurations": frontends,
        "backendAddressPools": [named(name) for name in pools],
        "loadBalancingRules": list(balancing_rules),
        **parts,
    }
    return tracked(properties, sku={"name": "Standard"})


def probe(name: str, port: int = 80) -> Body:
    return named(name, protocol="Tcp", port=port)


def outbound(name: str, *, pool_name: str = "back", to: str = "front") -> Body:
    fronts = [refer(f"{BALANCER}/frontendIPConfigurations/{to}")]
    return named(name, protocol="All", backendAddressPool=refer(f"{BALANCER}/backendAddressPools/{pool_name}"), frontendIPConfigurations=fronts)


def internal(address: str, version: str = "IPv4") -> Body:
    return named("front", subnet=refer(SPARE), privateIPAddress=address, privateIPAllocationMethod="Static", privateIPAddressVersion=version)


def endpoint(target: str, *, family: str = "IPv4", inside: str = SPARE) -> Body:
    connection = named("connection", privateLinkServiceId=target, groupIds=["vault"])
    return tracked({"ipVersionType": family, "subnet": refer(inside), "privateLinkServiceConnections": [connection]})


def diagnostics(name: str, *categories: str, workspace: str = "logs", **more: Any) -> Put:
    logs = [{"category": category, "enabled": True} for category in categories]
    return Put(at(insights.DIAGNOSTIC_SETTING, name, scope=NSG), {"properties": {"workspaceId": f"{GROUP}/{workspace}", "logs": logs, **more}})


def zone_group(zone: str, name: str = "default") -> Put:
    return Put(f"{ENDPOINT}/privateDnsZoneGroups/{name}", {"properties": {"privateDnsZoneConfigs": [named("vault", privateDnsZoneId=zone)]}})


def vault(sku: str = "standard", **properties: Any) -> Body:
    return tracked({"sku": {"family": "A", "name": sku}, "tenantId": OPTIONS.tenant, **properties})


def registry(sku: str = "Premium", **properties: Any) -> Body:
    return tracked(properties, sku={"name": sku})


def ip_rules(address: str) -> Body:
    return {"defaultAction": "Deny", "ipRules": [{"value": address}]}


def grant(principal: str, definition: str = READER, **properties: Any) -> Body:
    return {"properties": {"principalId": principal, "roleDefinitionId": definition, **properties}}


def link(target: str) -> Body:
    return {"location": "global", "properties": {"virtualNetwork": refer(target), "registrationEnabled": False}}


def records(name: str, field_name: str, address: str, ttl: str = "TTL") -> Body:
    return {"properties": {ttl: 300, name: [{field_name: address}]}}


def cname(zone: str, name: str, ttl: str = "TTL") -> Put:
    return Put(f"{zone}/CNAME/{name}", {"properties": {ttl: 300, "CNAMERecord" if ttl == "TTL" else "cnameRecord": {"cname": "lab.example"}}})


def text(zone: str, name: str, ttl: str = "TTL") -> Put:
    return Put(f"{zone}/TXT/{name}", {"properties": {ttl: 300, "TXTRecords" if ttl == "TTL" else "txtRecords": [{"value": ["text"]}]}})


def alias(target: str) -> Body:
    return {"properties": {"TTL": 300, "targetResource": refer(target)}}


def credential(subject: str) -> Body:
    return {"properties": {"issuer": "https://issuer.example", "subject": subject, "audiences": ["api://AzureADTokenExchange"]}}


def pool(name: str = "system", **changes: Any) -> Body:
    found: Body = merge({"name": name, "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v5", "vnetSubnetID": NODES}, changes)
    return found


def scaled(low: int, high: int) -> Body:
    return {"enableAutoScaling": True, "minCount": low, "maxCount": high}


def pool_body(**changes: Any) -> Body:
    properties = pool(**changes)
    del properties["name"]
    return {"properties": properties}


def cluster(profile: Body | None = None, *, pools: tuple[Body, ...] = (), identities: tuple[str, ...] = (IDENTITY,), **properties: Any) -> Body:
    """A dual-stack cluster that Azure takes, with what a case changes of it; None removes."""
    network_profile = {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkDataplane": "cilium",
        "networkPolicy": "cilium",
        "ipFamilies": ["IPv4", "IPv6"],
        "podCidrs": ["10.244.0.0/16", "fd00:244::/64"],
        "serviceCidrs": ["10.20.0.0/16", "fd00:20::/108"],
        "dnsServiceIP": "10.20.0.10",
        "outboundType": "loadBalancer",
    }
    base = {
        "dnsPrefix": "aks",
        "kubernetesVersion": "1.36",
        "networkProfile": merge(network_profile, profile or {}),
        "agentPoolProfiles": list(pools) or [pool()],
    }
    return tracked(merge(base, properties), identity={"type": "UserAssigned", "userAssignedIdentities": {name: {} for name in identities}})


#: what Windows pools go with
WINDOWS_PROFILE: Body = {"networkDataplane": "azure", "networkPolicy": "none"}


def windows(name: str = "win", **changes: Any) -> Body:
    return pool(name, **{"mode": "User", "osType": "Windows", **changes})


def cluster_of(**changes: Any) -> Put:
    """A new cluster whose pool is otherwise than Azure takes it."""
    return Put(CLUSTER, cluster(pools=(pool(**changes),)))


def another_pool(**changes: Any) -> Put:
    return Put(at(containerservice.POOL, "aks", "apps"), pool_body(**changes))


SINGLE_STACK: Body = {"ipFamilies": ["IPv4"], "podCidrs": ["10.244.0.0/16"], "serviceCidrs": ["10.20.0.0/16"]}


#: what ``az aks update --ip-families`` sends of the ranges
ALONE: Body = {"podCidrs": SINGLE_STACK["podCidrs"], "serviceCidrs": SINGLE_STACK["serviceCidrs"]}
#: Azure's own data plane without an engine for policies
PLAIN: Body = {"networkDataplane": "azure", "networkPolicy": "none"}


def node_subnet(profile: Body | None = None, **more: Any) -> Body:
    """A cluster whose pods have addresses of the nodes' subnet."""
    return single_stack({"networkPluginMode": None, "podCidrs": None} | PLAIN | (profile or {}), **more)


def kubenet(**more: Any) -> Body:
    return single_stack({"networkPlugin": "kubenet", "networkPluginMode": None, "networkDataplane": None, "networkPolicy": None}, **more)


def disrupted(policy: str, found: Body) -> Put:
    return Put(CLUSTER, merge(found, {"properties": {"nodeDisruptionProfile": {"nodeDisruptionPolicy": policy}}}), PREVIEW)


def single_stack(profile: Body | None = None, **more: Any) -> Body:
    return cluster(SINGLE_STACK | (profile or {}), **more)


def balancer_profile(**profile: Any) -> Body:
    return {"loadBalancerProfile": profile}


def kubelet(identity: str) -> Body:
    return {"kubeletidentity": {"resourceId": identity}}


GIVEN_CLUSTER = Put(CLUSTER, cluster())
SYSTEM_ASSIGNED: Body = {"identity": {"type": "SystemAssigned"}}
#: pools that leave no core of a family for a surge node
FULL_QUOTA = (pool(), pool("gpu", mode="User", vmSize="Standard_NC16as_T4_v3", count=2))
NO_DAY = {"absoluteMonthly": {"intervalMonths": 1, "dayOfMonth": 1}}
CLOSED_WINDOW = Put(
    at(containerservice.MAINTENANCE, "aks", "aksManagedNodeOSUpgradeSchedule"),
    {
        "properties": {
            "maintenanceWindow": {"durationHours": 4, "startTime": "00:00", "schedule": {"absoluteMonthly": {"intervalMonths": 1, "dayOfMonth": 1}}}
        }
    },
)
OTHER_NODES = at(network.SUBNET, "other", "nodes")
OTHER_NETWORK = Put(OTHER_VNET, vnet("192.0.2.0/24"))
GIVEN_ZONE, GIVEN_PRIVATE_ZONE = (Put(path, {"location": "global"}) for path in (ZONE, PRIVATE_ZONE))
GIVEN_BALANCER = Put(BALANCER, balancer([frontend("front", publicIPAddress=IPV4)], pools=("back",)))
GATEWAY = Put(NAT, nat("Standard", v4=(IPV4,)))
FRONT = frontend("front", publicIPAddress=IPV4)
SCALE_SET = at(compute.SCALE_SET, "vmss")
MEMBER = named(
    "nic",
    ipConfigurations=[named("ipconfig", subnet=refer(SPARE), loadBalancerBackendAddressPools=[refer(f"{BALANCER}/backendAddressPools/back")])],
)
POOL_MEMBER = (
    GIVEN_BALANCER,
    Make(SCALE_SET, tracked({}, sku={"name": "Standard_D4ds_v5", "capacity": 1})),
    Make(f"{SCALE_SET}/virtualMachines/0", tracked({"networkProfileConfiguration": {"networkInterfaceConfigurations": [MEMBER]}}, instanceId="0")),
)
INTERNAL_BALANCER = Put(BALANCER, balancer([frontend("front", subnet=SPARE)]))
LONG_SUBNET = at(network.SUBNET, "vnet", "n" * 64)
LEGACY = at(network.SUBNET, "vnet", "legacy")
IPV4_SUBNET = Put(LEGACY, subnet(["10.10.3.0/24"]))
DELEGATED = Put(NEW, subnet(NEW_PREFIXES, delegations=[named("api", serviceName="Microsoft.ContainerService/managedClusters")]))


GATEWAY_SUBNET, BASTION_SUBNET, ROUTE_SERVER_SUBNET = (
    at(network.SUBNET, "vnet", name) for name in ("GatewaySubnet", "AzureBastionSubnet", "RouteServerSubnet")
)
SERVICE_NSG = at(network.NSG, "service")
BASTION_RULES = (
    security_rule("in", sourceAddressPrefix="GatewayManager"),
    security_rule("azure", direction="Outbound", destinationAddressPrefix="AzureCloud"),
    security_rule(
        "hosts",
        direction="Outbound",
        priority=110,
        destinationAddressPrefix="VirtualNetwork",
        destinationPortRange=None,
        destinationPortRanges=["22", "3389"],
    ),
)
GATEWAY_RULE = security_rule(sourceAddressPrefix="GatewayManager", destinationPortRange="65200-65535")


def for_service(path: str, group: str = "", service: str = "", **properties: Any) -> Put:
    """A subnet with a group, delegated to a service."""
    properties |= {"networkSecurityGroup": refer(group)} if group else {}
    properties |= {"delegations": [named("d", serviceName=service)]} if service else {}
    return Put(path, subnet(["10.10.4.0/24"], **properties))


APPLICATION_GATEWAYS = "Microsoft.Network/applicationGateways"


def nodes_with(**properties: str) -> Put:
    return Put(NODES, subnet(NODE_PREFIXES, **{name: refer(target) for name, target in properties.items()}))


NO_ICMPV6 = security_rule(protocol="Icmp", sourceAddressPrefix="2001:db8::/32", destinationPortRange="*")

CASES: dict[str, Case] = {
    # Managed clusters
    "aks-names": Case("InvalidParameter", Put(CLUSTER, cluster(dnsPrefix="d" * 55)), Put(CLUSTER, cluster(dnsPrefix="d" * 54))),
    "aks-overlay": Case("DualStackNotSupported", Put(CLUSTER, cluster({"networkPluginMode": None})), GIVEN_CLUSTER),
    "aks-overlay-names": Case(
        "InvalidParameter",
        Put(CLUSTER, cluster(pools=(pool(vnetSubnetID=LONG_SUBNET),))),
        Put(CLUSTER, single_stack({"networkPluginMode": None}, pools=(pool(vnetSubnetID=LONG_SUBNET),))),
        (Put(LONG_SUBNET, subnet(NEW_PREFIXES)),),
    ),
    "aks-overlay-pools": Case(
        "InvalidParameter",
        Put(CLUSTER, cluster(pools=(pool(vmSize="Standard_DC4s_v2"),))),
        Put(CLUSTER, cluster(pools=(pool(vmSize="Standard_DC4s_v3"),))),
    ),
    "aks-overlay-stays": Case(
        "PropertyChangeNotAllowed",
        Put(CLUSTER, cluster({"networkDataplane": "azure", "networkPolicy": "none"})),
        Put(CLUSTER, cluster()),
        (GIVEN_CLUSTER,),
    ),
    "aks-families-order": Case("InvalidIPFamilies", Put(CLUSTER, cluster({"ipFamilies": ["IPv6", "IPv4"]})), GIVEN_CLUSTER),
    "aks-cidr-families": Case("InvalidNetworkCidrs", Put(CLUSTER, cluster({"podCidrs": ["10.244.0.0/16"]})), Put(CLUSTER, single_stack())),
    "aks-service-cidr-ipv6": Case(
        "ServiceCidrTooLarge", Put(CLUSTER, cluster({"serviceCidrs": ["10.20.0.0/16", "fd00:20::/107"]})), Put(CLUSTER, cluster())
    ),
    "aks-service-cidr-ipv4": Case(
        "ServiceCidrTooLarge",
        Put(CLUSTER, cluster({"serviceCidrs": ["10.32.0.0/12", "fd00:20::/108"], "dnsServiceIP": "10.32.0.10"})),
        Put(CLUSTER, cluster({"serviceCidrs": ["10.32.0.0/13", "fd00:20::/108"], "dnsServiceIP": "10.32.0.10"})),
    ),
    "aks-dns-service-ip": Case(
        "DnsServiceIpOutOfServiceCidr", Put(CLUSTER, cluster({"dnsServiceIP": "10.20.0.1"})), Put(CLUSTER, cluster({"dnsServiceIP": "10.20.0.2"}))
    ),
    "aks-reserved-ranges": Case(
        "InvalidCIDR",
        Put(CLUSTER, cluster({"podCidrs": ["172.31.0.0/16", "fd00:244::/64"]})),
        Put(CLUSTER, cluster({"podCidrs": ["172.29.0.0/16", "fd00:244::/64"]})),
    ),
    "aks-cidr-overlap": Case(
        "CidrOverlap",
        Put(CLUSTER, cluster({"podCidrs": ["10.244.0.0/16", "fd00:10::/64"]})),
        Put(CLUSTER, cluster({"podCidrs": ["10.244.0.0/16", "fd00:11::/64"]})),
    ),
    "aks-network-policy": Case(
        "NetworkPolicyNotSupported",
        Put(CLUSTER, cluster({"networkDataplane": "azure", "networkPolicy": "calico"})),
        Put(CLUSTER, single_stack({"networkDataplane": "azure", "networkPolicy": "calico"})),
    ),
    "aks-cilium-version": Case("KubernetesVersionNotSupported", Put(CLUSTER, cluster(kubernetesVersion="1.28")), GIVEN_CLUSTER),
    "aks-version": Case("K8sVersionNotSupported", Put(CLUSTER, cluster(kubernetesVersion="1.30")), Put(CLUSTER, cluster(kubernetesVersion="1.36.3"))),
    "aks-subnet-dual-stack": Case(
        "SubnetNotDualStack",
        Put(CLUSTER, cluster(pools=(pool(vnetSubnetID=LEGACY),))),
        Put(CLUSTER, single_stack(pools=(pool(vnetSubnetID=LEGACY),))),
        (IPV4_SUBNET,),
    ),
    "aks-subnet-delegated": Case("SubnetIsDelegated", Put(CLUSTER, cluster(pools=(pool(vnetSubnetID=NEW),))), GIVEN_CLUSTER, (DELEGATED,)),
    "aks-identity": Case("InvalidParameter", Put(CLUSTER, cluster(identities=(IDENTITY, KUBELET))), GIVEN_CLUSTER),
    "aks-identity-or-principal": Case(
        "InvalidParameter",
        Put(CLUSTER, cluster() | {"identity": {"type": "None"}}),
        Put(CLUSTER, cluster(servicePrincipalProfile={"clientId": OPTIONS.client, "secret": "secret"}) | {"identity": {"type": "None"}}),
    ),
    "aks-http-application-routing": Case(
        "BadRequest",
        Put(CLUSTER, cluster(addonProfiles={"httpApplicationRouting": {"enabled": True}})),
        Put(CLUSTER, cluster(addonProfiles={"httpApplicationRouting": {"enabled": False}})),
    ),
    "aks-subnet-permission": Case("ResourceMissingPermissionError", Put(CLUSTER, cluster(identities=(STRANGER,))), GIVEN_CLUSTER),
    "aks-kubelet-identity-permission": Case(
        "KubeletIdentityMissingPermissionError",
        Put(CLUSTER, cluster(identityProfile=kubelet(STRANGER))),
        Put(CLUSTER, cluster(identityProfile=kubelet(KUBELET))),
    ),
    "aks-managed-outbound": Case(
        "InvalidLoadBalancerProfile",
        Put(CLUSTER, cluster(balancer_profile(managedOutboundIPs={"count": 1}, outboundIPs={"publicIPs": [refer(IPV4), refer(IPV6)]}))),
        Put(CLUSTER, cluster(balancer_profile(outboundIPs={"publicIPs": [refer(IPV4), refer(IPV6)]}))),
    ),
    "aks-outbound-addresses": Case(
        "InvalidLoadBalancerProfile",
        Put(CLUSTER, cluster(balancer_profile(outboundIPs={"publicIPs": []}))),
        Put(CLUSTER, cluster(balancer_profile(outboundIPs={"publicIPs": [refer(IPV4), refer(IPV6)]}))),
    ),
    "aks-outbound-managed-nat-gateway": Case(
        "NatGatewayNotSupported",
        Put(CLUSTER, cluster({"outboundType": "managedNATGateway"}, pools=(pool(vnetSubnetID=None),))),
        Put(CLUSTER, single_stack({"outboundType": "managedNATGateway"}, pools=(pool(vnetSubnetID=None),))),
    ),
    "aks-count-ipv6": Case(
        "InvalidLoadBalancerProfile",
        Put(CLUSTER, single_stack(balancer_profile(managedOutboundIPs={"countIPv6": 1}))),
        Put(CLUSTER, cluster(balancer_profile(managedOutboundIPs={"countIPv6": 1}))),
    ),
    "aks-outbound-nat-gateway": Case(
        "NatGatewayNotSupported",
        Put(CLUSTER, cluster({"outboundType": "userAssignedNATGateway"})),
        Put(CLUSTER, single_stack({"outboundType": "userAssignedNATGateway"})),
        (Put(NAT, nat("Standard")), nodes_with(natGateway=NAT)),
    ),
    "aks-outbound-nat-and-balancer": Case(
        "NatGatewayNotSupported",
        Put(CLUSTER, cluster()),
        Put(CLUSTER, cluster({"outboundType": "userAssignedNATGateway"})),
        (Put(NAT, nat("StandardV2")), nodes_with(natGateway=NAT)),
    ),
    "aks-outbound-udr": Case(
        "ExistingRouteTableNotAssociatedWithSubnet",
        Put(CLUSTER, cluster({"outboundType": "userDefinedRouting"}, pools=(pool(vnetSubnetID=SPARE),))),
        Put(CLUSTER, cluster({"outboundType": "userDefinedRouting"})),
        (Put(ROUTES, routes(("default", "0.0.0.0/0", "10.10.9.4"))), nodes_with(routeTable=ROUTES)),
    ),
    "aks-authorized-ranges": Case(
        "InvalidAuthorizedIPRanges",
        Put(CLUSTER, cluster(apiServerAccessProfile={"authorizedIPRanges": ["2001:db8::/64"]})),
        Put(CLUSTER, cluster(apiServerAccessProfile={"authorizedIPRanges": ["203.0.113.0/24"]})),
    ),
    "aks-local-accounts": Case(
        "DisableLocalAccountsNotSupported",
        Put(CLUSTER, cluster(disableLocalAccounts=True)),
        Put(CLUSTER, cluster(disableLocalAccounts=True, aadProfile={"managed": True})),
    ),
    "aks-oidc-stays": Case(
        "OIDCIssuerFeatureCannotBeDisabled",
        Put(CLUSTER, cluster()),
        Put(CLUSTER, cluster(oidcIssuerProfile={"enabled": True})),
        (Put(CLUSTER, cluster(oidcIssuerProfile={"enabled": True})),),
    ),
    "aks-immutable": Case(
        "PropertyChangeNotAllowed",
        Put(CLUSTER, cluster({"serviceCidrs": ["10.20.0.0/15", "fd00:20::/108"]})),
        Put(CLUSTER, cluster(ALONE, dnsPrefix="AKS")),
        (Put(CLUSTER, single_stack()),),
    ),
    "aks-families-stay": Case("PropertyChangeNotAllowed", Put(CLUSTER, single_stack()), GIVEN_CLUSTER, (GIVEN_CLUSTER,)),
    # Changes of a running cluster's network
    "aks-plugin-mode": Case("UnsupportedNetworkPluginModeWithNetworkPlugin", Put(CLUSTER, cluster({"networkPlugin": "kubenet"})), GIVEN_CLUSTER),
    "aks-one-change": Case("BadRequest", Put(CLUSTER, single_stack()), Put(CLUSTER, single_stack(PLAIN)), (Put(CLUSTER, node_subnet()),)),
    "aks-overlay-policy": Case(
        "ValidationError",
        Put(CLUSTER, single_stack(PLAIN | {"networkPolicy": "azure"})),
        Put(CLUSTER, node_subnet()),
        (Put(CLUSTER, node_subnet({"networkPolicy": "azure"})),),
    ),
    "aks-overlay-version": Case(
        "KubernetesVersionNotSupported",
        Put(CLUSTER, single_stack(PLAIN, kubernetesVersion="1.26")),
        Put(CLUSTER, single_stack(PLAIN)),
        (Put(CLUSTER, node_subnet()),),
    ),
    "aks-overlay-pod-subnet": Case(
        "InvalidParameter", Put(CLUSTER, cluster(pools=(pool(podSubnetID=SPARE),))), Put(CLUSTER, node_subnet(pools=(pool(podSubnetID=SPARE),)))
    ),
    "aks-overlay-identity": Case(
        "InvalidParameter",
        Put(CLUSTER, single_stack(PLAIN) | SYSTEM_ASSIGNED),
        Put(CLUSTER, single_stack(PLAIN)),
        (Put(CLUSTER, kubenet() | SYSTEM_ASSIGNED),),
    ),
    "aks-overlay-pod-range": Case(
        "InvalidParameter",
        Put(CLUSTER, single_stack(PLAIN | {"podCidrs": None})),
        Put(CLUSTER, single_stack(PLAIN)),
        (Put(CLUSTER, node_subnet()),),
    ),
    "aks-data-plane-provisioning": Case(
        "BadRequest",
        Put(CLUSTER, single_stack(nodeProvisioningProfile={"mode": "Auto"})),
        Put(CLUSTER, single_stack()),
        (Put(CLUSTER, single_stack(PLAIN)),),
    ),
    "aks-virtual-nodes": Case(
        "DualStackNotSupported",
        Put(CLUSTER, cluster(addonProfiles={"aciConnectorLinux": {"enabled": True}})),
        Put(CLUSTER, single_stack(addonProfiles={"aciConnectorLinux": {"enabled": True}})),
    ),
    "aks-static-egress": Case(
        "DualStackNotSupported",
        Put(CLUSTER, cluster({"staticEgressGatewayProfile": {"enabled": True}})),
        Put(CLUSTER, single_stack({"staticEgressGatewayProfile": {"enabled": True}})),
    ),
    "aks-upgrade-ranges": Case("PropertyChangeNotAllowed", Put(CLUSTER, cluster()), Put(CLUSTER, cluster(ALONE)), (Put(CLUSTER, single_stack()),)),
    "aks-upgrade-quota": Case(
        "ErrCode_InsufficientVCPUQuota",
        Put(CLUSTER, cluster(ALONE, pools=FULL_QUOTA)),
        Put(CLUSTER, single_stack(pools=FULL_QUOTA)),
        (Put(CLUSTER, single_stack(pools=FULL_QUOTA)),),
    ),
    "aks-upgrade-capacity": Case(
        "InsufficientPodCidr",
        Put(CLUSTER, cluster(ALONE | {"podCidrs": ["10.244.0.0/23"]}, pools=(pool(count=2),))),
        Put(CLUSTER, single_stack({"podCidrs": ["10.244.0.0/23"]}, pools=(pool(count=2),))),
        (Put(CLUSTER, single_stack({"podCidrs": ["10.244.0.0/23"]}, pools=(pool(count=2),))),),
    ),
    "aks-node-group-locked": Case(
        "ScopeLocked",
        Put(CLUSTER, cluster(ALONE)),
        Put(CLUSTER, single_stack()),
        (Put(CLUSTER, single_stack()), Put(LOCK_OF_NODES, {"properties": {"level": "CanNotDelete"}})),
    ),
    "aks-node-disruption": Case(
        "OperationNotAllowed",
        Put(CLUSTER, cluster(ALONE)),
        disrupted("Allow", cluster(ALONE)),
        (disrupted("Block", single_stack()),),
    ),
    "aks-system-pool": Case("InvalidParameter", Put(CLUSTER, cluster(pools=(pool(mode="User"),))), Put(CLUSTER, cluster())),
    "aks-pool-stays-system": Case(
        "InvalidParameter",
        Put(POOL, pool_body(mode="User")),
        Put(at(containerservice.POOL, "aks", "apps"), pool_body(mode="User")),
        (GIVEN_CLUSTER,),
    ),
    "aks-pool-names": Case("InvalidParameter", Put(CLUSTER, cluster(pools=(pool(), pool()))), Put(CLUSTER, cluster(pools=(pool(), pool("apps"))))),
    "aks-pool-introduced": Case("BadRequest", Put(CLUSTER, cluster(pools=(pool(), pool("apps")))), Put(CLUSTER, cluster()), (GIVEN_CLUSTER,)),
    "aks-cluster-pool-counts": Case(
        "InvalidParameter",
        Put(CLUSTER, cluster(pools=(pool(), pool("apps", count=-1)))),
        Put(CLUSTER, cluster(pools=(pool(), pool("apps", mode="User", count=0)))),
    ),
    "aks-pool-counts": Case(
        "InvalidParameter",
        Put(at(containerservice.POOL, "aks", "apps"), pool_body(count=1, **scaled(2, 4))),
        Put(POOL, pool_body(count=1, **scaled(2, 4))),
        (GIVEN_CLUSTER,),
    ),
    "aks-pool-immutable": Case(
        "PropertyChangeNotAllowed",
        Put(POOL, pool_body(vmSize="Standard_D8ds_v5")),
        Put(POOL, pool_body(vmSize="standard_d4ds_v5")),
        (GIVEN_CLUSTER,),
    ),
    "aks-pool-subnet": Case(
        "SubnetIsDelegated",
        Put(at(containerservice.POOL, "aks", "apps"), pool_body(vnetSubnetID=NEW)),
        Put(at(containerservice.POOL, "aks", "apps"), pool_body(vnetSubnetID=SPARE)),
        (GIVEN_CLUSTER, DELEGATED),
    ),
    "aks-cluster-pools": Case("InvalidMaxPods", Put(CLUSTER, cluster(pools=(pool(maxPods=9),))), Put(CLUSTER, cluster(pools=(pool(maxPods=10),)))),
    "aks-pool": Case(
        "InvalidParameter",
        Put(at(containerservice.POOL, "aks", "Apps"), pool_body()),
        Put(at(containerservice.POOL, "aks", "apps"), pool_body()),
        (GIVEN_CLUSTER,),
    ),
    "aks-pool-capacity": Case(
        "InsufficientPodCidr",
        Put(at(containerservice.POOL, "aks", "apps"), pool_body(count=2)),
        Put(at(containerservice.POOL, "aks", "apps"), pool_body(count=1)),
        (Put(CLUSTER, cluster({"podCidrs": ["10.244.0.0/23", "fd00:244::/64"]})),),
    ),
    "aks-cluster-capacity": Case(
        "InsufficientPodCidr",
        Put(CLUSTER, cluster({"podCidrs": ["10.244.0.0/24", "fd00:244::/64"]}, pools=(pool("system", mode="System", count=2),))),
        Put(CLUSTER, cluster({"podCidrs": ["10.244.0.0/24", "fd00:244::/64"]})),
    ),
    **{
        f"aks-{where}-{name}": Case(code, put(**bad), put(**good), given)
        for name, code, bad, good in (
            ("vm-size", "BadRequest", {"vmSize": "Standard_D4ds_v9"}, {"vmSize": "standard_d4ds_v5"}),
            ("vm-fit", "VMSizeTooSmall", {"vmSize": "Standard_B1s"}, {"vmSize": "Standard_B2s"}),
            (
                "zones",
                "AvailabilityZoneNotSupported",
                {"vmSize": "Standard_D2as_v6", "availabilityZones": ["1", "2"]},
                {"vmSize": "Standard_D2as_v6", "availabilityZones": ["2", "3"]},
            ),
            (
                "ephemeral-disk",
                "VMCannotFitEphemeralOSDisk",
                {"osDiskType": "Ephemeral", "osDiskSizeGB": 151},
                {"osDiskType": "Ephemeral", "osDiskSizeGB": 150},
            ),
            (
                "core-quota",
                "ErrCode_InsufficientVCPUQuota",
                {"vmSize": "Standard_NC16as_T4_v3", "count": 3},
                {"vmSize": "Standard_NC16as_T4_v3", "count": 2},
            ),
        )
        for where, put, given in (
            ("cluster", cluster_of, ()),
            ("pool", another_pool, (GIVEN_CLUSTER,)),
        )
    },
    "aks-maintenance-name": Case(
        "InvalidParameter",
        Put(at(containerservice.MAINTENANCE, "aks", "sundays"), {"properties": {}}),
        Put(at(containerservice.MAINTENANCE, "aks", "aksManagedAutoUpgradeSchedule"), {"properties": {}}),
        (GIVEN_CLUSTER,),
    ),
    "aks-last-system-pool": Case(
        "OperationNotAllowed",
        Delete(POOL),
        Delete(at(containerservice.POOL, "aks", "apps")),
        (Put(CLUSTER, cluster(pools=(pool(), pool("apps", mode="User")))),),
    ),
    # Virtual networks
    "vnet-subnet-names": Case(
        "InvalidRequestFormat",
        Put(OTHER_VNET, vnet("10.30.0.0/16", subnets=[{"name": "a", **subnet(["10.30.0.0/24"])}, {"name": "A", **subnet(["10.30.1.0/24"])}])),
        Put(OTHER_VNET, vnet("10.30.0.0/16", subnets=[{"name": "a", **subnet(["10.30.0.0/24"])}, {"name": "b", **subnet(["10.30.1.0/24"])}])),
    ),
    "vnet-address-space": Case(
        "NetcfgInvalidVirtualNetworkSite",
        Put(OTHER_VNET, vnet("10.30.0.0/16", "10.30.128.0/17")),
        Put(OTHER_VNET, vnet("10.30.0.0/17", "10.30.128.0/17")),
    ),
    "subnet-inside-vnet": Case("NetcfgInvalidSubnet", Put(NEW, subnet(["10.11.0.0/24"])), Put(NEW, subnet(NEW_PREFIXES))),
    "subnet-overlap": Case("NetcfgSubnetRangesOverlap", Put(NEW, subnet(["10.10.0.128/25"])), Put(NEW, subnet(NEW_PREFIXES))),
    "subnet-ipv6-64": Case("NetcfgInvalidIPv6SubnetPrefix", Put(NEW, subnet(["10.10.2.0/24", "fd00:10:0:2::/80"])), Put(NEW, subnet(NEW_PREFIXES))),
    "subnet-one-ipv6-prefix": Case(
        "SubnetWithMultipleIPv6Prefixes", Put(NEW, subnet([*NEW_PREFIXES, "fd00:10:0:3::/64"])), Put(NEW, subnet([*NEW_PREFIXES, "10.10.3.0/24"]))
    ),
    "subnet-references": Case(
        "InvalidResourceReference",
        Put(NEW, subnet(NEW_PREFIXES, networkSecurityGroup=refer(at(network.NSG, "nowhere")))),
        Put(NEW, subnet(NEW_PREFIXES, networkSecurityGroup=refer(NSG))),
    ),
    "subnet-without-nsg": Case("NetworkSecurityGroupCannotBeAttachedToGatewaySubnet", for_service(GATEWAY_SUBNET, NSG), for_service(GATEWAY_SUBNET)),
    "subnet-without-route-table": Case(
        "RouteTableCannotBeAttachedForAzureBastionSubnet",
        for_service(BASTION_SUBNET, routeTable=refer(ROUTES)),
        for_service(GATEWAY_SUBNET, routeTable=refer(ROUTES)),
        (Put(ROUTES, routes()),),
    ),
    "subnet-without-nat-gateway": Case(
        "NatGatewayCannotBeAttachedToGatewaySubnet",
        for_service(GATEWAY_SUBNET, natGateway=refer(NAT)),
        for_service(NEW, natGateway=refer(NAT)),
        (Put(NAT, nat("Standard")),),
    ),
    "subnet-delegation-service": Case(
        "InvalidServiceNameOnDelegation", for_service(NEW, service="managedClusters"), for_service(NEW, service="NGINX.NGINXPLUS/nginxDeployments")
    ),
    "subnet-one-delegation": Case(
        "SubnetHasMultipleDelegations",
        for_service(NEW, delegations=[named(name, serviceName=f"Microsoft.Web/{name}") for name in ("serverFarms", "hostingEnvironments")]),
        for_service(NEW, service="Microsoft.Web/serverFarms"),
    ),
    "subnet-delegation-in-use": Case(
        "SubnetDelegationsCannotChangeWhenSubnetUsedByResource",
        Put(SPARE, subnet(SPARE_PREFIXES, delegations=[named("d", serviceName="Microsoft.Web/serverFarms")])),
        Put(SPARE, subnet(SPARE_PREFIXES)),
        (INTERNAL_BALANCER,),
    ),
    "subnet-nsg-of-service": Case(
        "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
        for_service(BASTION_SUBNET, NSG),
        for_service(BASTION_SUBNET, SERVICE_NSG),
        (Put(SERVICE_NSG, nsg(*BASTION_RULES)),),
    ),
    "nsg-of-service": Case(
        "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup",
        Put(SERVICE_NSG, nsg(security_rule(sourceAddressPrefix="GatewayManager", destinationPortRange="65200-65534"))),
        Put(SERVICE_NSG, nsg(merge(GATEWAY_RULE, {"properties": {"sourceAddressPrefix": "Internet"}}))),
        (Put(SERVICE_NSG, nsg(GATEWAY_RULE)), for_service(NEW, SERVICE_NSG, APPLICATION_GATEWAYS)),
    ),
    "vnet-navigation-links": Case(
        "IPv6NotSupportedWithResourceNavigationLinks",
        Put(OTHER_VNET, vnet("192.0.2.0/24", "fd00:20::/48")),
        Put(OTHER_VNET, vnet("192.0.2.0/24", "198.51.100.0/24")),
        (OTHER_NETWORK, Put(OTHER_NODES, subnet(["192.0.2.0/25"])), Occupy(OTHER_NODES)),
    ),
    "subnet-navigation-links": Case(
        "IPv6NotSupportedWithResourceNavigationLinks",
        Put(OTHER_NODES, subnet(["192.0.2.0/25", "fd00:20::/64"])),
        Put(at(network.SUBNET, "other", "more"), subnet(["192.0.2.128/25"])),
        (Put(OTHER_VNET, vnet("192.0.2.0/24", "fd00:20::/48")), Put(OTHER_NODES, subnet(["192.0.2.0/25"])), Occupy(OTHER_NODES)),
    ),
    "subnet-prefix-in-use": Case(
        "InUsePrefixCannotBeDeleted",
        Put(SPARE, subnet(NEW_PREFIXES)),
        Put(SPARE, subnet([*SPARE_PREFIXES, "10.10.2.0/24"])),
        (INTERNAL_BALANCER,),
    ),
    "subnet-in-use": Case("InUseSubnetCannotBeDeleted", Delete(SPARE), Delete(NODES), (INTERNAL_BALANCER,)),
    "vnet-in-use": Case("InUseSubnetCannotBeDeleted", Delete(VNET), Delete(OTHER_VNET), (INTERNAL_BALANCER, Put(OTHER_VNET, vnet("10.30.0.0/16")))),
    # Network security groups and routes
    "nsg-in-use": Case(
        "InUseNetworkSecurityGroupCannotBeDeleted",
        Delete(NSG),
        Delete(at(network.NSG, "free")),
        (nodes_with(networkSecurityGroup=NSG), Put(at(network.NSG, "free"), nsg())),
    ),
    "route-table-in-use": Case(
        "InUseRouteTableCannotBeDeleted",
        Delete(ROUTES),
        Delete(at(network.ROUTE_TABLE, "free")),
        (Put(ROUTES, routes()), nodes_with(routeTable=ROUTES), Put(at(network.ROUTE_TABLE, "free"), routes())),
    ),
    "nsg-names": Case(
        "InvalidRequestFormat",
        Put(NSG, nsg(security_rule(), security_rule("Web", priority=101))),
        Put(NSG, nsg(security_rule(), security_rule("web2", priority=101))),
    ),
    "nsg-protocol": Case(
        "SecurityRuleInvalidProtocol", Put(NSG, nsg(security_rule(protocol="Icmpv6"))), Put(NSG, nsg(security_rule(protocol="icmp")))
    ),
    "nsg-address-prefixes": Case(
        "SecurityRuleInvalidAddressPrefix",
        Put(NSG, nsg(security_rule(sourceAddressPrefix="10.0.0.0/33"))),
        Put(NSG, nsg(security_rule(sourceAddressPrefix="Storage.WestEurope"))),
    ),
    "nsg-port-ranges": Case(
        "SecurityRuleInvalidPortRange",
        Put(NSG, nsg(security_rule(destinationPortRange="443-80"))),
        Put(NSG, nsg(security_rule(destinationPortRange="80-443"))),
    ),
    "nsg-one-family": Case(
        "SecurityRuleAddressFamilyMismatch",
        Put(NSG, nsg(security_rule(sourceAddressPrefix="203.0.113.0/24", destinationAddressPrefix="2001:db8::/32"))),
        Put(NSG, nsg(security_rule(sourceAddressPrefix="Internet", destinationAddressPrefix="2001:db8::/32"))),
    ),
    "nsg-priority": Case(
        "SecurityRuleConflict",
        Put(NSG, nsg(security_rule(), security_rule("again"))),
        Put(NSG, nsg(security_rule(), security_rule("out", direction="Outbound"))),
    ),
    "nsg-singular-or-plural": Case(
        "SecurityRuleParameterConflict",
        Put(NSG, nsg(security_rule(destinationPortRanges=["80", "443"]))),
        Put(NSG, nsg(security_rule(destinationPortRange=None, destinationPortRanges=["80", "443"]))),
    ),
    "nsg-application-security-groups": Case(
        "InvalidResourceReference",
        Put(
            NSG,
            nsg(
                security_rule(
                    sourceAddressPrefix=None, sourceApplicationSecurityGroups=[refer(at("Microsoft.Network/applicationSecurityGroups", "web"))]
                )
            ),
        ),
        Put(NSG, nsg(security_rule(sourceApplicationSecurityGroups=[]))),
    ),
    "nsg-no-icmpv6": Case(
        "SecurityRuleInvalidProtocol", Put(NSG, nsg(NO_ICMPV6)), Put(NSG, nsg(merge(NO_ICMPV6, {"properties": {"protocol": "*"}})))
    ),
    "nsg-limits": Case(
        "MaxSecurityRulesPerNetworkSecurityGroup",
        Put(NSG, nsg(*(security_rule(f"rule{number}", priority=number) for number in range(100, 1101)))),
        Put(NSG, nsg(*(security_rule(f"rule{number}", priority=number) for number in range(100, 1100)))),
    ),
    "nsg-description": Case(
        "InvalidSecurityRuleDescription", Put(NSG, nsg(security_rule(description="d" * 141))), Put(NSG, nsg(security_rule(description="d" * 140)))
    ),
    "route-names": Case(
        "InvalidRequestFormat",
        Put(ROUTES, routes(("default", "::/0", "fd00:10::4"), ("Default", "0.0.0.0/0", "10.10.9.4"))),
        Put(ROUTES, routes(("default6", "::/0", "fd00:10::4"), ("default", "0.0.0.0/0", "10.10.9.4"))),
    ),
    "route-one-family": Case(
        "InvalidRouteNextHop",
        Put(ROUTES, routes(("default", "::/0", "10.10.9.4"))),
        Put(ROUTES, routes(("default", "::/0", "fd00:10::4"), ("default4", "0.0.0.0/0", "10.10.9.4"))),
    ),
    # Public addresses
    "public-ip-static": Case("StandardSkuPublicIPAddressesMustBeStatic", Put(IPV4, public_ip(allocation="Dynamic")), Put(IPV4, public_ip())),
    "public-ip-basic-retired": Case(
        "IPv4BasicSkuPublicIpCountLimitReached",
        Put(at(network.PUBLIC_IP, "new"), public_ip(sku="Basic")),
        Put(at(network.PUBLIC_IP, "new"), public_ip()),
    ),
    "public-ip-quota": Case(
        "PublicIPCountLimitReached",
        Put(at(network.PUBLIC_IP, "new"), public_ip("IPv6")),
        Put(IPV6, public_ip("IPv6") | {"tags": {"a": "b"}}),
        tuple(Put(at(network.PUBLIC_IP, f"more{number}"), public_ip("IPv6")) for number in range(3)),
    ),
    "public-ip-immutable": Case("PublicIPPropertyCannotBeChanged", Put(IPV4, public_ip("IPv6")), Put(IPV4, public_ip() | {"tags": {"a": "b"}})),
    "public-ip-zones": Case(
        "LocationNotSupportAvailabilityZones",
        Put(at(network.PUBLIC_IP, "new"), public_ip() | {"location": "westcentralus", "zones": ["1"]}),
        Put(at(network.PUBLIC_IP, "new"), public_ip() | {"location": "westcentralus"}),
    ),
    "public-ip-in-use": Case("PublicIPAddressCannotBeDeleted", Delete(IPV4), Delete(IPV6), (GIVEN_BALANCER,)),
    "public-ip-prefix-length": Case("PublicIpPrefixLengthOutOfRange", Put(PREFIX, ip_prefix(123, "IPv6")), Put(PREFIX, ip_prefix(124, "IPv6"))),
    "public-ip-prefix-immutable": Case(
        "PublicIpPrefixCannotBeResized", Put(PREFIX, ip_prefix(30)), Put(PREFIX, ip_prefix(31)), (Put(PREFIX, ip_prefix(31)),)
    ),
    "public-ip-in-prefix": Case(
        "PublicIpAndPublicIpPrefixVersionMismatch",
        Put(at(network.PUBLIC_IP, "new"), merge(public_ip(), {"properties": {"publicIPPrefix": refer(PREFIX)}})),
        Put(at(network.PUBLIC_IP, "new"), merge(public_ip("IPv6"), {"properties": {"publicIPPrefix": refer(PREFIX)}})),
        (Put(PREFIX, ip_prefix(124, "IPv6")),),
    ),
    "public-ip-prefix-in-use": Case(
        "PublicIpPrefixCannotBeDeleted",
        Delete(PREFIX),
        Delete(at(network.PUBLIC_IP_PREFIX, "free")),
        (
            Put(PREFIX, ip_prefix(31)),
            Put(at(network.PUBLIC_IP_PREFIX, "free"), ip_prefix(31)),
            Put(at(network.PUBLIC_IP, "new"), merge(public_ip(), {"properties": {"publicIPPrefix": refer(PREFIX)}})),
        ),
    ),
    # NAT gateways
    "nat-gateway-prefixes": Case(
        "NatGatewayAddressVersionMismatch",
        Put(NAT, tracked({"publicIpPrefixes": [refer(PREFIX)]}, sku={"name": "StandardV2"})),
        Put(NAT, tracked({"publicIpPrefixesV6": [refer(PREFIX)]}, sku={"name": "StandardV2"})),
        (Put(PREFIX, ip_prefix(124, "IPv6")),),
    ),
    "nat-gateway-address-in-use": Case(
        "PublicIPAddressInUse",
        GATEWAY,
        Put(NAT, nat("Standard", v4=(at(network.PUBLIC_IP, "new"),))),
        (GIVEN_BALANCER, Put(at(network.PUBLIC_IP, "new"), public_ip())),
    ),
    "nat-gateway-ipv6": Case(
        "NatGatewayIPv6NotSupported",
        Put(NAT, nat("Standard", v6=(IPV6,))),
        Put(NAT, nat("StandardV2", v6=(at(network.PUBLIC_IP, "v2"),))),
        (Put(at(network.PUBLIC_IP, "v2"), public_ip("IPv6", sku="StandardV2")),),
    ),
    "nat-gateway-addresses": Case("NatGatewayAddressVersionMismatch", Put(NAT, nat("Standard", v4=(IPV6,))), Put(NAT, nat("Standard", v4=(IPV4,)))),
    "nat-gateway-region": Case(
        "SkuNotSupportedInRegion", Put(NAT, nat("StandardV2", location="Qatar Central")), Put(NAT, nat("Standard", location="Qatar Central"))
    ),
    "nat-gateway-in-use": Case(
        "InUseNatGatewayCannotBeDeleted",
        Delete(NAT),
        Delete(at(network.NAT_GATEWAY, "free")),
        (Put(NAT, nat("Standard")), nodes_with(natGateway=NAT), Put(at(network.NAT_GATEWAY, "free"), nat("Standard"))),
    ),
    # Load balancers
    "load-balancer-references": Case(
        "InvalidResourceReference",
        Put(BALANCER, balancer([frontend("front", publicIPAddress=IPV4)], balancing_rules=(balancing("https", "nowhere"),))),
        Put(BALANCER, balancer([frontend("front", publicIPAddress=IPV4)], balancing_rules=(balancing("https"),))),
    ),
    "load-balancer-names": Case(
        "InvalidRequestFormat",
        Put(BALANCER, balancer([FRONT], probes=[probe("http"), probe("HTTP", port=81)])),
        Put(BALANCER, balancer([FRONT], probes=[probe("http"), probe("https", port=81)])),
    ),
    "load-balancer-rule-frontend": Case(
        "LoadBalancingRuleMustHaveFrontendIPConfiguration",
        Put(BALANCER, balancer([FRONT], balancing_rules=(merge(balancing("https"), {"properties": {"frontendIPConfiguration": None}}),))),
        Put(BALANCER, balancer([FRONT], balancing_rules=(balancing("https"),))),
    ),
    "load-balancer-frontend-place": Case(
        "FrontendIPConfigHasNoSubnetOrPublicIP",
        Put(BALANCER, balancer([FRONT, named("second")])),
        Put(BALANCER, balancer([FRONT, frontend("second", publicIPPrefix=PREFIX)])),
        (Put(PREFIX, ip_prefix(31)),),
    ),
    "load-balancer-sku": Case(
        "DifferentSkuLoadBalancersAndPublicIPAddressNotAllowed",
        Put(BALANCER, balancer([frontend("front", publicIPAddress=at(network.PUBLIC_IP, "v2"))])),
        Put(BALANCER, balancer([FRONT])),
        (Put(at(network.PUBLIC_IP, "v2"), public_ip(sku="StandardV2")),),
    ),
    "load-balancer-basic-retired": Case(
        "BasicSkuLoadBalancerNotAllowed", Put(BALANCER, tracked({}, sku={"name": "Basic"})), Put(BALANCER, tracked({}, sku={"name": "Standard"}))
    ),
    "load-balancer-private-address": Case(
        "PrivateIPAddressNotInSubnet", Put(BALANCER, balancer([internal("10.10.0.9")])), Put(BALANCER, balancer([internal("10.10.1.9")]))
    ),
    "public-ip-one-frontend": Case(
        "PublicIPReferencedByMultipleIPConfigs",
        Put(BALANCER, balancer([FRONT, frontend("second", publicIPAddress=IPV4)])),
        Put(BALANCER, balancer([FRONT, frontend("second", publicIPAddress=IPV6)])),
    ),
    "load-balancer-address-in-use": Case(
        "PublicIPAddressInUse",
        Put(OTHER_BALANCER, balancer([frontend("front", publicIPAddress=IPV4)])),
        Put(BALANCER, balancer([frontend("renamed", publicIPAddress=IPV4)])),
        (GIVEN_BALANCER,),
    ),
    "load-balancer-one-rule-a-port": Case(
        "RulesUseSameFrontendPortProtocolAndIPConfig",
        Put(BALANCER, balancer([frontend("front", publicIPAddress=IPV4)], balancing_rules=(balancing("one"), balancing("two")))),
        Put(BALANCER, balancer([frontend("front", publicIPAddress=IPV4)], balancing_rules=(balancing("one"), balancing("two", port=80)))),
    ),
    "load-balancer-ipv4-frontend": Case(
        "AtleastOneIpV4RequiredForIpV6LbFrontendIpConfiguration",
        Put(BALANCER, balancer([frontend("front6", publicIPAddress=IPV6)])),
        Put(BALANCER, balancer([frontend("front6", publicIPAddress=IPV6), frontend("front", publicIPAddress=IPV4)])),
    ),
    "load-balancer-pool-in-use": Case(
        "InUseBackendAddressPoolCannotBeDeleted",
        Put(BALANCER, balancer([frontend("front", publicIPAddress=IPV4)])),
        Put(BALANCER, balancer([frontend("front", publicIPAddress=IPV4)], pools=("new", "back"))),
        POOL_MEMBER,
    ),
    "load-balancer-in-use": Case(
        "LoadBalancerInUseByVirtualMachineScaleSet",
        Delete(BALANCER),
        Delete(OTHER_BALANCER),
        (*POOL_MEMBER, Put(OTHER_BALANCER, balancer([], pools=("back",)))),
    ),
    # Private endpoints
    "private-endpoint-ipv4": Case(
        "PrivateEndpointIpVersionNotSupported",
        Put(ENDPOINT, endpoint(VAULT, family="DualStack")),
        Put(ENDPOINT, endpoint(VAULT)),
        (Put(VAULT, vault()),),
    ),
    "private-endpoint-references": Case(
        "InvalidResourceReference", Put(ENDPOINT, endpoint(VAULT, inside=NOWHERE)), Put(ENDPOINT, endpoint(VAULT)), (Put(VAULT, vault()),)
    ),
    "private-endpoint-delegated-subnet": Case(
        "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated",
        Put(ENDPOINT, endpoint(VAULT, inside=NEW)),
        Put(ENDPOINT, endpoint(VAULT)),
        (Put(VAULT, vault()), DELEGATED),
    ),
    "private-endpoint-zone-group": Case(
        "InvalidResourceReference",
        zone_group(ZONE),
        zone_group(PRIVATE_ZONE),
        (Put(VAULT, vault()), GIVEN_PRIVATE_ZONE, Put(ENDPOINT, endpoint(VAULT))),
    ),
    "private-endpoint-one-zone-group": Case(
        "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed",
        zone_group(PRIVATE_ZONE, "second"),
        zone_group(PRIVATE_ZONE),
        (Put(VAULT, vault()), GIVEN_PRIVATE_ZONE, Put(ENDPOINT, endpoint(VAULT)), zone_group(PRIVATE_ZONE)),
    ),
    "diagnostic-setting-sink": Case(
        "Conflict",
        diagnostics("second", "guard", "kube-audit"),
        diagnostics("second", "kube-audit"),
        (diagnostics("first", "guard"), diagnostics("third", "kube-audit", workspace="others")),
    ),
    # DNS
    "dns-cname-alone": Case(
        "Conflict",
        cname(ZONE, "www"),
        cname(ZONE, "web"),
        (GIVEN_ZONE, Put(f"{ZONE}/AAAA/www", records("AAAARecords", "ipv6Address", "2001:db8::1"))),
    ),
    "private-dns-cname-alone": Case(
        "Conflict",
        cname(PRIVATE_ZONE, "www", "ttl"),
        cname(PRIVATE_ZONE, "web", "ttl"),
        (GIVEN_PRIVATE_ZONE, Put(f"{PRIVATE_ZONE}/A/www", records("aRecords", "ipv4Address", "10.10.0.9", "ttl"))),
    ),
    "dns-a-beside-cname": Case(
        "Conflict",
        Put(f"{ZONE}/A/www", records("ARecords", "ipv4Address", "203.0.113.1")),
        Put(f"{ZONE}/A/web", records("ARecords", "ipv4Address", "203.0.113.1")),
        (GIVEN_ZONE, cname(ZONE, "WWW")),
    ),
    "dns-aaaa-beside-cname": Case(
        "Conflict",
        Put(f"{ZONE}/AAAA/www", records("AAAARecords", "ipv6Address", "2001:db8::1")),
        Put(f"{ZONE}/AAAA/web", records("AAAARecords", "ipv6Address", "2001:db8::1")),
        (GIVEN_ZONE, cname(ZONE, "www")),
    ),
    "dns-txt-beside-cname": Case("Conflict", text(ZONE, "www"), text(ZONE, "web"), (GIVEN_ZONE, cname(ZONE, "www"))),
    "private-dns-a-beside-cname": Case(
        "Conflict",
        Put(f"{PRIVATE_ZONE}/A/www", records("aRecords", "ipv4Address", "10.10.0.9", "ttl")),
        Put(f"{PRIVATE_ZONE}/A/web", records("aRecords", "ipv4Address", "10.10.0.9", "ttl")),
        (GIVEN_PRIVATE_ZONE, cname(PRIVATE_ZONE, "www", "ttl")),
    ),
    "private-dns-aaaa-beside-cname": Case(
        "Conflict",
        Put(f"{PRIVATE_ZONE}/AAAA/www", records("aaaaRecords", "ipv6Address", "fd00:10::9", "ttl")),
        Put(f"{PRIVATE_ZONE}/AAAA/web", records("aaaaRecords", "ipv6Address", "fd00:10::9", "ttl")),
        (GIVEN_PRIVATE_ZONE, cname(PRIVATE_ZONE, "www", "ttl")),
    ),
    "private-dns-txt-beside-cname": Case(
        "Conflict", text(PRIVATE_ZONE, "www", "ttl"), text(PRIVATE_ZONE, "web", "ttl"), (GIVEN_PRIVATE_ZONE, cname(PRIVATE_ZONE, "www", "ttl"))
    ),
    "dns-alias-a": Case("AliasRecordTypeMismatch", Put(f"{ZONE}/A/www", alias(IPV6)), Put(f"{ZONE}/A/www", alias(IPV4)), (GIVEN_ZONE,)),
    "dns-alias-aaaa": Case("AliasRecordTypeMismatch", Put(f"{ZONE}/AAAA/www", alias(IPV4)), Put(f"{ZONE}/AAAA/www", alias(IPV6)), (GIVEN_ZONE,)),
    "dns-aaaa-address": Case(
        "BadRequest",
        Put(f"{ZONE}/AAAA/www", records("AAAARecords", "ipv6Address", "203.0.113.1")),
        Put(f"{ZONE}/AAAA/www", records("AAAARecords", "ipv6Address", "2001:db8::1")),
        (GIVEN_ZONE,),
    ),
    "private-dns-aaaa-address": Case(
        "BadRequest",
        Put(f"{PRIVATE_ZONE}/AAAA/www", records("aaaaRecords", "ipv6Address", "203.0.113.1", "ttl")),
        Put(f"{PRIVATE_ZONE}/AAAA/www", records("aaaaRecords", "ipv6Address", "2001:db8::1", "ttl")),
        (GIVEN_PRIVATE_ZONE,),
    ),
    "dns-a-address": Case(
        "BadRequest",
        Put(f"{ZONE}/A/www", records("ARecords", "ipv4Address", "2001:db8::1")),
        Put(f"{ZONE}/A/www", records("ARecords", "ipv4Address", "203.0.113.1")),
        (GIVEN_ZONE,),
    ),
    "private-dns-a-address": Case(
        "BadRequest",
        Put(f"{PRIVATE_ZONE}/A/www", records("aRecords", "ipv4Address", "2001:db8::1", "ttl")),
        Put(f"{PRIVATE_ZONE}/A/www", records("aRecords", "ipv4Address", "203.0.113.1", "ttl")),
        (GIVEN_PRIVATE_ZONE,),
    ),
    "private-dns-link": Case(
        "Conflict",
        Put(at(dns.LINK, PRIVATE_ZONE_NAME, "second"), link(VNET)),
        Put(at(dns.LINK, PRIVATE_ZONE_NAME, "second"), link(OTHER_VNET)),
        (
            GIVEN_PRIVATE_ZONE,
            Put(OTHER_VNET, vnet("10.30.0.0/16")),
            Put(at(dns.LINK, PRIVATE_ZONE_NAME, "first"), link(VNET)),
        ),
    ),
    "private-dns-zone-linked": Case(
        "CannotDeleteResource",
        Delete(PRIVATE_ZONE),
        Delete(at(dns.PRIVATE_ZONE, "privatelink.azurecr.io")),
        (
            GIVEN_PRIVATE_ZONE,
            Put(at(dns.LINK, PRIVATE_ZONE_NAME, "first"), link(VNET)),
            Put(at(dns.PRIVATE_ZONE, "privatelink.azurecr.io"), {"location": "global"}),
        ),
    ),
    # Vaults and registries
    "vault-ip-rules": Case(
        "InvalidIpRule",
        Put(VAULT, vault(networkAcls=ip_rules("2001:db8::/64"))),
        Put(VAULT, vault(networkAcls=ip_rules("203.0.113.0/24"))),
    ),
    "vault-name": Case("VaultNameNotValid", Put(at(keyvault.VAULT, "1vault"), vault()), Put(at(keyvault.VAULT, "a-vault"), vault())),
    "vault-soft-deleted": Case("ConflictError", Put(VAULT, vault()), Put(VAULT, vault(createMode="recover")), (Put(VAULT, vault()), Delete(VAULT))),
    "vault-purge-protection": Case("BadRequest", Put(VAULT, vault(enablePurgeProtection=False)), Put(VAULT, vault(enablePurgeProtection=True))),
    "vault-retention": Case("BadRequest", Put(VAULT, vault(softDeleteRetentionInDays=6)), Put(VAULT, vault(softDeleteRetentionInDays=7))),
    "registry-ip-rules": Case(
        "InvalidIpRule",
        Put(REGISTRY, registry(networkRuleSet=ip_rules("2001:db8::1"))),
        Put(REGISTRY, registry(networkRuleSet=ip_rules("203.0.113.1"))),
    ),
    "registry-premium": Case(
        "FeatureNotSupportedForSku",
        Put(REGISTRY, registry("Standard", publicNetworkAccess="Disabled")),
        Put(REGISTRY, registry(publicNetworkAccess="Disabled")),
    ),
    "registry-name": Case("InvalidRegistryName", Put(at(containerregistry.REGISTRY, "my-registry"), registry()), Put(REGISTRY, registry())),
    # Access
    "role-assignment-principal": Case(
        "PrincipalNotFound",
        Put(assignment(VNET, 9), grant("00000000-0000-4000-8000-00000000dead")),
        Put(assignment(VNET, 9), grant(OPTIONS.client_object)),
    ),
    "role-assignment-immutable": Case(
        "RoleAssignmentUpdateNotPermitted",
        Put(assignment(VNET, 9), grant(OPTIONS.client_object, NETWORK_CONTRIBUTOR)),
        Put(assignment(VNET, 9), grant(OPTIONS.client_object, description="the same grant")),
        (Put(assignment(VNET, 9), grant(OPTIONS.client_object)),),
    ),
    "role-assignment-unique": Case(
        "RoleAssignmentExists",
        Put(assignment(VNET, 10), grant(OPTIONS.client_object)),
        Put(assignment(NSG, 10), grant(OPTIONS.client_object)),
        (Put(assignment(VNET, 9), grant(OPTIONS.client_object)),),
    ),
    "role-assignment-name": Case(
        "InvalidRoleAssignmentId",
        Put(at(authorization.ASSIGNMENT, "readers", scope=VNET), grant(OPTIONS.client_object)),
        Put(assignment(VNET, 9), grant(OPTIONS.client_object)),
    ),
    "federated-credential-unique": Case(
        "Conflict",
        Put(at(managedidentity.CREDENTIAL, "cluster", "second"), credential("system:serviceaccount:apps:web")),
        Put(at(managedidentity.CREDENTIAL, "cluster", "second"), credential("system:serviceaccount:apps:worker")),
        (Put(at(managedidentity.CREDENTIAL, "cluster", "first"), credential("system:serviceaccount:apps:web")),),
    ),
    "role-assignment-principal-id": Case(
        "InvalidPrincipalId", Put(assignment(VNET, 9), grant("somebody")), Put(assignment(VNET, 9), grant(OPTIONS.client_object))
    ),
    "peering-remote": Case(
        "VnetAddressSpacesOverlap",
        Put(at(network.PEERING, "vnet", "other"), {"properties": {"remoteVirtualNetwork": refer(at(network.VNET, "overlapping"))}}),
        Put(at(network.PEERING, "vnet", "other"), {"properties": {"remoteVirtualNetwork": refer(at(network.VNET, "apart"))}}),
        (Put(at(network.VNET, "overlapping"), vnet(VNET_SPACE[0])), Put(at(network.VNET, "apart"), vnet("192.0.2.0/24"))),
    ),
    "group-location": Case(
        "LocationNotAvailableForResourceGroup",
        Put(f"{SUBSCRIPTION}/resourceGroups/free", {"location": "nowhere"}),
        Put(f"{SUBSCRIPTION}/resourceGroups/free", {"location": "West US 3"}),
    ),
    "group-locked": Case(
        "ScopeLocked",
        Delete(GROUP),
        Delete(f"{SUBSCRIPTION}/resourceGroups/free"),
        (
            Put(at(authorization.LOCK, "keep", scope=NSG), {"properties": {"level": "CanNotDelete"}}),
            Put(f"{SUBSCRIPTION}/resourceGroups/free", {"location": LOCATION}),
        ),
    ),
}


FEDERATED = tuple(Put(at(managedidentity.CREDENTIAL, "cluster", f"number{number}"), credential(f"subject{number}")) for number in range(20))

MORE_REFUSED = (
    Refusal(
        "aks-overlay-pod-range",
        "CidrOverlap",
        Put(CLUSTER, single_stack(PLAIN | {"podCidrs": ["10.10.128.0/17"]})),
        (Put(CLUSTER, node_subnet()),),
    ),
    Refusal(
        "aks-overlay-version",
        "KubernetesVersionNotSupported",
        Put(CLUSTER, cluster(ALONE, kubernetesVersion="1.26")),
        (Put(CLUSTER, single_stack()),),
    ),
    Refusal("aks-overlay-policy", "ValidationError", Put(CLUSTER, single_stack(PLAIN)), (Put(CLUSTER, node_subnet({"networkPolicy": "calico"})),)),
    Refusal(
        "aks-node-disruption",
        "OperationNotAllowed",
        Put(CLUSTER, cluster(ALONE)),
        (disrupted("AllowDuringMaintenanceWindow", single_stack()), CLOSED_WINDOW),
    ),
    Refusal(
        "subnet-prefix-in-use",
        "InUsePrefixCannotBeDeleted",
        Put(NODES, subnet(NODE_PREFIXES[:1])),
        (GIVEN_CLUSTER,),
    ),
    Refusal("public-ip-zones", "InvalidAvailabilityZone", Put(at(network.PUBLIC_IP, "new"), public_ip() | {"zones": ["4"]})),
    Refusal("aks-families-order", "InvalidIPFamilies", Put(CLUSTER, cluster({"ipFamilies": ["IPv6"]}))),
    Refusal("aks-cidr-families", "InvalidCIDRNotation", Put(CLUSTER, cluster({"podCidrs": ["10.244.0.1/16", "fd00:244::/64"]}))),
    Refusal("aks-cidr-overlap", "CidrOverlap", Put(CLUSTER, cluster({"podCidrs": ["10.20.128.0/17", "fd00:244::/64"]}))),
    Refusal("aks-network-policy", "NetworkPolicyNotSupported", Put(CLUSTER, single_stack({"networkDataplane": "azure"}))),
    Refusal("aks-network-policy", "NetworkPolicyNotSupported", Put(CLUSTER, single_stack({"networkPolicy": "azure"}))),
    Refusal("aks-dns-service-ip", "DnsServiceIpOutOfServiceCidr", Put(CLUSTER, cluster({"dnsServiceIP": "10.21.0.10"}))),
    Refusal("aks-subnet-dual-stack", "InvalidParameter", Put(CLUSTER, cluster(pools=(pool(vnetSubnetID=NOWHERE),)))),
    Refusal("aks-identity", "InvalidParameter", Put(CLUSTER, cluster(identities=()))),
    Refusal("aks-identity", "InvalidParameter", Put(CLUSTER, cluster(identities=(at(managedidentity.IDENTITY, "nobody"),)))),
    Refusal(
        "aks-managed-outbound",
        "InvalidLoadBalancerProfile",
        Put(CLUSTER, cluster({"outboundType": "none"} | balancer_profile(managedOutboundIPs={"count": 1}))),
    ),
    Refusal("aks-outbound-nat-gateway", "NatGatewayNotFound", Put(CLUSTER, cluster({"outboundType": "userAssignedNATGateway"}))),
    *(
        Refusal("aks-authorized-ranges", "InvalidAuthorizedIPRanges", Put(CLUSTER, cluster(apiServerAccessProfile=profile)))
        for profile in (
            {"authorizedIPRanges": ["203.0.113.0/24"], "enablePrivateCluster": True},
            {"authorizedIPRanges": [f"10.0.0.{number}" for number in range(201)]},
            {"authorizedIPRanges": ["everyone"]},
        )
    ),
    Refusal("aks-names", "InvalidParameter", Put(CLUSTER, cluster(dnsPrefix="aks_example"))),
    Refusal("aks-names", "InvalidParameter", Put(CLUSTER, cluster(nodeResourceGroup="g" * 81))),
    Refusal("aks-immutable", "PropertyChangeNotAllowed", Put(CLUSTER, cluster(dnsPrefix="other")), (GIVEN_CLUSTER,)),
    Refusal("aks-immutable", "PropertyChangeNotAllowed", Put(CLUSTER, cluster(nodeResourceGroup="other")), (GIVEN_CLUSTER,)),
    Refusal("aks-immutable", "PropertyChangeNotAllowed", Put(CLUSTER, cluster({"dnsServiceIP": "10.20.0.11"})), (GIVEN_CLUSTER,)),
    *(
        Refusal("aks-cluster-pools", code, Put(CLUSTER, cluster(profile, pools=(pool(), extra))))
        for code, extra, profile in (
            ("InvalidMaxPods", pool("apps", maxPods=251), None),
            ("WindowsAgentPoolNameTooLong", windows("windows"), WINDOWS_PROFILE),
            ("WindowsNotSupported", windows(), None),
            ("InvalidParameter", windows(mode="System"), WINDOWS_PROFILE),
            ("InvalidOSSKU", windows(osSKU="Windows2019"), WINDOWS_PROFILE),
            ("InvalidOSSKU", windows(osSKU="Ubuntu"), WINDOWS_PROFILE),
        )
    ),
    *(
        Refusal(f"aks-cluster-{name}", code, Put(CLUSTER, cluster(profile, pools=(pool(), found))))
        for name, code, found, profile in (
            ("vm-fit", "VMSizeNotSupported", windows(vmSize="Standard_D2as_v6"), WINDOWS_PROFILE),
            ("vm-fit", "VMSizeNotSupported", windows(vmSize="Standard_D2pds_v5", osSKU="Windows2025"), WINDOWS_PROFILE),
            ("zones", "AvailabilityZoneNotSupported", pool("old", vmSize="Standard_A0", availabilityZones=["1"]), None),
            ("ephemeral-disk", "VMSizeDoesNotSupportEphemeralOS", pool("apps", vmSize="Standard_D4s_v5", osDiskType="Ephemeral"), None),
            ("core-quota", "ErrCode_InsufficientVCPUQuota", pool("apps", vmSize="Standard_D96ds_v5", count=105), None),
        )
    ),
    *(
        Refusal("aks-cluster-pool-counts", "InvalidParameter", Put(CLUSTER, cluster(pools=(found,))))
        for found in (
            pool(count=0),
            pool(count=1001),
            pool(count=3, **scaled(3, 2)),
            pool(count=3, **scaled(4, 5)),
            pool(count=3, **scaled(1, 2)),
            pool(count=3, **scaled(0, 3)),
            pool(count=3, enableAutoScaling=True),
        )
    ),
    *(
        Refusal("aks-pool-immutable", "PropertyChangeNotAllowed", Put(POOL, pool_body(**change)), (GIVEN_CLUSTER,))
        for change in ({"vnetSubnetID": SPARE}, {"maxPods": 100}, {"availabilityZones": ["1"]}, {"osDiskSizeGB": 100})
    ),
    Refusal(
        "aks-pool-subnet",
        "CidrOverlap",
        Put(at(containerservice.POOL, "aks", "apps"), pool_body(vnetSubnetID=SPARE)),
        (Put(CLUSTER, cluster({"podCidrs": ["10.244.0.0/16", "fd00:10:0:1::/64"]})),),
    ),
    Refusal(
        "aks-outbound-addresses", "InvalidResourceReference", Put(CLUSTER, cluster(balancer_profile(outboundIPs={"publicIPs": [refer(PREFIX)]})))
    ),
    Refusal("aks-outbound-managed-nat-gateway", "InvalidParameter", Put(CLUSTER, single_stack({"outboundType": "managedNATGateway"}))),
    Refusal("aks-overlay-pools", "InvalidParameter", Put(CLUSTER, cluster(pools=(pool(type="AvailabilitySet"),)))),
    Refusal("aks-immutable", "PropertyChangeNotAllowed", Put(CLUSTER, cluster(fqdnSubdomain="other")), (GIVEN_CLUSTER,)),
    Refusal(
        "aks-cluster-capacity",
        "InsufficientPodCidr",
        Put(CLUSTER, cluster({"podCidrs": ["10.128.0.0/11", "fd00:244::/64"]}, pools=tuple(pool(f"pool{n}", count=1000) for n in range(6)))),
    ),
    Refusal("vnet-address-space", "InvalidCIDRNotation", Put(OTHER_VNET, vnet("10.30.0.1/16"))),
    Refusal(
        "vnet-address-space", "InUsePrefixCannotBeDeleted", Put(VNET, vnet("10.50.0.0/16", subnets=[{"name": "nodes", **subnet(NODE_PREFIXES)}]))
    ),
    Refusal("nsg-priority", "SecurityRuleInvalidPriority", Put(NSG, nsg(security_rule(priority=99)))),
    Refusal("nsg-priority", "SecurityRuleInvalidPriority", Put(NSG, nsg(security_rule(priority=4097)))),
    Refusal("nsg-singular-or-plural", "SecurityRuleParameterMissing", Put(NSG, nsg(security_rule(sourceAddressPrefix=None)))),
    Refusal(
        "nsg-limits",
        "MaxAddressPrefixesPerSecurityRule",
        Put(NSG, nsg(security_rule(sourceAddressPrefix=None, sourceAddressPrefixes=[f"10.0.{n // 256}.{n % 256}" for n in range(4001)]))),
    ),
    Refusal(
        "nsg-singular-or-plural",
        "SecurityRuleParameterConflict",
        Put(NSG, nsg(security_rule(sourceApplicationSecurityGroups=[refer(at("Microsoft.Network/applicationSecurityGroups", "web"))]))),
    ),
    *(
        Refusal("public-ip-basic-retired", f"{version}BasicSkuPublicIpCountLimitReached", Put(at(network.PUBLIC_IP, "new"), tracked(properties)))
        for version, properties in (("IPv4", {}), ("IPv6", {"publicIPAddressVersion": "IPv6"}))
    ),
    Refusal("load-balancer-basic-retired", "BasicSkuLoadBalancerNotAllowed", Put(BALANCER, tracked({}))),
    Refusal("public-ip-immutable", "PublicIPPropertyCannotBeChanged", Put(IPV4, public_ip(sku="StandardV2"))),
    Refusal("public-ip-immutable", "PublicIPPropertyCannotBeChanged", Put(IPV4, public_ip(zones=("1",)))),
    Refusal("public-ip-in-use", "PublicIPAddressCannotBeDeleted", Delete(IPV4), (GATEWAY,)),
    Refusal("public-ip-prefix-length", "PublicIpPrefixLengthOutOfRange", Put(PREFIX, ip_prefix(20))),
    Refusal("nat-gateway-addresses", "NotFound", Put(NAT, nat("Standard", v4=(at(network.PUBLIC_IP, "nowhere"),)))),
    Refusal("nat-gateway-addresses", "NatGatewayAddressSkuMismatch", Put(NAT, nat("StandardV2", v4=(IPV4,)))),
    Refusal("nat-gateway-addresses", "NatGatewayTooManyAddresses", Put(NAT, nat("Standard", v4=(IPV4,) * 17))),
    Refusal(
        "load-balancer-references",
        "InvalidResourceReference",
        Put(BALANCER, balancer([frontend("front", publicIPAddress=at(network.PUBLIC_IP, "no"))])),
    ),
    *(
        Refusal("load-balancer-names", "InvalidRequestFormat", Put(BALANCER, found))
        for found in (
            balancer([FRONT, frontend("front", publicIPAddress=IPV6)]),
            balancer([FRONT], pools=("back", "Back")),
            balancer([FRONT], balancing_rules=(balancing("https"), balancing("https", port=444))),
        )
    ),
    *(
        Refusal("load-balancer-references", "InvalidResourceReference", Put(BALANCER, found))
        for found in (
            balancer([FRONT], balancing_rules=(merge(balancing("https"), {"properties": {"probe": refer(f"{BALANCER}/probes/no")}}),)),
            balancer([FRONT], outboundRules=[outbound("out")]),
            balancer([FRONT], pools=("back",), outboundRules=[outbound("out", to="nowhere")]),
            balancer([frontend("front", publicIPPrefix=PREFIX)]),
        )
    ),
    Refusal("load-balancer-address-in-use", "PublicIPAddressInUse", Put(BALANCER, balancer([FRONT])), (GATEWAY,)),
    Refusal("nat-gateway-address-in-use", "PublicIPAddressInUse", Put(at(network.NAT_GATEWAY, "nat2"), GATEWAY.body), (GATEWAY,)),
    Refusal("load-balancer-private-address", "PrivateIPAddressInReservedRange", Put(BALANCER, balancer([internal("10.10.1.3")]))),
    Refusal("load-balancer-private-address", "PrivateIPAddressInReservedRange", Put(BALANCER, balancer([internal("10.10.1.255")]))),
    Refusal("load-balancer-private-address", "PrivateIPAddressNotInSubnet", Put(BALANCER, balancer([internal("fd00:10::9", "IPv6")]))),
    Refusal("load-balancer-private-address", "InvalidIPAddress", Put(BALANCER, balancer([internal("10.10.1")]))),
    Refusal("private-endpoint-references", "InvalidResourceReference", Put(ENDPOINT, endpoint(VAULT))),
    *(
        Refusal("subnet-without-nsg", f"NetworkSecurityGroupCannotBeAttachedTo{name}", for_service(at(network.SUBNET, "vnet", name.lower()), NSG))
        for name in ("AzureFirewallSubnet", "AzureFirewallManagementSubnet", "RouteServerSubnet")
    ),
    Refusal(
        "subnet-without-route-table",
        "RouteTableCannotBeAttachedForRouteServerSubnet",
        for_service(ROUTE_SERVER_SUBNET, routeTable=refer(ROUTES)),
        (Put(ROUTES, routes()),),
    ),
    Refusal(
        "subnet-nsg-of-service", "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup", for_service(NEW, NSG, APPLICATION_GATEWAYS)
    ),
    *(
        Refusal(
            "nsg-of-service",
            "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
            Put(SERVICE_NSG, nsg(*(item for item in BASTION_RULES if item is not left_out))),
            (Put(SERVICE_NSG, nsg(*BASTION_RULES)), for_service(BASTION_SUBNET, SERVICE_NSG)),
        )
        for left_out in BASTION_RULES
    ),
    Refusal("nsg-protocol", "SecurityRuleInvalidAccess", Put(NSG, nsg(security_rule(access="Perhaps")))),
    Refusal("nsg-protocol", "SecurityRuleInvalidDirection", Put(NSG, nsg(security_rule(direction="Sideways")))),
    *(
        Refusal("nsg-address-prefixes", "SecurityRuleInvalidAddressPrefix", Put(NSG, nsg(security_rule(**changes))))
        for changes in (
            {"destinationAddressPrefix": "not a tag"},
            {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["10.0.0.0/8", "*"]},
        )
    ),
    *(
        Refusal("nsg-port-ranges", "SecurityRuleInvalidPortRange", Put(NSG, nsg(security_rule(destinationPortRange=ports))))
        for ports in ("65536", "http", "80,443", "80-")
    ),
    Refusal("public-ip-in-prefix", "NotFound", Put(IPV4, merge(public_ip(), {"properties": {"publicIPPrefix": refer(PREFIX)}}))),
    *(
        Refusal("public-ip-prefix-in-use", "PublicIpPrefixCannotBeDeleted", Delete(PREFIX), (Put(PREFIX, ip_prefix(31)), user))
        for user in (
            Put(NAT, tracked({"publicIpPrefixes": [refer(PREFIX)]}, sku={"name": "Standard"})),
            Put(BALANCER, balancer([frontend("front", publicIPPrefix=PREFIX)])),
        )
    ),
    Refusal("nat-gateway-prefixes", "NotFound", Put(NAT, tracked({"publicIpPrefixes": [refer(PREFIX)]}, sku={"name": "Standard"}))),
    Refusal("dns-alias-a", "InvalidResourceReference", Put(f"{ZONE}/A/www", alias(at(network.PUBLIC_IP, "nowhere"))), (GIVEN_ZONE,)),
    Refusal(
        "dns-alias-a",
        "BadRequest",
        Put(f"{ZONE}/A/www", merge(alias(IPV4), records("ARecords", "ipv4Address", "203.0.113.1"))),
        (GIVEN_ZONE,),
    ),
    Refusal("dns-cname-alone", "BadRequest", cname(ZONE, "@"), (GIVEN_ZONE,)),
    Refusal("private-dns-cname-alone", "BadRequest", cname(PRIVATE_ZONE, "@", "ttl"), (GIVEN_PRIVATE_ZONE,)),
    Refusal("private-dns-link", "InvalidResourceReference", Put(at(dns.LINK, PRIVATE_ZONE_NAME, "first"), link(OTHER_VNET)), (GIVEN_PRIVATE_ZONE,)),
    Refusal("vault-ip-rules", "InvalidIpRule", Put(VAULT, vault(networkAcls=ip_rules("everyone")))),
    Refusal("vault-retention", "BadRequest", Put(VAULT, vault(softDeleteRetentionInDays=30)), (Put(VAULT, vault()),)),
    Refusal("registry-premium", "FeatureNotSupportedForSku", Put(REGISTRY, registry("Basic", zoneRedundancy="Enabled"))),
    Refusal("registry-premium", "FeatureNotSupportedForSku", Put(REGISTRY, registry("Standard", dataEndpointEnabled=True))),
    Refusal(
        "role-assignment-immutable",
        "RoleAssignmentUpdateNotPermitted",
        Put(assignment(VNET, 9), grant(OPTIONS.client, principalType="ServicePrincipal")),
        (Put(assignment(VNET, 9), grant(OPTIONS.client_object)),),
    ),
    Refusal(
        "federated-credential-unique",
        "TooManyFederatedIdentityCredentials",
        Put(at(managedidentity.CREDENTIAL, "cluster", "one-more"), credential("one-more")),
        FEDERATED,
    ),
)


# Running them


BASE = (
    Put(GROUP, {"location": LOCATION}),
    Put(NSG, nsg()),
    Put(VNET, vnet(*VNET_SPACE)),
    Put(NODES, subnet(NODE_PREFIXES)),
    Put(SPARE, subnet(SPARE_PREFIXES)),
    Put(IPV4, public_ip()),
    Put(IPV6, public_ip("IPv6")),
    *(Put(path, {"location": LOCATION}) for path in (IDENTITY, STRANGER, KUBELET)),
)


def send(azure: Azure, act: Act) -> None:
    match act:
        case Delete(path):
            azure.delete(path)
        case Make(path, body):
            azure.make(path, copy.deepcopy(body))
        case Put(path, body, api_version):
            azure.write(path, copy.deepcopy(body), api_version, CALLER)
        case Occupy(path):
            azure.get(path).hidden[network.NAVIGATION_LINKS] = ["Microsoft.Cache/redis"]


async def carry_out(azure: Azure, act: Act) -> None:
    """Send it and wait for the end of every operation that it started."""
    send(azure, act)
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.gather(*others)
    assert [operation.error for operation in azure.store.operations.values() if operation.status != "Succeeded"] == []


async def world(given: tuple[Act, ...]) -> Azure:
    azure = Azure(Store(), OPTIONS)
    for base in BASE:
        await carry_out(azure, base)
    principal = azure.get(IDENTITY).properties["principalId"]
    for number, (scope, definition) in enumerate(((VNET, NETWORK_CONTRIBUTOR), (KUBELET, IDENTITY_OPERATOR))):
        await carry_out(azure, Put(assignment(scope, number), grant(principal, definition)))
    for act in given:
        await carry_out(azure, act)
    return azure


def refusal(azure: Azure, act: Put | Delete) -> str:
    with pytest.raises(ArmError) as caught:
        send(azure, act)
    return caught.value.code


ALL_RULES: dict[str, Rule | DeleteRule] = {**RULES, **DELETE_RULES}
REFUSALS = (*(Refusal(identifier, case.code, case.bad, case.given) for identifier, case in CASES.items()), *MORE_REFUSED)


def test_every_rule_has_a_refused_and_a_passing_case() -> None:
    assert set(CASES) == set(ALL_RULES)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case.rule}-{case.code}")
def test_refused(case: Refusal) -> None:
    """By all rules together with the code, by this rule alone with the same, and without a trace."""

    async def check() -> None:
        azure = await world(case.given)
        before = azure.store.snapshot()
        assert refusal(azure, case.bad) == case.code
        with only(case.rule) as asked:
            assert refusal(azure, case.bad) == case.code
        assert len(asked) == 1
        assert azure.store.snapshot() == before

    asyncio.run(check())


@pytest.mark.parametrize("identifier", CASES)
def test_passing(identifier: str) -> None:
    """Through all rules, of which this one was among those asked."""
    case = CASES[identifier]

    async def check() -> None:
        azure = await world(case.given)
        await carry_out(azure, case.good)
        assert bool(azure.store.get(case.good.path)) is isinstance(case.good, Put)
        azure = await world(case.given)
        with only(identifier) as asked:
            send(azure, case.good)
        assert len(asked) == 1

    asyncio.run(check())


# What depends on when something ends: each request is refused after the first one, and carried out once that has ended

IN_BETWEEN = {
    "a subnet beside another": ("AnotherOperationInProgress", Put(NODES, subnet(NODE_PREFIXES)), Put(SPARE, subnet(SPARE_PREFIXES))),
    "a peering beside another": (
        "RetryableError",
        Put(at(network.PEERING, "vnet", "one"), {"properties": {"remoteVirtualNetwork": refer(at(network.VNET, "apart"))}}),
        Put(SPARE, subnet(SPARE_PREFIXES)),
    ),
    "a route table": ("RetryableError", Put(ROUTES, routes()), Put(ROUTES, routes())),
    "a NAT gateway with a new address": (
        "RetryableError",
        Put(at(network.PUBLIC_IP, "new"), public_ip()),
        Put(NAT, nat("Standard", v4=(at(network.PUBLIC_IP, "new"),))),
    ),
    "a role for a new identity": (
        "PrincipalNotFound",
        Put(at(managedidentity.IDENTITY, "new"), {"location": LOCATION}),
        Put(assignment(VNET, 9), grant(ids.stable_uuid(at(managedidentity.IDENTITY, "new"), "principal", "0"))),
    ),
}


@pytest.mark.parametrize("name", IN_BETWEEN)
def test_too_early(name: str) -> None:
    code, first, second = IN_BETWEEN[name]

    async def check() -> None:
        azure = await world((Put(at(network.VNET, "apart"), vnet("192.0.2.0/24")),))
        azure.options = replace(OPTIONS, time_scale=1e-2)
        send(azure, first)
        assert refusal(azure, second) == code
        azure.options = OPTIONS
        await asyncio.gather(*azure.operations.tasks)
        await carry_out(azure, second)

    asyncio.run(check())
