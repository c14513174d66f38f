"""What is said of a stamp, given what was read of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.reads import reads
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.repairs import repairs
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.results import results
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.stamp import MalformedFacts, Stamp

Facts = dict[str, Any]
FOUR, SIX = "203.0.113.10", "2001:db8:f::10"
NODE_GROUP = "/subscriptions/s/resourceGroups/rg-nodes/providers/Microsoft.Network"
NETWORK = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
SECURITY_GROUP = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg"
GATEWAY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/natGateways/ng"
HOLD = "disabled since 2026-11-24T11:00:00Z: provider trouble"


def answer(identifier: str = "/x", tags: Any = None, **properties: Any) -> dict[str, Any]:
    return {"id": identifier, "exists": True, "error": {}, "body": {"name": identifier.rpartition("/")[2], "tags": tags, "properties": properties}}


def absent(identifier: str = "/x") -> dict[str, Any]:
    return {"id": identifier, "exists": False, "error": {}, "body": {}}


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **more.pop("metadata", {})}, **more}


def node(number: int) -> dict[str, Any]:
    addresses = [{"type": "InternalIP", "address": f"10.0.0.{number}"}, {"type": "InternalIP", "address": f"fd00::{number}"}]
    return named(
        f"node{number}",
        metadata={"labels": {"topology.kubernetes.io/zone": f"westeurope-{number}"}},
        spec={"podCIDR": f"10.1.{number}.0/24", "podCIDRs": [f"10.1.{number}.0/24", f"fd00:1::{number}00/120"]},
        status={"conditions": [{"type": "Ready", "status": "True"}], "addresses": addresses},
    )


def pod(entrance: str, number: int) -> dict[str, Any]:
    return named(
        f"{entrance}-{number}",
        metadata={"labels": {"app.kubernetes.io/name": entrance}},
        spec={"nodeName": f"node{number}"},
        status={"conditions": [{"type": "Ready", "status": "True"}], "podIPs": [{"ip": f"10.1.{number}.9"}, {"ip": f"fd00:1::{number}09"}]},
    )


def service(name: str, family: str, address: str) -> dict[str, Any]:
    specification = {"ipFamilies": [family], "externalTrafficPolicy": "Local"}
    return named(name, spec=specification, status={"loadBalancer": {"ingress": [{"ip": address}]}})


def endpoints(*zones: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "shop-1", "namespace": "apps", "labels": {"kubernetes.io/service-name": "shop"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.1.5"], "zone": zone, "conditions": {"ready": True}} for zone in zones],
    }


def read(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"item": {"kind": kind}, "resources": list(items)}


def answers() -> dict[str, Any]:
    reference = {"id": f"{NODE_GROUP}/loadBalancers/kubernetes/frontendIPConfigurations/out"}
    reference_six = {"id": f"{NODE_GROUP}/loadBalancers/kubernetes/frontendIPConfigurations/out-ipv6"}
    subnet = {
        "id": f"{NETWORK}/subnets/nodes",
        "properties": {"addressPrefixes": ["10.0.0.0/22", "fd00::/64"], "networkSecurityGroup": {"id": SECURITY_GROUP}},
    }
    return {
        "cluster": answer(
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks",
            provisioningState="Succeeded",
            nodeResourceGroup="rg-nodes",
            agentPoolProfiles=[{"vnetSubnetID": f"{NETWORK}/subnets/nodes"}],
            networkProfile={"ipFamilies": ["IPv4", "IPv6"], "outboundType": "loadBalancer"},
        ),
        "ipv4": answer(ipAddress=FOUR),
        "ipv6": answer(ipAddress=SIX, tags={}),
        "node_groups": {"exists": True, "body": {"value": []}},
        f"network {NETWORK.lower()}": answer(subnets=[subnet]),
        f"group {SECURITY_GROUP.lower()}": answer(SECURITY_GROUP, {"dualstack-stamp": "westeurope"}, securityRules=[]),
        "load_balancer": answer(
            outboundRules=[{"properties": {"frontendIPConfigurations": [reference]}}, {"properties": {"frontendIPConfigurations": [reference_six]}}],
            frontendIPConfigurations=[
                {"id": reference["id"], "properties": {"publicIPAddress": {"id": "/out"}}},
                {"id": reference_six["id"], "properties": {"publicIPPrefix": {"id": "/out6"}}},
            ],
        ),
        "outbound /out": answer(ipAddress="203.0.113.11", publicIPAddressVersion="IPv4"),
        "outbound /out6": answer(ipPrefix="2001:db8:f:1::/124", publicIPAddressVersion="IPv6"),
    }


SHOP = "tls 443 shop.example.org"


def listener(name: str, said: str = "TLSv1.3", *, answered: bool = True, unreachable: bool = False) -> dict[str, Any]:
    return {"name": name, "said": said, "answered": answered, "unreachable": unreachable}


def silent(name: str, said: str) -> dict[str, Any]:
    return listener(name, said, answered=False)


def asked(family: str, address: str, *listeners: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"key": family, "probe": "probe", "address": address, "listeners": [*listeners], **more}


NO_WAY = asked("ipv6", SIX, listener("http 80", "[Errno 101] Network is unreachable", answered=False, unreachable=True))


def healthy() -> Facts:
    return {
        "stamp": "westeurope",
        "now": "2026-11-24T14:00:00Z",
        "check_mode": False,
        "desired": "enabled",
        "resources": answers(),
        "problem": "",
        "objects": [
            read("Node", node(1), node(2)),
            read("Service", service("entrance-ipv4", "IPv4", FOUR), service("entrance-ipv6", "IPv6", SIX)),
            read("Pod", *(pod(f"entrance-{family}", number) for family in ("ipv4", "ipv6") for number in (1, 2))),
            read("NetworkPolicy"),
            read("EndpointSlice", endpoints("westeurope-1", "westeurope-2")),
        ],
        "namespace": "dualstack-ingress",
        "running_ingress": [],
        "applications": [{"namespace": "apps", "service": "shop"}],
        "zones": {"public": {"id": "/zones/public", "name": "www.public"}, "private": {"id": "", "name": ""}},
        "records": {"public_a": answer(ARecords=[{"ipv4Address": FOUR}]), "public_aaaa": answer(AAAARecords=[{"ipv6Address": "2001:DB8:F::10"}])},
        "asked": [asked("ipv4", FOUR, listener("http 80", "status 200")), asked("ipv6", SIX, listener("http 80", "status 404"), listener(SHOP))],
        "resolved": [
            {"view": "public", "key": "ipv4", "probe": "probe", "rc": 0, "stdout": f"{FOUR} STREAM www\n{FOUR} DGRAM"},
            {"view": "public", "key": "ipv6", "probe": "probe", "rc": 0, "stdout": f"{SIX} STREAM www"},
        ],
        "declared": {"resources": [compared("none"), compared("none")], "objects": [applied("Service", "entrance-ipv4")], "problems": []},
    }


def compared(action: str, path: str = "", before: Any = None, after: Any = None) -> dict[str, Any]:
    differences = [{"path": path, "before": before, "after": after}] if path else []
    return {"id": SECURITY_GROUP, "action": action, "differences": differences}


def applied(kind: str, name: str, *, before: Any = None, after: Any = None) -> dict[str, Any]:
    """A dry run's result for one Kubernetes object."""
    diff = {"before": before or {}, "after": after or {}}
    return {"changed": before is not None, "result": {"kind": kind, "metadata": {"name": name}}, "diff": diff}


