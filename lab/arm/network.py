"""Microsoft.Network: virtual networks, addresses, NAT gateways, load balancers, private endpoints."""

from __future__ import annotations

import copy
import ipaddress
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from . import errors, ids
from .azure import Azure, Kind, Write, kind
from .store import Resource

VNET = "Microsoft.Network/virtualNetworks"
SUBNET = VNET + "/subnets"
NSG = "Microsoft.Network/networkSecurityGroups"
ROUTE_TABLE = "Microsoft.Network/routeTables"
PUBLIC_IP = "Microsoft.Network/publicIPAddresses"
PUBLIC_IP_PREFIX = "Microsoft.Network/publicIPPrefixes"
NAT_GATEWAY = "Microsoft.Network/natGateways"
LOAD_BALANCER = "Microsoft.Network/loadBalancers"
NIC = "Microsoft.Network/networkInterfaces"
PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
ZONE_GROUP = PRIVATE_ENDPOINT + "/privateDnsZoneGroups"
SCALE_SET_VM = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"

#: Public addresses come from the documentation ranges (RFC 5737, RFC 3849).
_PUBLIC_IPV4 = [ipaddress.ip_network("203.0.113.0/24"), ipaddress.ip_network("198.51.100.0/24")]
_PUBLIC_IPV6 = ipaddress.ip_network("2001:db8:f::/48")


def reference(properties: dict[str, Any], name: str) -> str:
    """The id that ``properties[name]`` points at, empty when it points nowhere."""
    return str(((properties or {}).get(name) or {}).get("id") or "")


def same_id(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def prefixes_of(properties: dict[str, Any]) -> list[str]:
    """A subnet's prefixes, whichever of the two properties holds them."""
    single = properties.get("addressPrefix")
    return list(properties.get("addressPrefixes") or ([single] if single else []))


def references_to(azure: Azure, resource_type: str, name: str, target: str) -> list[Resource]:
    """Resources of a type whose property ``name`` points at ``target``."""
    return [found for found in azure.store.of_type(resource_type) if same_id(reference(found.properties, name), target)]


def canonical(prefix: str) -> str:
    """RFC 5952 text of an address or prefix; what is neither (a service tag) as it is."""
    for read in (ipaddress.ip_address, ipaddress.ip_network):
        try:
            return str(read(prefix))
        except ValueError:
            continue
    return prefix


class _NetworkKind(Kind):
    """All of Microsoft.Network has etags and short asynchronous writes, nearly all a resourceGuid."""

    seconds = 2
    delete_seconds = 4
    has_etag = True
    honours_if_match = True

    def accepted(self, write: Write, resource: Resource) -> None:
        resource.properties.setdefault("resourceGuid", ids.stable_uuid(resource.id))


@kind
class VirtualNetwork(_NetworkKind):
    type = VNET
    seconds = 4
    delete_seconds = 8
    inline_children = {"subnets": "subnets"}

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("enableDdosProtection", False)
        write.properties.setdefault("privateEndpointVNetPolicies", "Disabled")

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        space = body["properties"]["addressSpace"]
        space["addressPrefixes"] = [canonical(prefix) for prefix in space["addressPrefixes"]]
        body["properties"]["subnets"] = [azure.render(child) for child in azure.store.children(resource.id, "subnets")]
        body["properties"].setdefault("virtualNetworkPeerings", [])
        return body

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        if name != "checkipaddressavailability":
            return None
        return _address_availability(azure, resource, query.get("ipAddress") or "")


def _address_availability(azure: Azure, vnet: Resource, text: str) -> dict[str, Any]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise errors.ArmError(400, "InvalidRequestFormat", f"The IP address '{text}' is not valid.") from error
    subnets = azure.store.children(vnet.id, "subnets")
    for network in (ipaddress.ip_network(prefix) for subnet in subnets for prefix in prefixes_of(subnet.properties)):
        if address in network:
            used = _used_private_addresses(azure) | {str(network[number]) for number in range(4)}
            free = (str(network[number]) for number in range(4, network.num_addresses) if str(network[number]) not in used)
            if str(address) in used:
                return {"available": False, "availableIPAddresses": list(itertools.islice(free, 5)), "isPlatformReserved": False}
            return {"available": True, "isPlatformReserved": False}
    raise errors.ArmError(400, "PrivateIPAddressNotInAnySubnet", f"Private static IP address {text} does not belong to the range of any subnet.")


@kind
class Subnet(_NetworkKind):
    type = SUBNET
    seconds = 3

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("privateEndpointNetworkPolicies", "Disabled")
        write.properties.setdefault("privateLinkServiceNetworkPolicies", "Enabled")

    def accepted(self, write: Write, resource: Resource) -> None:
        pass

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]
        prefixes = [canonical(prefix) for prefix in prefixes_of(properties)]
        if len(prefixes) == 1:
            properties.pop("addressPrefixes", None)
            properties["addressPrefix"] = prefixes[0]
        else:
            properties["addressPrefixes"] = prefixes
        properties.setdefault("delegations", [])
        users = list(subnet_users(azure, resource.id))
        if users:
            properties["ipConfigurations"] = [{"id": user} for user in users]
        return body


