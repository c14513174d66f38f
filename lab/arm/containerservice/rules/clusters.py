"""What managed clusters refuse."""

from __future__ import annotations

import ipaddress
import re

from ... import ids
from ...authorization.roles import roles_on
from ...errors import InvalidReference
from ...kinds import Write
from ...network.bodies import prefixes_of, reference
from ...rules import rule
from ..network_profile import address_management, has_pod_ranges
from ..node_group import own_kubelet_identity
from ..types import CLUSTER
from ..versions import VERSIONS
from .shared import DUAL_STACK, OVERLAY, is_dual_stack, network_profile, pools_of, ranges, refusal

_CILIUM = "learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"
_CNI_OVERVIEW = "learn.microsoft.com/azure/aks/concepts-network-cni-overview"
_OUTBOUND = "learn.microsoft.com/azure/aks/egress-outboundtype"
_RANGES = "learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges"
_FAQ = "learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/aks-common-issues-faq"
_UPDATE_CNI = "learn.microsoft.com/azure/aks/update-azure-cni"

#: ids of built-in roles
_CONTRIBUTORS = {"b24988ac-6180-42a0-ab88-20f7382dd24c", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}
_NETWORK_CONTRIBUTORS = {"4d97b98b-1d4f-4787-a291-c67834d212e7", *_CONTRIBUTORS}
#: IPv4 ranges that AKS keeps to itself
_RESERVED = [ipaddress.ip_network(text) for text in ("169.254.0.0/16", "192.0.2.0/24", "172.30.0.0/16", "172.31.0.0/16")]


@rule("aks-names", CLUSTER, _FAQ)
def names_fit_into_dns_and_resource_manager(write: Write) -> None:
    prefix, group = write.properties.get("dnsPrefix"), write.properties.get("nodeResourceGroup") or ""
    if prefix is not None and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?", prefix):
        raise refusal("InvalidParameter", f"dnsPrefix {prefix} is not 1 to 54 letters, digits and hyphens between a letter or digit.", "dnsPrefix")
    if len(group) > 80:
        raise refusal("InvalidParameter", f"nodeResourceGroup {group} is longer than 80 characters.", "nodeResourceGroup")


@rule("aks-overlay", CLUSTER, DUAL_STACK)
def dual_stack_needs_overlay(write: Write) -> None:
    profile = network_profile(write)
    if is_dual_stack(write) and (profile.get("networkPlugin"), profile.get("networkPluginMode")) != ("azure", "overlay"):
        raise refusal("DualStackNotSupported", "Dual-stack networking needs networkPlugin azure and networkPluginMode overlay.", "networkProfile")


@rule("aks-overlay-names", CLUSTER, OVERLAY)
def names_fit_into_node_labels(write: Write) -> None:
    if network_profile(write).get("networkPluginMode") != "overlay":
        return
    for pool in pools_of(write):
        subnet = ids.parse(pool.get("vnetSubnetID") or "")
        for name in (subnet.resource_group, *subnet.names):
            if len(name) > 63:
                raise refusal("InvalidParameter", f"Overlay: {name} is longer than 63 characters.", "agentPoolProfiles.vnetSubnetID")


@rule("aks-overlay-pools", CLUSTER, OVERLAY)
def overlay_has_scale_sets(write: Write) -> None:
    for pool in pools_of(write):
        old_machines = re.match(r"standard_dc\d+s_v2$", pool.get("vmSize") or "", re.IGNORECASE)
        if network_profile(write).get("networkPluginMode") == "overlay" and (pool["type"] == "AvailabilitySet" or old_machines):
            raise refusal("InvalidParameter", f"Overlay has neither availability sets nor DCsv2 machines: pool {pool['name']}.", "agentPoolProfiles")


@rule("aks-overlay-stays", CLUSTER, _UPDATE_CNI)
def overlay_and_cilium_stay(write: Write) -> None:
    """Towards overlay and towards Cilium there is a way, back there is none."""
    before = write.old_properties.get("networkProfile") or {}
    for name, final in (("networkPlugin", "azure"), ("networkPluginMode", "overlay"), ("networkDataplane", "cilium")):
        if before.get(name) == final and network_profile(write).get(name, final) != final:
            raise refusal("PropertyChangeNotAllowed", f"Changing property 'networkProfile.{name}' is not allowed.", f"networkProfile.{name}")


