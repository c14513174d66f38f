"""What network security groups refuse."""

from __future__ import annotations

import re

from ...azure import Azure
from ...errors import ArmError, InvalidReference
from ...kinds import Write
from ...rules import delete_rule, rule
from ...store import Resource
from ..bodies import NSG, SUBNET
from ..usage import references_to
from .shared import IPV6_OVERVIEW, RESOURCE_NAMES, SUBSCRIPTION_LIMITS, check_names_are_unique, version_of

_NSG_OVERVIEW = "learn.microsoft.com/azure/virtual-network/network-security-groups-overview"
_SECURITY_RULE_API = "learn.microsoft.com/rest/api/virtualnetwork/security-rules/create-or-update"


@delete_rule("nsg-in-use", NSG, _NSG_OVERVIEW)
def nsg_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in references_to(azure, SUBNET, "networkSecurityGroup", resource.id):
        raise ArmError(400, "InUseNetworkSecurityGroupCannotBeDeleted", f"{resource.id} cannot be deleted: it is in use by {subnet.id}.")


def rule_prefixes(properties: dict[str, object], side: str) -> list[str]:
    """The prefixes and tags of a side of a rule, whichever of the two properties holds them."""
    many = properties.get(f"{side}AddressPrefixes")
    single = properties.get(f"{side}AddressPrefix")
    return [str(item) for item in many] if isinstance(many, list) and many else [str(single)] if single else []


def rule_ports(properties: dict[str, object], side: str) -> list[str]:
    """The ports of a side of a rule, whichever of the two properties holds them; any without."""
    many = properties.get(f"{side}PortRanges")
    return [str(item) for item in many] if isinstance(many, list) and many else [str(properties.get(f"{side}PortRange") or "*")]


@rule("nsg-names", NSG, RESOURCE_NAMES)
def security_rule_names_are_unique(write: Write) -> None:
    check_names_are_unique(write, "securityRules")


@rule("nsg-protocol", NSG, _SECURITY_RULE_API)
def protocol_is_known(write: Write) -> None:
    """Microsoft's types leave these open; the service does not, and has no ICMPv6."""
    known = {"protocol": ("tcp", "udp", "icmp", "esp", "ah", "*"), "access": ("allow", "deny"), "direction": ("inbound", "outbound")}
    for item in write.properties["securityRules"]:
        for name, values in known.items():
            if item["properties"][name].lower() not in values:
                code = f"SecurityRuleInvalid{name.capitalize()}"
                raise ArmError(400, code, f"Security rule {item['name']} has the {name} {item['properties'][name]}, which is not valid.", target=name)


@rule("nsg-address-prefixes", NSG, _SECURITY_RULE_API)
def address_prefixes_are_ranges_or_tags(write: Write) -> None:
    for item in write.properties["securityRules"]:
        for side in ("source", "destination"):
            prefixes = rule_prefixes(item["properties"], side)
            for prefix in prefixes:
                alone = prefix == "*" and len(prefixes) == 1
                if not alone and not version_of(prefix) and not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*", prefix):
                    raise ArmError(
                        400, "SecurityRuleInvalidAddressPrefix", f"Security rule {item['name']} has invalid Address prefix. Value provided: {prefix}"
                    )


@rule("nsg-port-ranges", NSG, _SECURITY_RULE_API)
def port_ranges_are_ports(write: Write) -> None:
    for item in write.properties["securityRules"]:
        for side in ("source", "destination"):
            for ports in rule_ports(item["properties"], side):
                low, _, high = ports.partition("-")
                fits = re.fullmatch(r"\d{1,5}(-\d{1,5})?", ports) and int(low) <= int(high or low) <= 65535
                if ports != "*" and not fits:
                    raise ArmError(
                        400,
                        "SecurityRuleInvalidPortRange",
                        f"Security rule has invalid Port range. Value provided: {ports}. "
                        "Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535.",
                    )