def subnet_users(azure: Azure, subnet: str) -> Iterator[str]:
    """Ids of what sits in a subnet: IP configurations of scale sets, private endpoints, internal frontends."""
    for scale_set_vm, nic, configuration in vm_ip_configurations(azure):
        if same_id(reference(configuration["properties"], "subnet"), subnet):
            yield f"{scale_set_vm.id}/networkInterfaces/{nic['name']}/ipConfigurations/{configuration['name']}"
    for endpoint in references_to(azure, PRIVATE_ENDPOINT, "subnet", subnet):
        yield f"{endpoint.id}/networkInterfaces/{endpoint.name}.nic/ipConfigurations/privateEndpointIpConfig"
    for balancer in azure.store.of_type(LOAD_BALANCER):
        for frontend in balancer.properties.get("frontendIPConfigurations") or []:
            if same_id(reference(frontend["properties"], "subnet"), subnet):
                yield frontend["id"]


@kind
class NetworkSecurityGroup(_NetworkKind):
    type = NSG
    #: the cloud controller writes inline rules; kept inline, and served as children too
    seconds = 2

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("securityRules", [])

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        for rule in resource.properties["securityRules"]:
            _complete_rule(resource, rule)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]
        for rule in properties["securityRules"]:
            rule["properties"] = _spelt_rule(rule["properties"])
        properties["defaultSecurityRules"] = _default_rules(resource.id)
        subnets = references_to(azure, SUBNET, "networkSecurityGroup", resource.id)
        if subnets:
            properties["subnets"] = [{"id": subnet.id} for subnet in subnets]
        return body


def _complete_rule(group: Resource, rule: dict[str, Any]) -> None:
    rule["id"] = f"{group.id}/securityRules/{rule['name']}"
    rule["type"] = f"{NSG}/securityRules"
    rule["etag"] = group.body["etag"]
    rule["properties"]["provisioningState"] = "Succeeded"


def _spelt_rule(properties: dict[str, Any]) -> dict[str, Any]:
    """IPv6 prefixes come back uncompressed. Empty lists are left out: with them the cloud controller writes at every pass."""
    result = {name: value for name, value in properties.items() if value != []}
    for name in ("sourceAddressPrefix", "destinationAddressPrefix"):
        if result.get(name):
            result[name] = _respelt(result[name])
    for name in ("sourceAddressPrefixes", "destinationAddressPrefixes"):
        if result.get(name):
            result[name] = [_respelt(value) for value in result[name]]
    return result


def _respelt(prefix: str) -> str:
    address, slash, length = prefix.partition("/")
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return prefix
    # An address on its own is what the cloud controller looks for as text.
    return f"{parsed.exploded}{slash}{length}" if slash else str(parsed)


def _default_rules(group: str) -> list[dict[str, Any]]:
    rows = [
        ("AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Inbound"),
        ("AllowAzureLoadBalancerInBound", "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"),
        ("DenyAllInBound", "*", "*", "Deny", 65500, "Inbound"),
        ("AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Outbound"),
        ("AllowInternetOutBound", "*", "Internet", "Allow", 65001, "Outbound"),
        ("DenyAllOutBound", "*", "*", "Deny", 65500, "Outbound"),
    ]
    return [
        {
            "id": f"{group}/defaultSecurityRules/{name}",
            "name": name,
            "properties": {
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
                "provisioningState": "Succeeded",
            },
        }
        for name, source, destination, access, priority, direction in rows
    ]