@rule("aks-families-order", CLUSTER, DUAL_STACK)
def ipv4_comes_first(write: Write) -> None:
    if network_profile(write)["ipFamilies"] not in (["IPv4"], ["IPv4", "IPv6"]):
        raise refusal("InvalidIPFamilies", 'networkProfile.ipFamilies is ["IPv4"] or ["IPv4","IPv6"], IPv4 first.', "networkProfile.ipFamilies")


@rule("aks-cidr-families", CLUSTER, DUAL_STACK)
def cidrs_follow_the_families(write: Write) -> None:
    wanted = [4, 6] if is_dual_stack(write) else [4]
    for name in ("podCidrs", "serviceCidrs") if has_pod_ranges(network_profile(write)) else ("serviceCidrs",):
        if [found.version for found in ranges(write, name)] != wanted:
            raise refusal("InvalidNetworkCidrs", f"networkProfile.{name} must have one range for each family, in the order of ipFamilies.", name)


@rule("aks-service-cidr-ipv6", CLUSTER, DUAL_STACK)
def service_cidr_ipv6_size(write: Write) -> None:
    for found in ranges(write, "serviceCidrs"):
        if found.version == 6 and found.prefixlen < 108:
            raise refusal("ServiceCidrTooLarge", f"The IPv6 service CIDR {found} can be no larger than a /108.", "networkProfile.serviceCidrs")


@rule("aks-service-cidr-ipv4", CLUSTER, _CNI_OVERVIEW)
def service_cidr_ipv4_size(write: Write) -> None:
    for found in ranges(write, "serviceCidrs"):
        if found.version == 4 and found.prefixlen <= 12:
            raise refusal("ServiceCidrTooLarge", f"The IPv4 service CIDR {found} must be smaller than /12.", "networkProfile.serviceCidrs")


@rule("aks-dns-service-ip", CLUSTER, _CNI_OVERVIEW)
def dns_service_ip_in_service_cidr(write: Write) -> None:
    address = ipaddress.ip_address(network_profile(write)["dnsServiceIP"])
    cidr = ranges(write, "serviceCidrs")[0]
    if address not in cidr or address in (cidr[0], cidr[1]):
        raise refusal(
            "DnsServiceIpOutOfServiceCidr", f"dnsServiceIP {address} must lie in {cidr} and not be its first address.", "networkProfile.dnsServiceIP"
        )


@rule("aks-reserved-ranges", CLUSTER, _CNI_OVERVIEW)
def reserved_ranges(write: Write) -> None:
    for name in ("podCidrs", "serviceCidrs"):
        for found in ranges(write, name):
            for reserved in _RESERVED:
                if found.version == 4 and found.overlaps(reserved):
                    raise refusal("InvalidCIDR", f"networkProfile.{name} {found} overlaps with {reserved}, which AKS keeps to itself.", name)