def judged(facts: Facts) -> dict[str, tuple[str, str]]:
    """ "check family" -> result and evidence."""
    return {f"{item['check']} {item['family']}": (item["result"], item["evidence"]) for item in results(facts)}


def objects(facts: Facts, kind: str) -> Any:
    return next(result["resources"] for result in facts["objects"] if result["item"]["kind"] == kind)


def silence(facts: Facts, *positions: int) -> None:
    for position in positions:
        facts["asked"][position]["listeners"][0] |= silent("http 80", "timed out")


def test_healthy() -> None:
    found = judged(healthy())
    assert {name: evidence for name, (result, evidence) in found.items() if result == "not applicable"} == {
        "applications ipv6": "apps/shop has no IPv6; the entrance translates",
        "private record ipv4": "dns_private_zone is empty",
        "private record ipv6": "dns_private_zone is empty",
        "private answer ipv4": "dns_private_zone is empty",
        "private answer ipv6": "dns_private_zone is empty",
        "network policies ipv4": "0 NetworkPolicies, none with an ipBlock",
        "network policies ipv6": "0 NetworkPolicies, none with an ipBlock",
        "hold ipv6": "IPv6 is not held",
    }
    assert {name: evidence for name, (result, evidence) in found.items() if result == "pass" and name.endswith("ipv6")} == {
        "cluster ipv6": "aks Succeeded",
        "nodes ipv6": "2 Ready, as fd00::1, pods fd00:1::100/120",
        "pods ipv6": "entrance-ipv6: 2 Ready on westeurope-1, westeurope-2",
        "service ipv6": f"IPv6, Local, {SIX}",
        "entrance ipv6": f"{SIX} from probe: http 80: status 404; {SHOP}: TLSv1.3",
        "public record ipv6": "AAAA 2001:DB8:F::10",
        "public answer ipv6": f"probe resolves {SIX}",
        "egress ipv6": "loadBalancer: 2001:db8:f:1::/124",
        "security rules ipv6": "0 rules in nsg, none without twin",
        "as declared ipv6": "3 compared, none differs",
        "desired state ipv6": "desired enabled, actual enabled",
    }


