"""Write plugins/plugin_utils/_azure/types.json: types.yml beside this script, completed from Microsoft's schemas.

    python scripts/compile_types.py FOLDER

FOLDER is a checkout of the layout of Azure/bicep-types-az. Added are, as path patterns (``[]`` for each item of a list, ``{}`` for
each value of a map): ``read_only``, ``write_only``, and ``enumerations``, whose case Azure does not keep.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
TARGET = HERE.parent / "plugins" / "plugin_utils" / "_azure" / "types.json"
ENVELOPE = {"id", "name", "type", "apiVersion"}


def _walk(source: list[dict[str, Any]], position: int, path: str, seen: tuple[int, ...], found: dict[str, set[str]]) -> None:
    """Collect path patterns; a type that contains itself is followed once."""
    if seen.count(position) > 1 or len(seen) > 14:
        return
    node, below = source[position], (*seen, position)

    def follow(reference: dict[str, str], here: str) -> None:
        _walk(source, int(reference["$ref"].rpartition("/")[2]), here, below, found)

    match node["$type"]:
        case "ObjectType" | "DiscriminatedObjectType":
            properties = dict(node.get("properties") or node.get("baseProperties") or {})
            for name, value in properties.items():
                here = f"{path}.{name}".lstrip(".")
                if path == "" and name in ENVELOPE:
                    continue
                if value["flags"] & 2:
                    found["read_only"].add(here)
                    continue
                if value["flags"] & 4:
                    found["write_only"].add(here)
                follow(value["type"], here)
            if "additionalProperties" in node:
                follow(node["additionalProperties"], f"{path}.{{}}")
            for element in (node.get("elements") or {}).values():
                follow(element, path)
        case "ArrayType":
            follow(node["itemType"], f"{path}[]")
        case "UnionType":
            kinds = [source[int(element["$ref"].rpartition("/")[2])]["$type"] for element in node["elements"]]
            if "StringLiteralType" in kinds:
                found["enumerations"].add(path)
            for element in node["elements"]:
                follow(element, path)


def facts_of(folder: Path, resource_type: str, api_version: str) -> dict[str, list[str]]:
    """The schema's path patterns of one type."""
    provider = resource_type.partition("/")[0].lower()
    wanted = f"{resource_type}@{api_version}".lower()
    for path in sorted((folder / "generated").glob(f"*/{provider}/{api_version}/types.json")):
        source = json.loads(path.read_text())
        for node in source:
            if node["$type"] == "ResourceType" and node["name"].lower() == wanted:
                found: dict[str, set[str]] = {"read_only": set(), "write_only": set(), "enumerations": set()}
                _walk(source, int(node["body"]["$ref"].rpartition("/")[2]), "", (), found)
                return {name: _without_children(paths) for name, paths in found.items()}
    raise SystemExit(f"{folder} has no types for {resource_type} {api_version}")


def _without_children(paths: set[str]) -> list[str]:
    """Sub-resources that Azure embeds are read three levels deep; what is deeper is never written by us."""
    return sorted(path for path in paths if path.count(".properties") < 3)


def compile_types(folder: Path) -> str:
    """The text of types.json."""
    by_hand = yaml.safe_load((HERE / "types.yml").read_text())
    compiled = {
        name: facts | (facts_of(folder, name, facts["api_version"]) if facts.get("resource", True) else {}) for name, facts in sorted(by_hand.items())
    }
    lines = (f"{json.dumps(name)}: {json.dumps(facts, sort_keys=True)}" for name, facts in compiled.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(compile_types(Path(sys.argv[1])))
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")