def _subnet_networks(write: Write) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for pool in pools_of(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        if subnet:
            found += [ipaddress.ip_network(prefix) for prefix in prefixes_of(subnet.properties)]
    return found


@rule("aks-cidr-overlap", CLUSTER, OVERLAY)
def ranges_do_not_overlap(write: Write) -> None:
    pods, services = ranges(write, "podCidrs"), ranges(write, "serviceCidrs")
    for one, others, what in (
        *((pod, services, "service CIDR") for pod in pods),
        *((found, _subnet_networks(write), "node subnet") for found in pods + services),
    ):
        for other in others:
            if one.version == other.version and one.overlaps(other):
                raise refusal("CidrOverlap", f"{one} overlaps with the {what} {other}.", "networkProfile")


@rule("aks-network-policy", CLUSTER, DUAL_STACK)
def network_policy_of_dual_stack(write: Write) -> None:
    policy, plane = network_profile(write).get("networkPolicy", "none"), network_profile(write).get("networkDataplane", "azure")
    if is_dual_stack(write) and policy not in ("none", "cilium"):
        raise refusal(
            "NetworkPolicyNotSupported", f"networkPolicy {policy} is not supported with dual-stack; use cilium.", "networkProfile.networkPolicy"
        )
    if (policy == "cilium") != (plane == "cilium") and "cilium" in (policy, plane) and policy != "none":
        raise refusal("NetworkPolicyNotSupported", "networkPolicy cilium goes with networkDataplane cilium.", "networkProfile.networkPolicy")


@rule("aks-cilium-version", CLUSTER, _CILIUM)
def cilium_dual_stack_version(write: Write) -> None:
    found = re.match(r"(\d+)\.(\d+)", str(write.properties["kubernetesVersion"]))
    minor = (int(found[1]), int(found[2])) if found else (0, 0)
    if is_dual_stack(write) and found and network_profile(write).get("networkDataplane") == "cilium" and minor < (1, 29):
        raise refusal("KubernetesVersionNotSupported", "Dual-stack with Cilium needs Kubernetes 1.29 or newer.", "kubernetesVersion")


@rule("aks-version", CLUSTER, "learn.microsoft.com/azure/aks/supported-kubernetes-versions")
def version_is_known(write: Write) -> None:
    version = write.properties["kubernetesVersion"]
    if version not in VERSIONS and not write.azure.options.any_version:
        raise refusal(
            "K8sVersionNotSupported",
            f"Version {version} is not supported in this region. Supported: {', '.join(VERSIONS)}.",
            "kubernetesVersion",
        )


@rule("aks-subnet-dual-stack", CLUSTER, DUAL_STACK)
def node_subnet_is_dual_stack(write: Write) -> None:
    for pool in pools_of(write):
        target = pool.get("vnetSubnetID")
        subnet = write.azure.store.get(target) if target else None
        if target and subnet is None:
            raise refusal("InvalidParameter", f"The subnet {target} of pool {pool['name']} was not found.", "agentPoolProfiles.vnetSubnetID")
        versions = {ipaddress.ip_network(prefix).version for prefix in prefixes_of(subnet.properties)} if subnet else {4, 6}
        if is_dual_stack(write) and 6 not in versions:
            raise refusal(
                "SubnetNotDualStack", f"The subnet {target} has no IPv6 prefix; a dual-stack cluster needs one.", "agentPoolProfiles.vnetSubnetID"
            )


@rule("aks-subnet-delegated", CLUSTER, "learn.microsoft.com/azure/aks/api-server-vnet-integration")
def node_subnet_is_not_delegated(write: Write) -> None:
    for pool in pools_of(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        if subnet and subnet.properties.get("delegations"):
            raise refusal(
                "SubnetIsDelegated", f"The subnet {subnet.id} of pool {pool['name']} must not be delegated.", "agentPoolProfiles.vnetSubnetID"
            )


@rule("aks-identity", CLUSTER, "learn.microsoft.com/azure/aks/use-managed-identity")
def identity_exists(write: Write) -> None:
    identity = write.body.get("identity") or {}
    given = list(identity.get("userAssignedIdentities") or {})
    if identity.get("type") == "UserAssigned" and len(given) != 1:
        raise refusal("InvalidParameter", f"identity.userAssignedIdentities must name exactly one identity, not {len(given)}.", "identity")
    for target in given:
        if not write.azure.store.get(target):
            raise refusal("InvalidParameter", f"The identity {target} was not found.", "identity")


@rule("aks-identity-or-principal", CLUSTER, "github.com/Azure/AKS/issues/4528")
def cluster_has_an_identity(write: Write) -> None:
    identity = write.body.get("identity") or (write.before.body.get("identity") if write.before else None) or {}
    if identity.get("type", "None") == "None" and write.properties["servicePrincipalProfile"]["clientId"] == "msi":
        raise refusal("InvalidParameter", "Required parameter servicePrincipalProfile is missing (null).", "servicePrincipalProfile")


@rule("aks-http-application-routing", CLUSTER, "github.com/kata-containers/kata-containers/issues/11156")
def http_application_routing_is_retired(write: Write) -> None:
    old, new = (((found.get("addonProfiles") or {}).get("httpApplicationRouting") or {}) for found in (write.old_properties, write.properties))
    if new.get("enabled") and not old.get("enabled"):
        raise refusal(
            "BadRequest",
            "Client Error: The HTTPApplicationRouting add-on can no longer be enabled on new clusters. "
            "Please use the Application Routing Add-on instead: https://aka.ms/app-routing-migration",
        )


@rule("aks-subnet-permission", CLUSTER, "learn.microsoft.com/azure/aks/azure-cni-overlay")
def identity_may_join_the_subnet(write: Write) -> None:
    for target in (write.body.get("identity") or {}).get("userAssignedIdentities") or {}:
        principal = write.azure.get(target).properties["principalId"]
        for pool in pools_of(write):
            subnet = pool.get("vnetSubnetID")
            if subnet and not _NETWORK_CONTRIBUTORS & roles_on(write.azure, principal, subnet):
                raise refusal(
                    "ResourceMissingPermissionError",
                    f"The cluster using user-assigned managed identity {target} must have permission subnets/join/action on {subnet}.",
                )


@rule("aks-kubelet-identity-permission", CLUSTER, "learn.microsoft.com/azure/aks/use-managed-identity")
def identity_may_assign_the_kubelets(write: Write) -> None:
    kubelet = ((write.properties.get("identityProfile") or {}).get("kubeletidentity") or {}).get("resourceId")
    if kubelet and write.before and kubelet.lower() == own_kubelet_identity(write.azure, write.before).lower():
        # AKS made it: clients that write what they read send it back.
        return
    for target in (write.body.get("identity") or {}).get("userAssignedIdentities") or {}:
        principal = write.azure.get(target).properties["principalId"]
        roles = {"f1a07417-d97a-45cb-824c-7a7467783830", *_CONTRIBUTORS}
        if kubelet and not roles & roles_on(write.azure, principal, kubelet):
            raise refusal("KubeletIdentityMissingPermissionError", f"{target} needs the role Managed Identity Operator on {kubelet}.")


@rule("aks-managed-outbound", CLUSTER, _OUTBOUND)
def managed_addresses_need_the_load_balancer(write: Write) -> None:
    profile = network_profile(write).get("loadBalancerProfile") or {}
    if profile.get("managedOutboundIPs") and network_profile(write)["outboundType"] != "loadBalancer":
        raise refusal("InvalidLoadBalancerProfile", f"managedOutboundIPs do not go with outboundType {network_profile(write)['outboundType']}.")
    if profile.get("managedOutboundIPs") and (profile.get("outboundIPs") or profile.get("outboundIPPrefixes")):
        raise refusal("InvalidLoadBalancerProfile", "managedOutboundIPs, outboundIPs and outboundIPPrefixes exclude each other.")


@rule("aks-outbound-addresses", CLUSTER, "learn.microsoft.com/azure/aks/configure-load-balancer-standard")
def outbound_addresses_exist(write: Write) -> None:
    profile = network_profile(write).get("loadBalancerProfile") or {}
    for name, many in (("outboundIPs", "publicIPs"), ("outboundIPPrefixes", "publicIPPrefixes")):
        given = (profile.get(name) or {}).get(many) or []
        if name in profile and not given:
            raise refusal("InvalidLoadBalancerProfile", f"loadBalancerProfile.{name} names nothing.", f"networkProfile.loadBalancerProfile.{name}")
        for item in given:
            if not write.azure.store.get(item["id"]):
                raise InvalidReference(item["id"], write.id)


@rule("aks-outbound-managed-nat-gateway", CLUSTER, _OUTBOUND)
def managed_nat_gateway_has_its_own_vnet(write: Write) -> None:
    """The gateway that AKS makes is of SKU Standard in the api-versions that the lab knows."""
    if network_profile(write)["outboundType"] != "managedNATGateway":
        return
    if any(pool.get("vnetSubnetID") for pool in pools_of(write)):
        raise refusal("InvalidParameter", "outboundType managedNATGateway does not go with a custom virtual network.", "networkProfile.outboundType")
    if is_dual_stack(write):
        raise refusal("NatGatewayNotSupported", "A NAT gateway of SKU Standard cannot be used with dual-stack clusters; use StandardV2.")


@rule("aks-count-ipv6", CLUSTER, DUAL_STACK)
def count_ipv6_needs_dual_stack(write: Write) -> None:
    managed = (network_profile(write).get("loadBalancerProfile") or {}).get("managedOutboundIPs") or {}
    if managed.get("countIPv6") and not is_dual_stack(write):
        raise refusal("InvalidLoadBalancerProfile", "managedOutboundIPs.countIPv6 needs a dual-stack cluster.")


@rule("aks-outbound-nat-gateway", CLUSTER, _OUTBOUND)
def nat_gateway_is_on_the_subnet(write: Write) -> None:
    if network_profile(write)["outboundType"] != "userAssignedNATGateway":
        return
    for pool in pools_of(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        gateway = write.azure.store.get(reference(subnet.properties, "natGateway")) if subnet else None
        if gateway is None:
            raise refusal("NatGatewayNotFound", f"outboundType userAssignedNATGateway: the subnet of pool {pool['name']} has no NAT gateway.")
        if is_dual_stack(write) and (gateway.body.get("sku") or {}).get("name") != "StandardV2":
            raise refusal("NatGatewayNotSupported", "A NAT gateway of SKU Standard cannot be used with dual-stack clusters; use StandardV2.")


@rule("aks-outbound-nat-and-balancer", CLUSTER, "learn.microsoft.com/azure/nat-gateway/nat-sku")
def nat_gateway_breaks_outbound_rules(write: Write) -> None:
    for pool in pools_of(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        gateway = write.azure.store.get(reference(subnet.properties, "natGateway")) if subnet else None
        if gateway and network_profile(write)["outboundType"] == "loadBalancer" and (gateway.body.get("sku") or {}).get("name") == "StandardV2":
            raise refusal("NatGatewayNotSupported", "A StandardV2 NAT gateway on the subnet breaks IPv6 outbound of outboundType loadBalancer.")


@rule("aks-outbound-udr", CLUSTER, "learn.microsoft.com/azure/aks/egress-udr")
def udr_needs_a_default_route(write: Write) -> None:
    if network_profile(write)["outboundType"] != "userDefinedRouting":
        return
    for pool in pools_of(write):
        subnet = write.azure.store.get(pool.get("vnetSubnetID") or "")
        table = write.azure.store.get(reference(subnet.properties, "routeTable")) if subnet else None
        routes = table.properties["routes"] if table else []
        if not any(route["properties"].get("addressPrefix") == "0.0.0.0/0" for route in routes):
            raise refusal(
                "ExistingRouteTableNotAssociatedWithSubnet", f"outboundType userDefinedRouting: no 0.0.0.0/0 route on the subnet of {pool['name']}."
            )


@rule("aks-authorized-ranges", CLUSTER, _RANGES)
def authorized_ranges_are_ipv4(write: Write) -> None:
    access = write.properties.get("apiServerAccessProfile") or {}
    ranges = access.get("authorizedIPRanges") or []
    if ranges and access.get("enablePrivateCluster"):
        raise refusal("InvalidAuthorizedIPRanges", "authorizedIPRanges do not go with a private cluster.")
    limit = 2000 if access.get("enableVnetIntegration") else 200
    if len(ranges) > limit:
        raise refusal("InvalidAuthorizedIPRanges", f"{len(ranges)} authorized ranges; {limit} at most.")
    for text in ranges:
        try:
            found = ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise refusal("InvalidAuthorizedIPRanges", f"{text}: {error}.") from error
        if found.version == 6:
            raise refusal("InvalidAuthorizedIPRanges", f"authorizedIPRanges: {text} cannot be an IPv6 address.")


@rule("aks-local-accounts", CLUSTER, "learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad")
def no_local_accounts_needs_entra(write: Write) -> None:
    if write.properties.get("disableLocalAccounts") and not (write.properties.get("aadProfile") or {}).get("managed"):
        raise refusal("DisableLocalAccountsNotSupported", "disableLocalAccounts needs Microsoft Entra ID (aadProfile.managed).")


@rule("aks-oidc-stays", CLUSTER, "learn.microsoft.com/azure/aks/use-oidc-issuer")
def oidc_issuer_stays(write: Write) -> None:
    before = (write.old_properties.get("oidcIssuerProfile") or {}).get("enabled")
    if before and not (write.properties.get("oidcIssuerProfile") or {}).get("enabled"):
        raise refusal("OIDCIssuerFeatureCannotBeDisabled", "The OIDC issuer cannot be disabled once it is on.")


@rule("aks-immutable", CLUSTER, OVERLAY)
def network_ranges_stay(write: Write) -> None:
    if write.before is None:
        return
    old, new = write.old_properties, write.properties
    for name in ("dnsPrefix", "fqdnSubdomain", "nodeResourceGroup"):
        if str(old.get(name)).lower() != str(new.get(name)).lower():
            raise refusal("PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", name)
    for name in ("serviceCidrs", "podCidrs", "dnsServiceIP"):
        before, after = old["networkProfile"].get(name), new["networkProfile"].get(name)
        if name == "podCidrs" and address_management(old["networkProfile"]) != address_management(new["networkProfile"]):
            continue
        same = (
            [ipaddress.ip_network(text) for text in before] == [ipaddress.ip_network(text) for text in after][: len(before)]
            if isinstance(before, list)
            else before == after
        )
        if not same:
            raise refusal("PropertyChangeNotAllowed", f"Changing property 'networkProfile.{name}' is not allowed.", f"networkProfile.{name}")