@kind
class RouteTable(_NetworkKind):
    type = ROUTE_TABLE

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("routes", [])
        write.properties.setdefault("disableBgpRoutePropagation", False)

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        for route in resource.properties["routes"]:
            route["id"] = f"{resource.id}/routes/{route['name']}"
            route["etag"] = resource.body["etag"]
            route["properties"]["provisioningState"] = "Succeeded"


@kind
class PublicIPAddress(_NetworkKind):
    type = PUBLIC_IP
    seconds = 3

    def defaults(self, write: Write) -> None:
        write.body.setdefault("sku", {}).setdefault("name", "Standard")
        write.body["sku"].setdefault("tier", "Regional")
        properties = write.properties
        properties.setdefault("publicIPAddressVersion", "IPv4")
        properties.setdefault("publicIPAllocationMethod", "Static")
        properties.setdefault("idleTimeoutInMinutes", 4)
        properties.setdefault("ipTags", [])
        # Writable in the schema, server-assigned in practice.
        properties.pop("ipAddress", None)

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        if write.before:
            resource.properties["ipAddress"] = write.old_properties.get("ipAddress")

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        if not resource.properties.get("ipAddress"):
            resource.properties["ipAddress"] = _free_public_address(azure, resource.properties["publicIPAddressVersion"])

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        owner = public_ip_user(azure, resource.id)
        if owner:
            body["properties"]["ipConfiguration"] = {"id": owner}
        gateway = public_ip_gateway(azure, resource.id)
        if gateway:
            body["properties"]["natGateway"] = {"id": gateway.id}
        if body["properties"].get("ipAddress") is None:
            body["properties"].pop("ipAddress", None)
        return body


#: what Azure calls the count of public addresses of an IP version
_ADDRESS_USAGES = {version: f"{version}StandardSkuPublicIpAddresses" for version in ("IPv4", "IPv6")}


def address_usage(address: Mapping[str, Any]) -> str:
    """What a public address with this body counts as."""
    return _ADDRESS_USAGES.get(address["properties"]["publicIPAddressVersion"], _ADDRESS_USAGES["IPv4"])


def usages(azure: Azure, location: str) -> dict[str, int]:
    """What there is in a region, by Azure's names of it."""
    networks, addresses = ([found.body for found in azure.store.of_type(type) if found.body["location"] == location] for type in (VNET, PUBLIC_IP))
    counts = Counter(map(address_usage, addresses))
    return {"VirtualNetworks": len(networks)} | {name: counts[name] for name in _ADDRESS_USAGES.values()}


def _free_public_address(azure: Azure, version: str) -> str:
    """An address no other resource has: the cloud controller finds public addresses by their text."""
    used = {found.properties.get("ipAddress") for found in azure.store.of_type(PUBLIC_IP)}
    if version == "IPv6":
        candidates: Iterator[Any] = (_PUBLIC_IPV6[number] for number in itertools.count(0x10))
    else:
        candidates = itertools.chain.from_iterable(itertools.islice(network.hosts(), 9, None) for network in _PUBLIC_IPV4)
    for candidate in candidates:
        if str(candidate) not in used:
            return str(candidate)
    raise errors.ArmError(400, "PublicIPCountLimitReached", "Cannot create more public IP addresses for this subscription in this region.")


def public_ip_user(azure: Azure, public_ip: str) -> str:
    """Id of the frontend that a public address is bound to."""
    for balancer in azure.store.of_type(LOAD_BALANCER):
        for frontend in balancer.properties.get("frontendIPConfigurations") or []:
            if same_id(reference(frontend["properties"], "publicIPAddress"), public_ip):
                return str(frontend["id"])
    return ""


def public_ip_gateway(azure: Azure, public_ip: str) -> Resource | None:
    for gateway in azure.store.of_type(NAT_GATEWAY):
        for name in ("publicIpAddresses", "publicIpAddressesV6"):
            if any(same_id(item["id"], public_ip) for item in gateway.properties.get(name) or []):
                return gateway
    return None