@rule("nsg-one-family", NSG, IPV6_OVERVIEW)
def rule_has_one_family(write: Write) -> None:
    for item in write.properties["securityRules"]:
        found = {version_of(prefix) for side in ("source", "destination") for prefix in rule_prefixes(item["properties"], side)} - {None}
        if len(found) > 1:
            raise ArmError(
                400, "SecurityRuleAddressFamilyMismatch", f"Security rule {item['name']} mixes IPv4 and IPv6 address prefixes.", target=item["name"]
            )


@rule("nsg-priority", NSG, _NSG_OVERVIEW)
def priorities_are_unique(write: Write) -> None:
    seen: dict[tuple[str, int], str] = {}
    for item in write.properties["securityRules"]:
        priority = item["properties"].get("priority") or 0
        if not 100 <= priority <= 4096:
            raise ArmError(400, "SecurityRuleInvalidPriority", f"Security rule {item['name']} has priority {priority}; allowed are 100 to 4096.")
        place = (item["properties"]["direction"].lower(), priority)
        if place in seen:
            raise ArmError(
                400, "SecurityRuleConflict", f"Security rule {item['name']} conflicts with rule {seen[place]}: both are {place[0]} {place[1]}."
            )
        seen[place] = item["name"]


@rule("nsg-singular-or-plural", NSG, _SECURITY_RULE_API)
def singular_or_plural(write: Write) -> None:
    alternatives = [
        [f"{side}{name}" for name in names]
        for side in ("source", "destination")
        for names in (("AddressPrefix", "AddressPrefixes", "ApplicationSecurityGroups"), ("PortRange", "PortRanges"))
    ]
    for item in write.properties["securityRules"]:
        for names in alternatives:
            given = [name for name in names if item["properties"].get(name)]
            if len(given) > 1:
                raise ArmError(400, "SecurityRuleParameterConflict", f"Security rule {item['name']} has {' and '.join(given)}; use one of them.")
            if not given:
                raise ArmError(400, "SecurityRuleParameterMissing", f"Security rule {item['name']} has none of {', '.join(names)}.")


@rule("nsg-application-security-groups", NSG, _SECURITY_RULE_API)
def application_security_groups_exist(write: Write) -> None:
    for item in write.properties["securityRules"]:
        for side in ("source", "destination"):
            for group in item["properties"].get(f"{side}ApplicationSecurityGroups") or []:
                if not write.azure.store.get(group["id"]):
                    raise InvalidReference(group["id"], f"{write.id}/securityRules/{item['name']}")


@rule("nsg-no-icmpv6", NSG, IPV6_OVERVIEW)
def icmp_is_ipv4(write: Write) -> None:
    for item in write.properties["securityRules"]:
        prefixes = [prefix for side in ("source", "destination") for prefix in rule_prefixes(item["properties"], side)]
        if item["properties"]["protocol"].lower() in ("icmp", "icmpv6") and any(version_of(prefix) == 6 for prefix in prefixes):
            raise ArmError(400, "SecurityRuleInvalidProtocol", f"Security rule {item['name']}: ICMPv6 is not supported in network security groups.")


@rule("nsg-limits", NSG, SUBSCRIPTION_LIMITS)
def nsg_limits(write: Write) -> None:
    rules = write.properties["securityRules"]
    if len(rules) > 1000:
        raise ArmError(400, "MaxSecurityRulesPerNetworkSecurityGroup", f"A network security group holds 1000 rules at most, not {len(rules)}.")
    for item in rules:
        for side in ("source", "destination"):
            if len(rule_prefixes(item["properties"], side)) > 4000:
                raise ArmError(400, "MaxAddressPrefixesPerSecurityRule", f"Security rule {item['name']} has more than 4000 {side} prefixes.")


@rule("nsg-description", NSG, _SECURITY_RULE_API)
def description_length(write: Write) -> None:
    for item in write.properties["securityRules"]:
        if len(item["properties"].get("description") or "") > 140:
            raise ArmError(400, "InvalidSecurityRuleDescription", f"The description of security rule {item['name']} is longer than 140 characters.")
