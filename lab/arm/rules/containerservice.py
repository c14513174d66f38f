"""What Microsoft.ContainerService refuses."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from .. import containerservice as aks
from .. import ids, network
from ..azure import Azure, Write
from ..errors import ArmError, InvalidReference
from ..store import Resource
from . import delete_rule, rule
from .access import roles_on

_DUAL_STACK = "learn.microsoft.com/azure/aks/configure-dual-stack"
_OVERLAY = "learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay"
_CILIUM = "learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"
_CNI_OVERVIEW = "learn.microsoft.com/azure/aks/concepts-network-cni-overview"
_OUTBOUND = "learn.microsoft.com/azure/aks/egress-outboundtype"
_RANGES = "learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges"
_POOLS = "learn.microsoft.com/azure/aks/create-node-pools"
_POOL_API = "learn.microsoft.com/rest/api/aks/agent-pools/create-or-update"
_SYSTEM_POOLS = "learn.microsoft.com/azure/aks/use-system-pools"
_FAQ = "learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/aks-common-issues-faq"
_UPDATE_CNI = "learn.microsoft.com/azure/aks/update-azure-cni"

CONTRIBUTORS = {"b24988ac-6180-42a0-ab88-20f7382dd24c", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}
NETWORK_CONTRIBUTORS = {"4d97b98b-1d4f-4787-a291-c67834d212e7", *CONTRIBUTORS}
RESERVED = [ipaddress.ip_network(text) for text in ("169.254.0.0/16", "192.0.2.0/24", "172.30.0.0/16", "172.31.0.0/16")]


def _refuse(code: str, message: str, target: str = "") -> ArmError:
    return ArmError(400, code, message, target=target)


def _profile(write: Write) -> dict[str, Any]:
    found: dict[str, Any] = write.properties["networkProfile"]
    return found


def _dual(write: Write) -> bool:
    return "IPv6" in _profile(write)["ipFamilies"]


def _pools(write: Write) -> list[dict[str, Any]]:
    return list(write.properties["agentPoolProfiles"])


def _networks(write: Write, name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(text) for text in _profile(write).get(name) or []]
    except ValueError as error:
        raise _refuse("InvalidCIDRNotation", f"networkProfile.{name}: {error}.", name) from error


@rule("aks-names", aks.CLUSTER, _FAQ)
def names_fit_into_dns_and_resource_manager(write: Write) -> None:
    prefix, group = write.properties.get("dnsPrefix"), write.properties.get("nodeResourceGroup") or ""
    if prefix is not None and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?", prefix):
        raise _refuse("InvalidParameter", f"dnsPrefix {prefix} is not 1 to 54 letters, digits and hyphens between a letter or digit.", "dnsPrefix")
    if len(group) > 80:
        raise _refuse("InvalidParameter", f"nodeResourceGroup {group} is longer than 80 characters.", "nodeResourceGroup")


@rule("aks-overlay", aks.CLUSTER, _DUAL_STACK)
def dual_stack_needs_overlay(write: Write) -> None:
    profile = _profile(write)
    if _dual(write) and (profile.get("networkPlugin"), profile.get("networkPluginMode")) != ("azure", "overlay"):
        raise _refuse("DualStackNotSupported", "Dual-stack networking needs networkPlugin azure and networkPluginMode overlay.", "networkProfile")


@rule("aks-overlay-names", aks.CLUSTER, _OVERLAY)
def names_fit_into_node_labels(write: Write) -> None:
    if _profile(write).get("networkPluginMode") != "overlay":
        return
    for pool in _pools(write):
        subnet = ids.parse(pool.get("vnetSubnetID") or "")
        for name in (subnet.resource_group, *subnet.names):
            if len(name) > 63:
                raise _refuse("InvalidParameter", f"Overlay: {name} is longer than 63 characters.", "agentPoolProfiles.vnetSubnetID")


@rule("aks-overlay-pools", aks.CLUSTER, _OVERLAY)
def overlay_has_scale_sets(write: Write) -> None:
    for pool in _pools(write):
        old_machines = re.match(r"standard_dc\d+s_v2$", pool.get("vmSize") or "", re.IGNORECASE)
        if _profile(write).get("networkPluginMode") == "overlay" and (pool["type"] == "AvailabilitySet" or old_machines):
            raise _refuse("InvalidParameter", f"Overlay has neither availability sets nor DCsv2 machines: pool {pool['name']}.", "agentPoolProfiles")


@rule("aks-overlay-stays", aks.CLUSTER, _UPDATE_CNI)
def overlay_and_cilium_stay(write: Write) -> None:
    """Towards overlay and towards Cilium there is a way, back there is none."""
    before = write.old_properties.get("networkProfile") or {}
    for name, final in (("networkPlugin", "azure"), ("networkPluginMode", "overlay"), ("networkDataplane", "cilium")):
        if before.get(name) == final and _profile(write).get(name, final) != final:
            raise _refuse("PropertyChangeNotAllowed", f"Changing property 'networkProfile.{name}' is not allowed.", f"networkProfile.{name}")


@rule("aks-families-order", aks.CLUSTER, _DUAL_STACK)
def ipv4_comes_first(write: Write) -> None:
    if _profile(write)["ipFamilies"] not in (["IPv4"], ["IPv4", "IPv6"]):
        raise _refuse("InvalidIPFamilies", 'networkProfile.ipFamilies is ["IPv4"] or ["IPv4","IPv6"], IPv4 first.', "networkProfile.ipFamilies")


@rule("aks-cidr-families", aks.CLUSTER, _DUAL_STACK)
def cidrs_follow_the_families(write: Write) -> None:
    wanted = [4, 6] if _dual(write) else [4]
    for name in ("podCidrs", "serviceCidrs"):
        if [found.version for found in _networks(write, name)] != wanted:
            raise _refuse("InvalidNetworkCidrs", f"networkProfile.{name} must have one range for each family, in the order of ipFamilies.", name)


@rule("aks-service-cidr-ipv6", aks.CLUSTER, _DUAL_STACK)
def service_cidr_ipv6_size(write: Write) -> None:
    for found in _networks(write, "serviceCidrs"):
        if found.version == 6 and found.prefixlen < 108:
            raise _refuse("ServiceCidrTooLarge", f"The IPv6 service CIDR {found} can be no larger than a /108.", "networkProfile.serviceCidrs")


@rule("aks-service-cidr-ipv4", aks.CLUSTER, _CNI_OVERVIEW)
def service_cidr_ipv4_size(write: Write) -> None:
    for found in _networks(write, "serviceCidrs"):
        if found.version == 4 and found.prefixlen <= 12:
            raise _refuse("ServiceCidrTooLarge", f"The IPv4 service CIDR {found} must be smaller than /12.", "networkProfile.serviceCidrs")


@rule("aks-dns-service-ip", aks.CLUSTER, _CNI_OVERVIEW)
def dns_service_ip_in_service_cidr(write: Write) -> None:
    address = ipaddress.ip_address(_profile(write)["dnsServiceIP"])
    cidr = _networks(write, "serviceCidrs")[0]
    if address not in cidr or address in (cidr[0], cidr[1]):
        raise _refuse(
            "DnsServiceIpOutOfServiceCidr", f"dnsServiceIP {address} must lie in {cidr} and not be its first address.", "networkProfile.dnsServiceIP"
        )


@rule("aks-reserved-ranges", aks.CLUSTER, _CNI_OVERVIEW)
def reserved_ranges(write: Write) -> None:
    for name in ("podCidrs", "serviceCidrs"):
        for found in _networks(write, name):
            for reserved in RESERVED:
                if found.version == 4 and found.overlaps(reserved):
                    raise _refuse("InvalidCIDR", f"networkProfile.{name} {found} overlaps with {reserved}, which AKS keeps to itself.", name)


def _subnet_networks(write: Write) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for pool in _pools(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        if subnet:
            found += [ipaddress.ip_network(prefix) for prefix in network.prefixes_of(subnet.properties)]
    return found


@rule("aks-cidr-overlap", aks.CLUSTER, _OVERLAY)
def ranges_do_not_overlap(write: Write) -> None:
    pods, services = _networks(write, "podCidrs"), _networks(write, "serviceCidrs")
    for one, others, what in (
        *((pod, services, "service CIDR") for pod in pods),
        *((found, _subnet_networks(write), "node subnet") for found in pods + services),
    ):
        for other in others:
            if one.version == other.version and one.overlaps(other):
                raise _refuse("CidrOverlap", f"{one} overlaps with the {what} {other}.", "networkProfile")


@rule("aks-network-policy", aks.CLUSTER, _DUAL_STACK)
def network_policy_of_dual_stack(write: Write) -> None:
    policy, plane = _profile(write).get("networkPolicy", "none"), _profile(write).get("networkDataplane", "azure")
    if _dual(write) and policy not in ("none", "cilium"):
        raise _refuse(
            "NetworkPolicyNotSupported", f"networkPolicy {policy} is not supported with dual-stack; use cilium.", "networkProfile.networkPolicy"
        )
    if (policy == "cilium") != (plane == "cilium") and "cilium" in (policy, plane) and policy != "none":
        raise _refuse("NetworkPolicyNotSupported", "networkPolicy cilium goes with networkDataplane cilium.", "networkProfile.networkPolicy")


@rule("aks-cilium-version", aks.CLUSTER, _CILIUM)
def cilium_dual_stack_version(write: Write) -> None:
    found = re.match(r"(\d+)\.(\d+)", str(write.properties["kubernetesVersion"]))
    minor = (int(found[1]), int(found[2])) if found else (0, 0)
    if _dual(write) and found and _profile(write).get("networkDataplane") == "cilium" and minor < (1, 29):
        raise _refuse("KubernetesVersionNotSupported", "Dual-stack with Cilium needs Kubernetes 1.29 or newer.", "kubernetesVersion")


@rule("aks-version", aks.CLUSTER, "learn.microsoft.com/azure/aks/supported-kubernetes-versions")
def version_is_known(write: Write) -> None:
    version = write.properties["kubernetesVersion"]
    if version not in aks.VERSIONS and not write.azure.options.any_version:
        raise _refuse(
            "K8sVersionNotSupported",
            f"Version {version} is not supported in this region. Supported: {', '.join(aks.VERSIONS)}.",
            "kubernetesVersion",
        )


@rule("aks-subnet-dual-stack", aks.CLUSTER, _DUAL_STACK)
def node_subnet_is_dual_stack(write: Write) -> None:
    for pool in _pools(write):
        target = pool.get("vnetSubnetID")
        subnet = write.azure.store.get(target) if target else None
        if target and subnet is None:
            raise _refuse("InvalidParameter", f"The subnet {target} of pool {pool['name']} was not found.", "agentPoolProfiles.vnetSubnetID")
        versions = {ipaddress.ip_network(prefix).version for prefix in network.prefixes_of(subnet.properties)} if subnet else {4, 6}
        if _dual(write) and 6 not in versions:
            raise _refuse(
                "SubnetNotDualStack", f"The subnet {target} has no IPv6 prefix; a dual-stack cluster needs one.", "agentPoolProfiles.vnetSubnetID"
            )


@rule("aks-subnet-delegated", aks.CLUSTER, "learn.microsoft.com/azure/aks/api-server-vnet-integration")
def node_subnet_is_not_delegated(write: Write) -> None:
    for pool in _pools(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        if subnet and subnet.properties.get("delegations"):
            raise _refuse(
                "SubnetIsDelegated", f"The subnet {subnet.id} of pool {pool['name']} must not be delegated.", "agentPoolProfiles.vnetSubnetID"
            )


@rule("aks-identity", aks.CLUSTER, "learn.microsoft.com/azure/aks/use-managed-identity")
def identity_exists(write: Write) -> None:
    identity = write.body.get("identity") or {}
    given = list(identity.get("userAssignedIdentities") or {})
    if identity.get("type") == "UserAssigned" and len(given) != 1:
        raise _refuse("InvalidParameter", f"identity.userAssignedIdentities must name exactly one identity, not {len(given)}.", "identity")
    for target in given:
        if not write.azure.store.get(target):
            raise _refuse("InvalidParameter", f"The identity {target} was not found.", "identity")


@rule("aks-subnet-permission", aks.CLUSTER, "learn.microsoft.com/azure/aks/azure-cni-overlay")
def identity_may_join_the_subnet(write: Write) -> None:
    for target in (write.body.get("identity") or {}).get("userAssignedIdentities") or {}:
        principal = write.azure.get(target).properties["principalId"]
        for pool in _pools(write):
            subnet = pool.get("vnetSubnetID")
            if subnet and not NETWORK_CONTRIBUTORS & roles_on(write.azure, principal, subnet):
                raise _refuse(
                    "ResourceMissingPermissionError",
                    f"The cluster using user-assigned managed identity {target} must have permission subnets/join/action on {subnet}.",
                )


@rule("aks-kubelet-identity-permission", aks.CLUSTER, "learn.microsoft.com/azure/aks/use-managed-identity")
def identity_may_assign_the_kubelets(write: Write) -> None:
    kubelet = ((write.properties.get("identityProfile") or {}).get("kubeletidentity") or {}).get("resourceId")
    if kubelet and write.before and kubelet.lower() == aks.own_kubelet_identity(write.azure, write.before).lower():
        # AKS made it: clients that write what they read send it back.
        return
    for target in (write.body.get("identity") or {}).get("userAssignedIdentities") or {}:
        principal = write.azure.get(target).properties["principalId"]
        roles = {"f1a07417-d97a-45cb-824c-7a7467783830", *CONTRIBUTORS}
        if kubelet and not roles & roles_on(write.azure, principal, kubelet):
            raise _refuse("KubeletIdentityMissingPermissionError", f"{target} needs the role Managed Identity Operator on {kubelet}.")


@rule("aks-managed-outbound", aks.CLUSTER, _OUTBOUND)
def managed_addresses_need_the_load_balancer(write: Write) -> None:
    profile = _profile(write).get("loadBalancerProfile") or {}
    if profile.get("managedOutboundIPs") and _profile(write)["outboundType"] != "loadBalancer":
        raise _refuse("InvalidLoadBalancerProfile", f"managedOutboundIPs do not go with outboundType {_profile(write)['outboundType']}.")
    if profile.get("managedOutboundIPs") and (profile.get("outboundIPs") or profile.get("outboundIPPrefixes")):
        raise _refuse("InvalidLoadBalancerProfile", "managedOutboundIPs, outboundIPs and outboundIPPrefixes exclude each other.")


@rule("aks-outbound-addresses", aks.CLUSTER, "learn.microsoft.com/azure/aks/configure-load-balancer-standard")
def outbound_addresses_exist(write: Write) -> None:
    profile = _profile(write).get("loadBalancerProfile") or {}
    for name, many in (("outboundIPs", "publicIPs"), ("outboundIPPrefixes", "publicIPPrefixes")):
        given = (profile.get(name) or {}).get(many) or []
        if name in profile and not given:
            raise _refuse("InvalidLoadBalancerProfile", f"loadBalancerProfile.{name} names nothing.", f"networkProfile.loadBalancerProfile.{name}")
        for item in given:
            if not write.azure.store.get(item["id"]):
                raise InvalidReference(item["id"], write.id)


@rule("aks-outbound-managed-nat-gateway", aks.CLUSTER, _OUTBOUND)
def managed_nat_gateway_has_its_own_vnet(write: Write) -> None:
    """The gateway that AKS makes is of SKU Standard in the api-versions that the lab knows."""
    if _profile(write)["outboundType"] != "managedNATGateway":
        return
    if any(pool.get("vnetSubnetID") for pool in _pools(write)):
        raise _refuse("InvalidParameter", "outboundType managedNATGateway does not go with a custom virtual network.", "networkProfile.outboundType")
    if _dual(write):
        raise _refuse("NatGatewayNotSupported", "A NAT gateway of SKU Standard cannot be used with dual-stack clusters; use StandardV2.")


@rule("aks-count-ipv6", aks.CLUSTER, _DUAL_STACK)
def count_ipv6_needs_dual_stack(write: Write) -> None:
    managed = (_profile(write).get("loadBalancerProfile") or {}).get("managedOutboundIPs") or {}
    if managed.get("countIPv6") and not _dual(write):
        raise _refuse("InvalidLoadBalancerProfile", "managedOutboundIPs.countIPv6 needs a dual-stack cluster.")


@rule("aks-outbound-nat-gateway", aks.CLUSTER, _OUTBOUND)
def nat_gateway_is_on_the_subnet(write: Write) -> None:
    if _profile(write)["outboundType"] != "userAssignedNATGateway":
        return
    for pool in _pools(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        gateway = write.azure.store.get(network.reference(subnet.properties, "natGateway")) if subnet else None
        if gateway is None:
            raise _refuse("NatGatewayNotFound", f"outboundType userAssignedNATGateway: the subnet of pool {pool['name']} has no NAT gateway.")
        if _dual(write) and (gateway.body.get("sku") or {}).get("name") != "StandardV2":
            raise _refuse("NatGatewayNotSupported", "A NAT gateway of SKU Standard cannot be used with dual-stack clusters; use StandardV2.")


@rule("aks-outbound-nat-and-balancer", aks.CLUSTER, "learn.microsoft.com/azure/nat-gateway/nat-sku")
def nat_gateway_breaks_outbound_rules(write: Write) -> None:
    for pool in _pools(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        gateway = write.azure.store.get(network.reference(subnet.properties, "natGateway")) if subnet else None
        if gateway and _profile(write)["outboundType"] == "loadBalancer" and (gateway.body.get("sku") or {}).get("name") == "StandardV2":
            raise _refuse("NatGatewayNotSupported", "A StandardV2 NAT gateway on the subnet breaks IPv6 outbound of outboundType loadBalancer.")


@rule("aks-outbound-udr", aks.CLUSTER, "learn.microsoft.com/azure/aks/egress-udr")
def udr_needs_a_default_route(write: Write) -> None:
    if _profile(write)["outboundType"] != "userDefinedRouting":
        return
    for pool in _pools(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        table = write.azure.store.get(network.reference(subnet.properties, "routeTable")) if subnet else None
        routes = table.properties["routes"] if table else []
        if not any(route["properties"].get("addressPrefix") == "0.0.0.0/0" for route in routes):
            raise _refuse(
                "ExistingRouteTableNotAssociatedWithSubnet", f"outboundType userDefinedRouting: no 0.0.0.0/0 route on the subnet of {pool['name']}."
            )


@rule("aks-authorized-ranges", aks.CLUSTER, _RANGES)
def authorized_ranges_are_ipv4(write: Write) -> None:
    access = write.properties.get("apiServerAccessProfile") or {}
    ranges = access.get("authorizedIPRanges") or []
    if ranges and access.get("enablePrivateCluster"):
        raise _refuse("InvalidAuthorizedIPRanges", "authorizedIPRanges do not go with a private cluster.")
    limit = 2000 if access.get("enableVnetIntegration") else 200
    if len(ranges) > limit:
        raise _refuse("InvalidAuthorizedIPRanges", f"{len(ranges)} authorized ranges; {limit} at most.")
    for text in ranges:
        try:
            found = ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise _refuse("InvalidAuthorizedIPRanges", f"{text}: {error}.") from error
        if found.version == 6:
            raise _refuse("InvalidAuthorizedIPRanges", f"authorizedIPRanges: {text} cannot be an IPv6 address.")


@rule("aks-local-accounts", aks.CLUSTER, "learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad")
def no_local_accounts_needs_entra(write: Write) -> None:
    if write.properties.get("disableLocalAccounts") and not (write.properties.get("aadProfile") or {}).get("managed"):
        raise _refuse("DisableLocalAccountsNotSupported", "disableLocalAccounts needs Microsoft Entra ID (aadProfile.managed).")


@rule("aks-oidc-stays", aks.CLUSTER, "learn.microsoft.com/azure/aks/use-oidc-issuer")
def oidc_issuer_stays(write: Write) -> None:
    before = (write.old_properties.get("oidcIssuerProfile") or {}).get("enabled")
    if before and not (write.properties.get("oidcIssuerProfile") or {}).get("enabled"):
        raise _refuse("OIDCIssuerFeatureCannotBeDisabled", "The OIDC issuer cannot be disabled once it is on.")


@rule("aks-immutable", aks.CLUSTER, _OVERLAY)
def network_ranges_stay(write: Write) -> None:
    if write.before is None:
        return
    old, new = write.old_properties, write.properties
    for name in ("dnsPrefix", "fqdnSubdomain"):
        if old.get(name) != new.get(name):
            raise _refuse("PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", name)
    for name in ("serviceCidrs", "podCidrs", "dnsServiceIP"):
        before, after = old["networkProfile"].get(name), new["networkProfile"].get(name)
        same = (
            [ipaddress.ip_network(text) for text in before] == [ipaddress.ip_network(text) for text in after][: len(before)]
            if isinstance(before, list)
            else before == after
        )
        if not same:
            raise _refuse("PropertyChangeNotAllowed", f"Changing property 'networkProfile.{name}' is not allowed.", f"networkProfile.{name}")


@rule("aks-families-stay", aks.CLUSTER, _DUAL_STACK)
def no_way_back_to_one_family(write: Write) -> None:
    before = (write.old_properties.get("networkProfile") or {}).get("ipFamilies") or []
    if "IPv6" in before and not _dual(write):
        raise _refuse("PropertyChangeNotAllowed", "A dual-stack cluster cannot become IPv4-only.", "networkProfile.ipFamilies")


@rule("aks-system-pool", aks.CLUSTER, _SYSTEM_POOLS)
def there_is_a_system_pool(write: Write) -> None:
    if not any(pool.get("mode") == "System" for pool in _pools(write)):
        raise _refuse("InvalidParameter", "Must define at least one system pool.", "agentPoolProfiles")


@rule("aks-pool-stays-system", aks.POOL, _SYSTEM_POOLS)
def last_system_pool_keeps_its_mode(write: Write) -> None:
    others = [pool for pool in write.azure.store.children(ids.parse(write.id).parent, "agentPools") if pool.key != write.id.lower()]
    if write.properties["mode"] != "System" and not any(pool.properties.get("mode") == "System" for pool in others):
        raise _refuse("InvalidParameter", "Must define at least one system pool.", "agentPoolProfile.mode")


@rule("aks-pool-names", aks.CLUSTER, _POOLS)
def pool_names_are_unique(write: Write) -> None:
    names = [pool["name"].lower() for pool in _pools(write)]
    for name in names:
        if names.count(name) > 1:
            raise _refuse("InvalidParameter", f"agentPoolProfiles has more than one pool with the name {name}.", "agentPoolProfile.name")


@rule("aks-pool-introduced", aks.CLUSTER, _POOL_API)
def pools_come_on_their_own(write: Write) -> None:
    known = {pool.name.lower() for pool in write.azure.store.children(write.id, "agentPools")}
    if write.before and any(pool["name"].lower() not in known for pool in _pools(write)):
        raise _refuse(
            "BadRequest",
            "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through managed cluster operations. "
            "For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api",
            "agentPoolProfiles",
        )


def _check_counts(name: str, pool: dict[str, Any]) -> None:
    lowest = 1 if pool["mode"] == "System" else 0
    for field in ("count", *(("minCount", "maxCount") if pool["enableAutoScaling"] else ())):
        if not lowest <= pool.get(field, -1) <= 1000:
            raise _refuse(
                "InvalidParameter",
                f"The value of parameter agentPoolProfile.{field} is invalid: pool {name} of mode {pool['mode']} takes {lowest} to 1000.",
                f"agentPoolProfile.{field}",
            )
    if pool["enableAutoScaling"] and pool["minCount"] > pool["maxCount"]:
        raise _refuse("InvalidParameter", f"Pool {name}: minCount {pool['minCount']} is more than maxCount {pool['maxCount']}.", "minCount")
    if pool["enableAutoScaling"] and not pool["minCount"] <= pool["count"] <= pool["maxCount"]:
        raise _refuse(
            "InvalidParameter",
            f"agentPoolProfile.count was {pool['count']}. It must be greater or equal to minCount:{pool['minCount']} "
            f"and less than or equal to maxCount:{pool['maxCount']}.",
            "agentPoolProfile.count",
        )


@rule("aks-cluster-pool-counts", aks.CLUSTER, _POOL_API)
def counts_in_the_cluster(write: Write) -> None:
    for pool in _pools(write):
        _check_counts(pool["name"], pool)


@rule("aks-pool-counts", aks.POOL, _POOL_API)
def counts_of_a_pool(write: Write) -> None:
    _check_counts(ids.parse(write.id).name, write.properties)


@rule("aks-pool-immutable", aks.POOL, _POOL_API)
def pool_keeps_its_machines(write: Write) -> None:
    for name in ("vmSize", "osType", "vnetSubnetID", "maxPods", "availabilityZones"):
        before, after = write.old_properties.get(name), write.properties.get(name)
        if isinstance(after, list):
            before, after = sorted(before or []), sorted(after)
        if write.before and after and str(before).lower() != str(after).lower():
            raise _refuse("PropertyChangeNotAllowed", f"Changing property 'agentPoolProfile.{name}' is not allowed.", f"agentPoolProfile.{name}")


def _check_pool(name: str, pool: dict[str, Any], plane: str) -> None:
    if pool["osType"] == "Windows" and len(name) > 6:
        raise _refuse("InvalidParameter", f"The name of Windows pool {name} is longer than six characters.", "name")
    if pool["osType"] == "Windows" and plane == "cilium":
        raise _refuse("WindowsNotSupported", f"Pool {name}: Windows does not go with networkDataplane cilium.")
    if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
        raise _refuse("InvalidParameter", f"The pool name {name} must be 1 to 12 lower-case letters and digits, a letter first.", "name")
    if not 10 <= pool["maxPods"] <= 250:
        raise _refuse("InvalidMaxPods", f"Pool {name}: maxPods {pool['maxPods']} is out of range: 10 to 250.", "maxPods")


@rule("aks-cluster-pools", aks.CLUSTER, _POOLS)
def pools_in_the_cluster(write: Write) -> None:
    for pool in _pools(write):
        _check_pool(pool["name"], pool, _profile(write).get("networkDataplane", "azure"))


@rule("aks-pool", aks.POOL, _POOLS)
def pool_of_its_own(write: Write) -> None:
    cluster = write.azure.get(ids.parse(write.id).parent)
    target = write.properties.get("vnetSubnetID")
    subnet = write.azure.store.get(target) if target else None
    if target and subnet is None:
        raise _refuse("InvalidParameter", f"The subnet {target} was not found.", "vnetSubnetID")
    versions = {ipaddress.ip_network(prefix).version for prefix in network.prefixes_of(subnet.properties)} if subnet else {4, 6}
    if "IPv6" in cluster.properties["networkProfile"]["ipFamilies"] and 6 not in versions:
        raise _refuse("SubnetNotDualStack", f"The subnet {target} has no IPv6 prefix; a dual-stack cluster needs one.", "vnetSubnetID")
    _check_pool(ids.parse(write.id).name, write.properties, cluster.properties["networkProfile"].get("networkDataplane", "azure"))


def _room(pods: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    """Nodes that fit into the IPv4 pod range; no cluster has more than 5000."""
    return min(5000, 1 << max(0, 24 - pods.prefixlen))


@rule("aks-pool-subnet", aks.POOL, _POOLS)
def subnet_of_a_pool_serves(write: Write) -> None:
    cluster = write.azure.get(ids.parse(write.id).parent)
    subnet = write.azure.store.get(write.properties.get("vnetSubnetID") or "")
    if subnet is None:
        return
    if subnet.properties.get("delegations"):
        raise _refuse("SubnetIsDelegated", f"The subnet {subnet.id} of the pool must not be delegated.", "vnetSubnetID")
    profile = cluster.properties["networkProfile"]
    for text in (*profile["podCidrs"], *profile["serviceCidrs"]):
        for prefix in network.prefixes_of(subnet.properties):
            one, other = ipaddress.ip_network(text), ipaddress.ip_network(prefix)
            if one.version == other.version and one.overlaps(other):
                raise _refuse("CidrOverlap", f"{one} overlaps with the node subnet {other}.", "vnetSubnetID")


@rule("aks-pool-capacity", aks.POOL, _OVERLAY)
def pods_have_room(write: Write) -> None:
    """Each node takes a /24 of the IPv4 pod range."""
    cluster = write.azure.get(ids.parse(write.id).parent)
    nodes = sum(
        pool.properties.get("maxCount") or pool.properties["count"]
        for pool in write.azure.store.children(cluster.id, "agentPools")
        if pool.key != write.id.lower()
    )
    nodes += write.properties.get("maxCount") or write.properties["count"]
    room = _room(ipaddress.ip_network(cluster.properties["networkProfile"]["podCidrs"][0]))
    if nodes > room:
        raise _refuse("InsufficientPodCidr", f"The pod CIDR has room for {room} nodes; the pools may grow to {nodes}.")


@rule("aks-cluster-capacity", aks.CLUSTER, _OVERLAY)
def inline_pools_have_room(write: Write) -> None:
    nodes = sum(pool.get("maxCount") or pool["count"] for pool in _pools(write))
    room = _room(_networks(write, "podCidrs")[0])
    if nodes > room:
        raise _refuse("InsufficientPodCidr", f"The pod CIDR has room for {room} nodes; the pools may grow to {nodes}.")


@rule("aks-maintenance-name", aks.MAINTENANCE, "learn.microsoft.com/azure/aks/planned-maintenance")
def maintenance_names(write: Write) -> None:
    known = ("default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
    if ids.parse(write.id).name.lower() not in {name.lower() for name in known}:
        raise _refuse("InvalidParameter", f"A maintenance configuration is called {', '.join(known)}.")


@delete_rule("aks-last-system-pool", aks.POOL, _SYSTEM_POOLS)
def last_system_pool_stays(azure: Azure, resource: Resource) -> None:
    cluster = ids.parse(resource.id).parent
    others = [pool for pool in azure.store.children(cluster, "agentPools") if pool.key != resource.key and pool.properties.get("mode") == "System"]
    if resource.properties.get("mode") == "System" and not others:
        raise _refuse("OperationNotAllowed", f"{resource.name} is the last System pool of the cluster and cannot be deleted.")