def public_ip_prefix_users(azure: Azure, prefix: str) -> Iterator[str]:
    """Ids of the addresses, NAT gateways and load balancers that take from a prefix."""
    yield from (found.id for found in references_to(azure, PUBLIC_IP, "publicIPPrefix", prefix))
    for gateway in azure.store.of_type(NAT_GATEWAY):
        for name in ("publicIpPrefixes", "publicIpPrefixesV6"):
            if any(same_id(item["id"], prefix) for item in gateway.properties.get(name) or []):
                yield gateway.id
    for balancer in azure.store.of_type(LOAD_BALANCER):
        for frontend in balancer.properties.get("frontendIPConfigurations") or []:
            if same_id(reference(frontend["properties"], "publicIPPrefix"), prefix):
                yield str(frontend["id"])


@kind
class PublicIPPrefix(_NetworkKind):
    type = PUBLIC_IP_PREFIX
    seconds = 3

    def defaults(self, write: Write) -> None:
        write.body.setdefault("sku", {}).setdefault("name", "Standard")
        write.body["sku"].setdefault("tier", "Regional")
        write.properties.setdefault("publicIPAddressVersion", "IPv4")
        write.properties.setdefault("prefixLength", 28 if write.properties["publicIPAddressVersion"] == "IPv4" else 124)

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        number = len(list(azure.store.of_type(PUBLIC_IP_PREFIX)))
        properties = resource.properties
        if "ipPrefix" not in properties:
            if properties["publicIPAddressVersion"] == "IPv6":
                properties["ipPrefix"] = f"2001:db8:e:{number:x}::/{properties['prefixLength']}"
            else:
                properties["ipPrefix"] = f"198.51.100.{(number * 16) % 256}/{properties['prefixLength']}"


@kind
class NatGateway(_NetworkKind):
    type = NAT_GATEWAY
    seconds = 5

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("idleTimeoutInMinutes", 4)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        subnets = references_to(azure, SUBNET, "natGateway", resource.id)
        if subnets:
            body["properties"]["subnets"] = [{"id": subnet.id} for subnet in subnets]
        return body


BALANCER_PARTS = ("frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "outboundRules", "inboundNatRules")


@kind
class LoadBalancer(_NetworkKind):
    """Writes are done when they are answered, as the cloud controller's Services wait for each one."""

    type = LOAD_BALANCER
    seconds = 0
    delete_seconds = 0

    def defaults(self, write: Write) -> None:
        write.body.setdefault("sku", {}).setdefault("name", "Standard")
        write.body["sku"].setdefault("tier", "Regional")
        for part in BALANCER_PARTS:
            if write.properties.get(part) is None:
                write.properties[part] = []

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        before = {item["name"].lower(): item for item in write.old_properties.get("frontendIPConfigurations") or []}
        for part in BALANCER_PARTS:
            for item in resource.properties[part]:
                item.setdefault("properties", {})
                item["id"] = f"{resource.id}/{part}/{item['name']}"
                item["type"] = f"{LOAD_BALANCER}/{part}"
                item["etag"] = resource.body["etag"]
                item["properties"]["provisioningState"] = "Succeeded"
        for frontend in resource.properties["frontendIPConfigurations"]:
            properties = frontend["properties"]
            properties.setdefault("privateIPAllocationMethod", "Dynamic")
            public = write.azure.store.get(reference(properties, "publicIPAddress"))
            if public:
                properties["publicIPAddress"] = {"id": public.id}
            elif reference(properties, "subnet"):
                properties.setdefault("privateIPAddressVersion", "IPv4")
                old = before.get(frontend["name"].lower(), {}).get("properties", {})
                if not properties.get("privateIPAddress"):
                    properties["privateIPAddress"] = old.get("privateIPAddress") or free_private_address(
                        write.azure, reference(properties, "subnet"), properties["privateIPAddressVersion"]
                    )

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]

        def users(part: str, name: str, target: str) -> list[dict[str, str]]:
            return [{"id": item["id"]} for item in properties[part] if same_id(reference(item["properties"], name), target)]

        for frontend in properties["frontendIPConfigurations"]:
            _set_unless_empty(frontend["properties"], "loadBalancingRules", users("loadBalancingRules", "frontendIPConfiguration", frontend["id"]))
            outbound = [
                {"id": item["id"]}
                for item in properties["outboundRules"]
                if any(same_id(used["id"], frontend["id"]) for used in item["properties"].get("frontendIPConfigurations") or [])
            ]
            _set_unless_empty(frontend["properties"], "outboundRules", outbound)
        for pool in properties["backendAddressPools"]:
            _set_unless_empty(pool["properties"], "loadBalancingRules", users("loadBalancingRules", "backendAddressPool", pool["id"]))
            _set_unless_empty(pool["properties"], "outboundRules", users("outboundRules", "backendAddressPool", pool["id"]))
            _set_unless_empty(pool["properties"], "backendIPConfigurations", [{"id": member} for member in pool_members(azure, pool["id"])])
            pool["properties"].setdefault("loadBalancerBackendAddresses", [])
        for probe in properties["probes"]:
            _set_unless_empty(probe["properties"], "loadBalancingRules", users("loadBalancingRules", "probe", probe["id"]))
        return body