def without_zones(facts: Facts) -> None:
    for number, found in enumerate(objects(facts, "Node")):
        found["metadata"]["labels"] = {"topology.kubernetes.io/zone": str(number)}


def switched_off(facts: Facts) -> None:
    facts["desired"] = "disabled"
    objects(facts, "Service").pop()
    facts["records"]["public_aaaa"] = absent()
    facts["asked"].pop()
    facts["resolved"][1] |= {"rc": 2, "stdout": ""}


def held(facts: Facts) -> None:
    switched_off(facts)
    facts["desired"] = "enabled"
    facts["resources"]["ipv6"]["body"]["tags"] = {"dualstack-hold": HOLD}


def only_four(facts: Facts) -> None:
    facts["resources"]["cluster"]["body"]["properties"]["networkProfile"]["ipFamilies"] = ["IPv4"]


def outbound(kind: str) -> Callable[[Facts], None]:
    def change(facts: Facts) -> None:
        facts["resources"]["cluster"]["body"]["properties"]["networkProfile"]["outboundType"] = kind
        facts["resources"][f"gateway {GATEWAY}"] = answer(GATEWAY, publicIpAddresses=[{"id": "/out"}])

    return change


def at(*path: Any, value: Any) -> Callable[[Facts], None]:
    """Put a value somewhere into the facts."""

    def change(facts: Facts) -> None:
        found: Any = facts
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    return change


def both(*changes: Callable[[Facts], None]) -> Callable[[Facts], None]:
    def change(facts: Facts) -> None:
        for part in changes:
            part(facts)

    return change


def deployment_of(image: str) -> dict[str, Any]:
    containers = [{"name": "nginx", "image": image}]
    return {"metadata": {"generation": 2, "managedFields": [image]}, "spec": {"template": {"spec": {"containers": containers}}}}


