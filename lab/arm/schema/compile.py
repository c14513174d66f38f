"""Compile Microsoft's resource types into the compact data that the lab checks request bodies against.

    python -m lab.arm.schema.compile FOLDER

FOLDER is a checkout of the layout of Azure/bicep-types-az (``generated/<folder>/<provider>/<api-version>/types.json``).
Kept are facts only: property names, types, required, read-only, enumerations, patterns, lengths and ranges; no prose.
Only the types that the lab serves are kept. The result is one file a provider and api-version beside this script,
the same bytes for the same input.

A file is ``{"types": {NAME: NODE}, "nodes": [...]}``; NODE is an index into ``nodes``. A node is one of

=====================  ============================================================
``{"o": {...}}``       an object: property -> [node, flags]; ``"a"``: node of any other property
``{"l": node}``        a list
``{"s": {...}}``       a string: ``minLength``, ``maxLength``, ``pattern``
``{"i": {...}}``       a whole number: ``minValue``, ``maxValue``
``{"b": 1}``           a boolean
``{"e": [...]}``       an enumeration; ``"open"``: other strings are accepted too
``{"u": [...]}``       one of several nodes
``{"d": name, ...}``   an object whose property ``name`` chooses among ``"v"``; ``"o"``: what all have
``{}``                 anything
=====================  ============================================================

Flags: 1 required, 2 read-only, 4 write-only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

#: What the lab serves. Everything else in Microsoft's files is left out.
SERVED = {
    name.lower()
    for name in (
        "Microsoft.Authorization/locks",
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Authorization/roleDefinitions",
        "Microsoft.Compute/virtualMachineScaleSets",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        "Microsoft.ContainerRegistry/registries",
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.ContainerService/managedClusters/agentPools",
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.KeyVault/vaults",
        "Microsoft.KeyVault/vaults/secrets",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "Microsoft.Network/dnsZones",
        "Microsoft.Network/dnsZones/A",
        "Microsoft.Network/dnsZones/AAAA",
        "Microsoft.Network/dnsZones/CAA",
        "Microsoft.Network/dnsZones/CNAME",
        "Microsoft.Network/dnsZones/MX",
        "Microsoft.Network/dnsZones/NS",
        "Microsoft.Network/dnsZones/PTR",
        "Microsoft.Network/dnsZones/SOA",
        "Microsoft.Network/dnsZones/SRV",
        "Microsoft.Network/dnsZones/TXT",
        "Microsoft.Network/loadBalancers",
        "Microsoft.Network/loadBalancers/backendAddressPools",
        "Microsoft.Network/natGateways",
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Network/networkSecurityGroups",
        "Microsoft.Network/networkSecurityGroups/securityRules",
        "Microsoft.Network/privateDnsZones",
        "Microsoft.Network/privateDnsZones/A",
        "Microsoft.Network/privateDnsZones/AAAA",
        "Microsoft.Network/privateDnsZones/CNAME",
        "Microsoft.Network/privateDnsZones/MX",
        "Microsoft.Network/privateDnsZones/PTR",
        "Microsoft.Network/privateDnsZones/SOA",
        "Microsoft.Network/privateDnsZones/SRV",
        "Microsoft.Network/privateDnsZones/TXT",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.Network/publicIPPrefixes",
        "Microsoft.Network/routeTables",
        "Microsoft.Network/routeTables/routes",
        "Microsoft.Network/virtualNetworks",
        "Microsoft.Network/virtualNetworks/subnets",
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "Microsoft.OperationalInsights/workspaces",
        "Microsoft.Resources/resourceGroups",
    )
}


class _Compiler:
    """Renumbers what one types.json reaches from the types that are kept."""

    def __init__(self, source: list[dict[str, Any]]) -> None:
        self.source = source
        self.index: dict[int, int] = {}
        self.nodes: list[dict[str, Any]] = []

    def node(self, reference: dict[str, str]) -> int:
        position = int(reference["$ref"].rpartition("/")[2])
        if position not in self.index:
            self.index[position] = len(self.nodes)
            self.nodes.append({})
            self.nodes[self.index[position]] = self._compile(self.source[position])
        return self.index[position]

    def _properties(self, properties: dict[str, Any]) -> dict[str, list[int]]:
        return {name: [self.node(found["type"]), found["flags"] & 7] for name, found in properties.items()}

    def _compile(self, found: dict[str, Any]) -> dict[str, Any]:
        match found["$type"]:
            case "StringType":
                return {"s": {key: found[key] for key in ("minLength", "maxLength", "pattern") if key in found}}
            case "StringLiteralType":
                return {"e": [found["value"]]}
            case "IntegerType":
                return {"i": {key: found[key] for key in ("minValue", "maxValue") if key in found}}
            case "BooleanType":
                return {"b": 1}
            case "ArrayType":
                return {"l": self.node(found["itemType"])}
            case "ObjectType":
                result: dict[str, Any] = {"o": self._properties(found["properties"])}
                if "additionalProperties" in found:
                    result["a"] = self.node(found["additionalProperties"])
                return result
            case "DiscriminatedObjectType":
                return {
                    "d": found["discriminator"],
                    "o": self._properties(found["baseProperties"]),
                    "v": {value: self.node(element) for value, element in found["elements"].items()},
                }
            case "UnionType":
                elements = [self.source[int(element["$ref"].rpartition("/")[2])] for element in found["elements"]]
                literals = [element["value"] for element in elements if element["$type"] == "StringLiteralType"]
                others = [element for element in elements if element["$type"] != "StringLiteralType"]
                if literals and all(element["$type"] == "StringType" for element in others):
                    return {"e": literals} | ({"open": 1} if others else {})
                return {"u": [self.node(element) for element in found["elements"]]}
            case "AnyType":
                return {}
            case unknown:
                raise ValueError(f"types.json has a kind this script does not know: {unknown}")


def compile_types(source: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The compact form of one types.json; None when the lab serves nothing of it."""
    compiler = _Compiler(source)
    types = {}
    for found in source:
        if found["$type"] == "ResourceType":
            name = found["name"].partition("@")[0]
            if name.lower() in SERVED:
                types[name] = compiler.node(found["body"])
    return {"types": types, "nodes": compiler.nodes} if types else None


def compile_folder(folder: Path) -> dict[str, str]:
    """File name -> text, for every types.json below ``folder`` of which the lab serves something."""
    result = {}
    for path in sorted((folder / "generated").glob("*/*/*/types.json")):
        compiled = compile_types(json.loads(path.read_text()))
        if compiled:
            provider, version = path.parts[-3:-1]
            name = f"{provider}@{version}.json"
            if name in result:
                raise ValueError(f"{provider} {version} stands in two folders")
            result[name] = json.dumps(compiled, separators=(",", ":"), sort_keys=True) + "\n"
    return result


def main() -> None:
    compiled = compile_folder(Path(sys.argv[1]))
    data = HERE / "data"
    data.mkdir(exist_ok=True)
    for old in data.glob("*.json"):
        old.unlink()
    for name, text in compiled.items():
        (data / name).write_text(text)
    print(f"{len(compiled)} files, {sum(map(len, compiled.values())) / 1e6:.1f} MB in {data}")


if __name__ == "__main__":
    main()