def _set_unless_empty(properties: dict[str, Any], name: str, value: list[Any]) -> None:
    properties.pop(name, None)
    if value:
        properties[name] = value


def nic_configurations(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The network interfaces in a scale set VM's properties."""
    return (properties.get("networkProfileConfiguration") or {}).get("networkInterfaceConfigurations") or []


def ip_configurations(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The IP configurations of all network interfaces in a scale set VM's properties."""
    return [item for nic in nic_configurations(properties) for item in nic["properties"].get("ipConfigurations") or []]


def vm_ip_configurations(azure: Azure) -> Iterator[tuple[Resource, dict[str, Any], dict[str, Any]]]:
    """(scale set VM, its NIC's configuration, one IP configuration of that) for every VM."""
    for machine in azure.store.of_type(SCALE_SET_VM):
        for nic in nic_configurations(machine.properties):
            for configuration in nic["properties"].get("ipConfigurations") or []:
                yield machine, nic, configuration


def pool_members(azure: Azure, pool: str) -> list[str]:
    """Ids of the IP configurations that are in a backend pool."""
    return [
        f"{machine.id}/networkInterfaces/{nic['name']}/ipConfigurations/{configuration['name']}"
        for machine, nic, configuration in vm_ip_configurations(azure)
        if any(same_id(item["id"], pool) for item in configuration["properties"].get("loadBalancerBackendAddressPools") or [])
    ]


def _used_private_addresses(azure: Azure) -> set[str | None]:
    used = {configuration["properties"].get("privateIPAddress") for _, _, configuration in vm_ip_configurations(azure)}
    for balancer in azure.store.of_type(LOAD_BALANCER):
        used |= {item["properties"].get("privateIPAddress") for item in balancer.properties.get("frontendIPConfigurations") or []}
    return used | {found.hidden.get("address") for found in azure.store.of_type(PRIVATE_ENDPOINT)}


def free_private_address(azure: Azure, subnet_id: str, version: str) -> str:
    """The next free address of a family in a subnet; Azure keeps the first four of each to itself."""
    subnet = azure.store.get(subnet_id)
    if subnet is None:
        raise errors.InvalidReference(subnet_id, "the load balancer")
    networks = [ipaddress.ip_network(prefix) for prefix in prefixes_of(subnet.properties)]
    network = next((found for found in networks if found.version == int(version[-1])), None)
    if network is None:
        raise errors.ArmError(400, "PrivateIPAddressVersionMismatch", f"Subnet {subnet_id} has no {version} prefix.")
    used = _used_private_addresses(azure)
    return next(str(network[number]) for number in range(4, network.num_addresses) if str(network[number]) not in used)


@kind
class NetworkInterface(_NetworkKind):
    """Only those of private endpoints exist; Azure makes them, clients read them."""

    type = NIC
    writable = False


@kind
class PrivateEndpoint(_NetworkKind):
    type = PRIVATE_ENDPOINT

    seconds = 20
    delete_seconds = 15

    def accepted(self, write: Write, resource: Resource) -> None:
        """Microsoft's type of it has no resourceGuid, and what Azure shows it takes back."""

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("ipVersionType", "IPv4")
        write.properties.setdefault("customDnsConfigs", [])
        write.properties.setdefault("manualPrivateLinkServiceConnections", [])

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        properties = resource.properties
        if "address" not in resource.hidden:
            resource.hidden["address"] = free_private_address(azure, reference(properties, "subnet"), "IPv4")
        name = f"{resource.name}.nic.{ids.stable_uuid(resource.id)}"
        interface = f"{ids.parse(resource.id).scope}/providers/{NIC}/{name}"
        azure.make(
            interface,
            {
                "location": resource.body["location"],
                "properties": {
                    "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
                    "enableAcceleratedNetworking": False,
                    "enableIPForwarding": False,
                    "primary": False,
                    "privateEndpoint": {"id": resource.id},
                    "ipConfigurations": [
                        {
                            "name": "privateEndpointIpConfig",
                            "properties": {
                                "privateIPAddress": resource.hidden["address"],
                                "privateIPAllocationMethod": "Dynamic",
                                "privateIPAddressVersion": "IPv4",
                                "subnet": copy.deepcopy(properties["subnet"]),
                                "primary": True,
                            },
                        }
                    ],
                },
            },
        )
        resource.hidden["nic"] = interface
        for connection in properties.get("privateLinkServiceConnections") or []:
            connection["id"] = f"{resource.id}/privateLinkServiceConnections/{connection['name']}"
            connection["properties"]["privateLinkServiceConnectionState"] = {
                "status": "Approved",
                "description": "Auto-Approved",
                "actionsRequired": "None",
            }
            connection["properties"]["provisioningState"] = "Succeeded"
        properties["customDnsConfigs"] = [
            {"fqdn": name, "ipAddresses": [resource.hidden["address"]]} for name in _private_link_names(azure, properties)
        ]

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        if "nic" in resource.hidden:
            body["properties"]["networkInterfaces"] = [{"id": resource.hidden["nic"]}]
        return body

    def deleted(self, azure: Azure, resource: Resource) -> None:
        azure.store.remove(resource.hidden.get("nic", ""))


def _private_link_names(azure: Azure, properties: dict[str, Any]) -> list[str]:
    names = []
    for connection in properties.get("privateLinkServiceConnections") or []:
        target = azure.store.get(connection["properties"]["privateLinkServiceId"])
        if target:
            names.append(target.properties.get("loginServer") or str(target.properties.get("vaultUri", "")).removeprefix("https://").rstrip("/"))
    return [name for name in names if name]


@kind
class PrivateDnsZoneGroup(Kind):
    type = ZONE_GROUP
    seconds = 5
    delete_seconds = 5
    has_etag = True

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        endpoint = azure.get(ids.parse(resource.id).parent)
        for zone in resource.properties.get("privateDnsZoneConfigs") or []:
            target = azure.store.get(zone["properties"]["privateDnsZoneId"])
            if target is None:
                raise errors.InvalidReference(zone["properties"]["privateDnsZoneId"], resource.id)
            for full_name in _private_link_names(azure, endpoint.properties):
                # privatelink.azurecr.io holds "name" for name.azurecr.io
                label = full_name.partition(".")[0]
                azure.make(
                    f"{target.id}/A/{label}",
                    {
                        "properties": {
                            "ttl": 10,
                            "aRecords": [{"ipv4Address": endpoint.hidden["address"]}],
                            "metadata": {"creator": f"created by private endpoint {endpoint.name}"},
                        }
                    },
                )

    def deleted(self, azure: Azure, resource: Resource) -> None:
        """The records that it made go with it."""
        creator = f"created by private endpoint {ids.parse(resource.id).parent.rpartition('/')[2]}"
        for zone in resource.properties.get("privateDnsZoneConfigs") or []:
            for record in azure.store.children(zone["properties"]["privateDnsZoneId"], "A"):
                if (record.properties.get("metadata") or {}).get("creator") == creator:
                    azure.store.remove(record.id)


@kind
class PrivateLinkService(_NetworkKind):
    """None is ever made; the cloud controller lists them."""

    type = "Microsoft.Network/privateLinkServices"
    writable = False