NODE, POD = ("objects", 0, "resources", 0), ("objects", 2, "resources", 2)
#: what is changed, and what is said then
CASES: dict[str, tuple[Callable[[Facts], None], dict[str, tuple[str, str]]]] = {
    "a tag is another one": (
        at("declared", "resources", value=[compared("update", "tags.team", "net", None)]),
        dict.fromkeys(("as declared ipv4", "as declared ipv6"), ("fail", "networkSecurityGroups/nsg tags.team is net, declared absent")),
    ),
    "a rule of one family is another one": (
        at("declared", "resources", value=[compared("update", "properties.securityRules[web]", None, {"sourceAddressPrefix": "2001:db8::/32"})]),
        {
            "as declared ipv4": ("pass", "2 compared, none differs"),
            "as declared ipv6": (
                "fail",
                'networkSecurityGroups/nsg properties.securityRules[web] is absent, declared {"sourceAddressPrefix": "2001:db8::/32"}',
            ),
        },
    ),
    "a prefix is not there": (
        at("declared", "resources", value=[compared("update", "properties.addressPrefixes[192.0.2.0/24]", None, "192.0.2.0/24")]),
        {
            "as declared ipv4": ("fail", "networkSecurityGroups/nsg properties.addressPrefixes[192.0.2.0/24] is absent, declared 192.0.2.0/24"),
            "as declared ipv6": ("pass", "2 compared, none differs"),
        },
    ),
    "a resource is not there": (
        at("declared", "resources", value=[compared("create")]),
        dict.fromkeys(("as declared ipv4", "as declared ipv6"), ("fail", "networkSecurityGroups/nsg does not exist")),
    ),
    "an object of one entrance is another one": (
        at("declared", "objects", value=[applied("Deployment", "entrance-ipv6", before=deployment_of("theirs"), after=deployment_of("ours"))]),
        {
            "as declared ipv4": ("pass", "3 compared, none differs"),
            "as declared ipv6": ("fail", "Deployment/entrance-ipv6 spec.template.spec.containers[nginx].image is theirs, declared ours"),
        },
    ),
    "an object of both is not there": (
        at("declared", "objects", value=[applied("ServiceAccount", "entrance", before={}, after={"metadata": {"name": "entrance"}})]),
        dict.fromkeys(("as declared ipv4", "as declared ipv6"), ("fail", "ServiceAccount/entrance does not exist")),
    ),
    "what cannot be compared": (
        at("declared", "problems", value=["Azure said no\nand more"]),
        dict.fromkeys(("as declared ipv4", "as declared ipv6"), ("fail", "Azure said no")),
    ),
    "nothing was compared": (at("declared", value={}), {"as declared ipv4": ("not applicable", "no resource was compared with the inventory")}),
    "a node is not Ready": (
        at(*NODE, "status", "conditions", 0, "status", value="Unknown"),
        {"nodes ipv4": ("fail", "node1 is not Ready"), "nodes ipv6": ("fail", "node1 is not Ready")},
    ),
    "a node has one address": (
        at(*NODE, "status", "addresses", 1, "address", value="10.0.0.9"),
        {"nodes ipv6": ("fail", "node1 has no IPv6 InternalIP")},
    ),
    "a node has one range": (at(*NODE, "spec", "podCIDRs", value=["10.1.1.0/24"]), {"nodes ipv6": ("fail", "node1 has no IPv6 podCIDR")}),
    "no nodes": (
        at("objects", 0, "resources", value=[]),
        {
            "nodes ipv4": ("fail", "the cluster has no nodes"),
            "nodes ipv6": ("fail", "the cluster has no nodes"),
            "pods ipv4": ("not applicable", "no node has a zone; entrance-ipv4: 2 Ready"),
        },
    ),
    "nodes in no zone": (without_zones, {"pods ipv6": ("not applicable", "no node has a zone; entrance-ipv6: 2 Ready")}),
    "pods on one zone": (
        at(*POD, "spec", "nodeName", value="node2"),
        {"pods ipv6": ("fail", "entrance-ipv6: 2 Ready on westeurope-2; two zones are needed")},
    ),
    "no pods": (
        at("objects", 2, "resources", value=[]),
        {"pods ipv4": ("fail", "entrance-ipv4: none Ready"), "pods ipv6": ("fail", "entrance-ipv6: none Ready")},
    ),
    "a pod without an address": (
        at(*POD, "status", "podIPs", value=[{"ip": "10.1.1.9"}]),
        {"pods ipv6": ("fail", "entrance-ipv6-1 has no IPv6 address")},
    ),
    "an application on one zone": (
        at("objects", 4, "resources", value=[endpoints("westeurope-1")]),
        {"applications ipv4": ("fail", "apps/shop: 1 Ready on westeurope-1; two zones are needed")},
    ),
    "an application that is not there": (
        at("objects", 4, "resources", value=[]),
        {"applications ipv4": ("fail", "apps/shop: none Ready"), "applications ipv6": ("fail", "apps/shop: none Ready")},
    ),
    "no Service": (
        lambda facts: objects(facts, "Service").pop(),
        {"service ipv6": ("fail", "there is no Service entrance-ipv6"), "desired state ipv6": ("fail", "desired enabled, actual disabled")},
    ),
    "a Service that hides addresses": (
        at("objects", 1, "resources", 1, "spec", "externalTrafficPolicy", value="Cluster"),
        {"service ipv6": ("fail", f"IPv6, Cluster, {SIX}: externalTrafficPolicy is not Local")},
    ),
    "a Service of the other family": (
        at("objects", 1, "resources", 1, "spec", "ipFamilies", value=["IPv4"]),
        {"service ipv6": ("fail", f"IPv4, Local, {SIX}: ipFamilies lacks IPv6")},
    ),
    "a Service that waits": (
        at("objects", 1, "resources", 1, "status", value={}),
        {"service ipv6": ("fail", f"IPv6, Local, no address: the load balancer lacks its address {SIX}")},
    ),
    "a silent entrance": (
        lambda facts: silence(facts, 1),
        {
            "entrance ipv6": ("fail", f"{SIX} from probe: http 80: timed out"),
            "public record ipv6": ("fail", "AAAA 2001:DB8:F::10 of an entrance that does not answer"),
        },
    ),
    "a broken application": (
        at("asked", 1, "listeners", 0, value=silent("http 80", "status 502")),
        {
            "entrance ipv6": ("fail", f"{SIX} from probe: http 80: status 502"),
            "public record ipv6": ("fail", "AAAA 2001:DB8:F::10 of an entrance that does not answer"),
        },
    ),
    "a listener that is silent beside others": (
        at("asked", 1, "listeners", 1, value=silent(SHOP, "certificate: certificate has expired")),
        {
            "entrance ipv6": ("fail", f"{SIX} from probe: {SHOP}: certificate: certificate has expired"),
            "public record ipv6": ("fail", "AAAA 2001:DB8:F::10 of an entrance that does not answer"),
        },
    ),
    "a probe host that cannot be reached": (
        at("asked", 1, value=asked("ipv6", SIX, msg="no route")),
        {"entrance ipv6": ("fail", f"probe could not request {SIX}: no route")},
    ),
    "a probe host without a way into the family": (
        at("asked", 1, value=NO_WAY),
        {"entrance ipv6": ("fail", f"probe could not request {SIX}: http 80: [Errno 101] Network is unreachable")},
    ),
    "no probe hosts": (
        both(at("asked", value=[]), at("resolved", value=[])),
        {
            "entrance ipv4": ("not applicable", "no host of the group probes has ipv4 in probe_families"),
            "public answer ipv6": ("not applicable", "no host of the group probes has ipv6 in probe_families"),
        },
    ),
    "no public address": (
        both(at("resources", "ipv6", value=absent()), lambda facts: facts["asked"].pop()),
        {
            "service ipv6": ("fail", ""),
            "entrance ipv6": ("fail", "there is no public address for the IPv6 entrance"),
            "public record ipv6": ("fail", "AAAA 2001:DB8:F::10, but the entrance has no address"),
        },
    ),
    "a record of another address": (
        at("records", "public_a", value=answer(ARecords=[{"ipv4Address": "203.0.113.99"}])),
        {
            "public record ipv4": ("fail", "A 203.0.113.99, but the entrance has 203.0.113.10"),
            "public answer ipv4": ("fail", f"probe resolves {FOUR}; stored is 203.0.113.99"),
        },
    ),
    "no record of an entrance that answers": (
        both(at("records", "public_aaaa", value=absent()), at("resolved", 1, "stdout", value="")),
        {"public record ipv6": ("fail", "no AAAA, although the entrance answers"), "public answer ipv6": ("not applicable", "")},
    ),
    "no record of a silent entrance": (
        both(at("records", "public_aaaa", value=absent()), at("resolved", 1, "stdout", value=""), lambda facts: silence(facts, 1)),
        {"public record ipv6": ("not applicable", "no AAAA: the entrance does not answer"), "entrance ipv6": ("fail", "")},
    ),
    "a resolver that gives IPv4 for IPv6": (
        at("resolved", 1, "stdout", value=f"::ffff:{FOUR} STREAM www"),
        {"public answer ipv6": ("fail", "probe resolves no AAAA; stored is 2001:DB8:F::10")},
    ),
    "a resolver's host that cannot be reached": (
        at("resolved", 1, value={"view": "public", "key": "ipv6", "probe": "probe", "rc": -1, "msg": "no route"}),
        {"public answer ipv6": ("fail", "probe: no route")},
    ),
    "one way out": (
        lambda facts: facts["resources"]["load_balancer"]["body"]["properties"]["outboundRules"].pop(),
        {"egress ipv6": ("fail", "loadBalancer: no IPv6 address")},
    ),
    "a gateway of one family": (
        outbound("userAssignedNATGateway"),
        {"egress ipv4": ("pass", "userAssignedNATGateway: 203.0.113.11"), "egress ipv6": ("fail", "userAssignedNATGateway: no IPv6 address")},
    ),
    "a way out of the user's": (
        outbound("userDefinedRouting"),
        {"egress ipv6": ("not applicable", "outboundType userDefinedRouting: the cluster does not own its outbound addresses")},
    ),
    "a cluster of one family": (
        only_four,
        {
            "cluster ipv6": ("fail", "aks has only IPv4"),
            "nodes ipv6": ("not applicable", "the cluster has no IPv6"),
            "security rules ipv6": ("not applicable", "the cluster has no IPv6"),
        },
    ),
    "a cluster of one family, as desired": (both(switched_off, only_four), {"cluster ipv6": ("not applicable", "dualstack_ipv6 is disabled")}),
    "no cluster": (
        at("resources", "cluster", value=absent("/clusters/aks")),
        {
            "cluster ipv4": ("fail", "there is no cluster aks"),
            "cluster ipv6": ("fail", "there is no cluster aks"),
            "nodes ipv4": ("not applicable", "there is no cluster"),
            "desired state ipv6": ("not applicable", "there is no cluster"),
        },
    ),
    "a cluster that nobody may read": (
        at("resources", "cluster", value={**absent("/aks"), "error": {"code": "AuthorizationFailed", "message": "no\nmore"}}),
        {"cluster ipv4": ("fail", "AuthorizationFailed: no"), "cluster ipv6": ("fail", "AuthorizationFailed: no")},
    ),
    "a cluster that does not let us in": (
        both(at("problem", value="aks is not ready after 20 s.\nRun again"), at("objects", value=[])),
        {
            "cluster ipv4": ("fail", "aks is not ready after 20 s."),
            "cluster ipv6": ("fail", "aks is not ready after 20 s."),
            "nodes ipv4": ("not applicable", "the cluster could not be read"),
            "egress ipv4": ("pass", "loadBalancer: 203.0.113.11"),
            "desired state ipv6": ("not applicable", "the cluster could not be read"),
        },
    ),
    "a kind that cannot be read": (
        at("objects", 3, value={"item": {"kind": "NetworkPolicy"}, "msg": "Forbidden"}),
        {f"network policies {family}": ("fail", "NetworkPolicy cannot be read: Forbidden") for family in ("ipv4", "ipv6")},
    ),
    "a policy of one family": (
        at(
            "objects",
            3,
            "resources",
            value=[named("p", metadata={"namespace": "apps"}, spec={"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]})],
        ),
        {
            "network policies ipv4": ("pass", "1 ipBlocks in 1 NetworkPolicies, none without twin"),
            "network policies ipv6": ("fail", "no twin in IPv6: apps/p ingress 10.0.0.0/8"),
        },
    ),
    "a rule of one family": (
        at(
            *("resources", f"group {SECURITY_GROUP.lower()}", "body", "properties", "securityRules"),
            value=[{"name": "web", "properties": {"priority": 100, "sourceAddressPrefix": "192.0.2.7"}}],
        ),
        {"security rules ipv6": ("fail", "no twin in IPv6: nsg/web")},
    ),
    "a subnet of one family": (
        at("resources", f"network {NETWORK.lower()}", "body", "properties", "subnets", 0, "properties", "addressPrefixes", value=["10.0.0.0/22"]),
        {"security rules ipv6": ("not applicable", "no network security group on a subnet or node that has both families")},
    ),
    "IPv6 switched off": (
        switched_off,
        {
            "nodes ipv6": ("pass", "2 Ready, as fd00::1, pods fd00:1::100/120"),
            "pods ipv6": ("not applicable", "dualstack_ipv6 is disabled"),
            "service ipv6": ("not applicable", "dualstack_ipv6 is disabled"),
            "entrance ipv6": ("not applicable", "dualstack_ipv6 is disabled"),
            "public record ipv6": ("not applicable", "dualstack_ipv6 is disabled"),
            "public answer ipv6": ("not applicable", "no AAAA is stored, and probe resolves no AAAA"),
            "desired state ipv6": ("pass", "desired disabled, actual disabled"),
        },
    ),
    "IPv6 switched off, with its record left": (
        both(switched_off, at("records", "public_aaaa", value=answer(AAAARecords=[{"ipv6Address": SIX}]))),
        {"public record ipv6": ("fail", f"AAAA {SIX} is stored although dualstack_ipv6 is disabled"), "public answer ipv6": ("fail", "")},
    ),
    "IPv6 desired off, and there": (
        at("desired", value="disabled"),
        {"desired state ipv6": ("fail", "desired disabled, actual enabled"), "public record ipv6": ("fail", "")},
    ),
    "IPv6 held off": (
        held,
        {
            "hold ipv6": ("pass", f"for 3 hours: {HOLD}"),
            "desired state ipv6": ("pass", "desired enabled, actual disabled, held at disabled"),
            "entrance ipv6": ("not applicable", f"IPv6 is held: {HOLD}"),
        },
    ),
    "a running ingress of the user's": (
        both(
            at("running_ingress", value=["ipv4"]),
            lambda facts: objects(facts, "Service").pop(0),
            lambda facts: facts["asked"].pop(0),
            at("records", "public_a", value=absent()),
            at("resolved", 0, value={"view": "public", "key": "ipv4", "probe": "probe", "rc": 2, "stdout": ""}),
        ),
        {
            **{f"{check} ipv4": ("not applicable", "the running ingress has IPv4") for check in ("pods", "service", "entrance", "public record")},
            "desired state ipv6": ("pass", "desired enabled, actual enabled"),
        },
    ),
    "a hold without a time": (
        both(held, at("resources", "ipv6", "body", "tags", value={"dualstack-hold": "disabled by hand"})),
        {"hold ipv6": ("pass", "disabled by hand")},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said(case: str) -> None:
    change, expected = CASES[case]
    facts = healthy()
    change(facts)
    found = judged(facts)
    said = {name: (found[name][0], found[name][1] if evidence else "") for name, (_, evidence) in expected.items()}
    assert said == expected
    assert {name for name, (result, _) in found.items() if result == "fail"} <= expected.keys()
    assert all(item["remedy"] for item in results(facts) if item["result"] == "fail")


def test_nothing_is_known() -> None:
    found = judged({"stamp": "westeurope", "problem": "Read the cluster: timed out"})
    assert {name: evidence for name, (result, evidence) in found.items() if result != "not applicable"} == {
        "cluster ipv4": "Read the cluster: timed out",
        "cluster ipv6": "Read the cluster: timed out",
    }


@pytest.mark.parametrize("facts", [{}, [], {"stamp": ""}])
def test_facts_that_are_none(facts: Any) -> None:
    with pytest.raises(MalformedFacts):
        results(facts)


#: what is changed, whether everything may go, what goes, and words of the lines
REPAIRS: dict[str, tuple[Callable[[Facts], None], bool, list[str], list[str]]] = {
    "all answer": (lambda facts: None, False, [], []),
    "IPv6 is silent": (lambda facts: silence(facts, 1), False, ["ipv6"], ["AAAA of www.public (public) is withdrawn"]),
    "IPv4 is silent": (lambda facts: silence(facts, 0), False, ["ipv4"], ["A of www.public (public) is withdrawn"]),
    "both are silent": (lambda facts: silence(facts, 0, 1), False, [], ["A of www.public (public) stays", "AAAA of www.public (public) stays"]),
    "both are silent, and all may go": (lambda facts: silence(facts, 0, 1), True, ["ipv4", "ipv6"], ["is withdrawn", "is withdrawn"]),
    "the last record is silent": (both(lambda facts: silence(facts, 1), at("records", "public_a", value=absent())), False, [], ["stays"]),
    "silent without a record": (both(lambda facts: silence(facts, 1), at("records", "public_aaaa", value=absent())), False, [], []),
    "nobody could ask": (at("asked", value=[]), True, [], []),
    "the probe host cannot be reached": (at("asked", 1, value=asked("ipv6", SIX, msg="no route")), True, [], []),
    "the probe host has no IPv6": (at("asked", 1, value=NO_WAY), True, [], []),
    "TLS is silent over IPv6": (at("asked", 1, "listeners", 1, value=silent(SHOP, "timed out")), False, ["ipv6"], [f"({SHOP}: timed out)"]),
    "in check mode": (both(lambda facts: silence(facts, 1), at("check_mode", value=True)), False, ["ipv6"], ["would be withdrawn"]),
}


@pytest.mark.parametrize("case", REPAIRS)
def test_repairs(case: str) -> None:
    change, everything, withdraw, words = REPAIRS[case]
    facts = healthy()
    change(facts)
    found = repairs(Stamp(facts), everything=everything)
    assert found["withdraw"] == withdraw
    assert [word in line for word, line in zip(words, found["lines"], strict=True)] == [True] * len(words)


def test_what_was_withdrawn_is_said() -> None:
    facts = healthy()
    silence(facts, 1)
    facts["repairs"] = repairs(Stamp(facts))
    assert judged(facts)["public record ipv6"] == ("fail", "AAAA 2001:DB8:F::10 of an entrance that does not answer; withdrawn by this run")


def test_reads_follow_from_reads() -> None:
    everything = answers()
    known = {name: everything[name] for name in ("cluster", "ipv4", "ipv6")}
    rounds = []
    while further := reads(known):
        rounds.append(sorted(further))
        known |= {name: everything[name] for name in further}
    assert rounds == [
        ["load_balancer", f"network {NETWORK.lower()}", "node_groups"],
        [f"group {SECURITY_GROUP.lower()}", "outbound /out", "outbound /out6"],
    ]
    assert reads({"cluster": absent()}) == {}


def test_reads_of_a_gateway() -> None:
    known = answers()
    outbound("userAssignedNATGateway")({"resources": known})
    del known[f"gateway {GATEWAY}"], known["outbound /out"]
    known[f"network {NETWORK.lower()}"]["body"]["properties"]["subnets"][0]["properties"]["natGateway"] = {"id": GATEWAY}
    assert list(reads(known)) == [f"gateway {GATEWAY.lower()}"]
    known[f"gateway {GATEWAY.lower()}"] = answer(GATEWAY, publicIpAddresses=[{"id": "/out"}], publicIpAddressesV6=[{"id": "/OUT6"}])
    assert list(reads(known)) == ["outbound /out"]


REPORTED = {
    "westeurope": [
        {"check": "entrance", "family": "ipv4", "result": "pass", "evidence": "203.0.113.10 from probe: 200 in 1 s", "remedy": ""},
        {"check": "entrance", "family": "ipv6", "result": "fail", "evidence": "timed out | <&>\x01", "remedy": "look at the pods"},
        {"check": "hold", "family": "ipv6", "result": "not applicable", "evidence": "IPv6 is not held", "remedy": ""},
    ],
    "northeurope": [{"check": "entrance", "family": "ipv4", "result": "pass", "evidence": "long " * 40, "remedy": ""}],
}
TIME = "2026-11-24T14:00:00Z"


def test_console() -> None:
    lines = FORMATS["console"](copy.deepcopy(REPORTED), TIME).splitlines()
    assert max(map(len, lines)) <= 92
    assert lines[0].split() == ["westeurope", "IPv4", "IPv6"]
    assert "westeurope: 1 pass, 1 fail, 1 n/a, at 2026-11-24T14:00:00Z" in lines
    assert any(line.startswith("FAIL entrance IPv6: timed out") and line.endswith("look at the pods") for line in lines)
    assert next(line for line in lines if line.startswith("hold")).endswith("n/a  IPv6 is not held")


def test_json() -> None:
    report = json.loads(FORMATS["json"](REPORTED, TIME))
    assert (report["result"], report["time"]) == ("fail", TIME)
    assert {found["stamp"]: found["results"] for found in report["stamps"]} == REPORTED
    assert report["stamps"][0]["counts"] == {"pass": 1, "fail": 1, "not applicable": 1}
    assert json.loads(FORMATS["json"]({"northeurope": REPORTED["northeurope"]}, ""))["result"] == "pass"


def test_junit() -> None:
    suites = ElementTree.fromstring(FORMATS["junit"](REPORTED, TIME)).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["westeurope", "northeurope"]
    counts = {name: suites[0].get(name) for name in ("tests", "failures", "skipped", "timestamp")}
    assert counts == {"tests": "3", "failures": "1", "skipped": "1", "timestamp": TIME}
    cases = {case.get("name"): case for case in suites[0].findall("testcase")}
    failure, skipped = cases["entrance IPv6"].find("failure"), cases["hold IPv6"].find("skipped")
    assert failure is not None and failure.get("message") == "timed out | <&>�" and failure.text == "look at the pods"
    assert skipped is not None and skipped.get("message") == "IPv6 is not held"


def test_markdown() -> None:
    text = FORMATS["markdown"](REPORTED, TIME)
    assert "## westeurope\n\n1 pass, 1 fail, 1 not applicable." in text
    assert r"| entrance | **pass** 203.0.113.10 from probe: 200 in 1 s | **fail** timed out \| <&>" in text
    assert "- entrance, IPv6: look at the pods" in text
