"""Checks a request body against Microsoft's own resource types (compiled by ``compile.py``)."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"
_REQUIRED, _READ_ONLY, _WRITE_ONLY = 1, 2, 4

#: Members of every resource that ARM itself owns; what a client sends in them is ignored.
_ENVELOPE = {"id", "name", "type", "apiversion", "etag", "systemdata"}

#: Microsoft.Network reads a number as text where its types have text, and stores it so (azure.azcollection's own tests send ports as numbers).
_NUMBERS_AS_TEXT = "microsoft.network/"

_INDEX = re.compile(r"\[\d+\]")

#: Azure DNS answers ``targetResource: {}`` for a record set without an alias, and accepts it.
_EMPTY_REFERENCES = "microsoft.network/dnszones"


@dataclass
class Problem:
    """One thing that is wrong with a body, in the words of Azure's ``error.details``."""

    code: str
    target: str
    message: str


@dataclass
class Checked:
    """A body as Azure reads it: property names in Azure's case, read-only properties left out."""

    body: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: "stored" when this api-version's types are here, else "nearest"
    schema: str = "stored"
    #: those types are newer than this api-version, which may have members that they lack
    is_newer: bool = False


@functools.cache
def versions(namespace: str) -> dict[str, list[str]]:
    """Type name in lower case -> api-versions whose types are stored, oldest first."""
    found: dict[str, list[str]] = {}
    for path in sorted(_DATA.glob(f"{namespace.lower()}@*.json")):
        version = path.stem.partition("@")[2]
        for name in _load(path.name)["types"]:
            found.setdefault(name.lower(), []).append(version)
    return found


@functools.cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_DATA / name).read_text())
    loaded["by_lower_case"] = {key.lower(): value for key, value in loaded["types"].items()}
    return loaded


def nearest(resource_type: str, api_version: str) -> str | None:
    """The stored api-version to read ``api_version`` as: itself, else the newest before it, else the oldest after it."""
    known = versions(resource_type.partition("/")[0]).get(resource_type.lower(), [])
    before = [version for version in known if version[:10] <= api_version[:10]]
    if api_version in known:
        return api_version
    return before[-1] if before else known[0] if known else None


def check(resource_type: str, api_version: str, body: dict[str, Any], *, partial: bool = False, overlooked: frozenset[str] = frozenset()) -> Checked:
    """Read ``body`` as Azure would. With ``partial`` (PATCH, compute's PUT) nothing is required; ``overlooked`` are unknown members to ignore."""
    version = nearest(resource_type, api_version)
    if version is None:
        raise KeyError(resource_type)
    loaded = _load(f"{resource_type.partition('/')[0].lower()}@{version}.json")
    checked = Checked(schema="stored" if version == api_version else "nearest", is_newer=version[:10] > api_version[:10])
    reader = _Reader(loaded["nodes"], checked, partial, resource_type.lower(), overlooked)
    sent = {key: value for key, value in body.items() if key.lower() not in _ENVELOPE}
    checked.ignored += [key for key in body if key.lower() in _ENVELOPE]
    position = loaded["by_lower_case"][resource_type.lower()]
    checked.body = reader.value(position, sent, "")
    # Microsoft's types leave the location open in places, ARM does not.
    _, flags = loaded["nodes"][position]["o"].get("location", (0, _READ_ONLY))
    if not partial and not flags & (_REQUIRED | _READ_ONLY) and not checked.body.get("location"):
        reader.problem("LocationRequired", "location", "The location property is required for this definition.")
    return checked


class _Reader:
    def __init__(self, nodes: list[dict[str, Any]], checked: Checked, partial: bool, resource_type: str, overlooked: frozenset[str]) -> None:
        self.nodes, self.checked, self.partial = nodes, checked, partial
        self.resource_type, self.overlooked = resource_type, overlooked

    def problem(self, code: str, path: str, message: str) -> None:
        self.checked.problems.append(Problem(code, path, message))

    def value(self, position: int, value: Any, path: str) -> Any:
        node = self.nodes[position]
        if value is None or not node:
            return value
        if "o" in node:
            return self._object(node, value, path)
        if "l" in node:
            if not isinstance(value, list):
                self.problem("InvalidRequestFormat", path, f"Cannot deserialize the value of '{path}': a list is expected.")
                return value
            # A partial body replaces lists, so that their items are whole.
            whole = _Reader(self.nodes, self.checked, False, self.resource_type, self.overlooked)
            return [whole._item(node["l"], item, f"{path}[{number}]") for number, item in enumerate(value)]
        if "u" in node:
            return self._union(node, value, path)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if "s" in node and is_number and self.resource_type.startswith(_NUMBERS_AS_TEXT):
            value = str(value)
        self._scalar(node, value, path)
        if "e" in node:
            return next((known for known in node["e"] if str(known).lower() == str(value).lower()), value)
        return value

    def _item(self, position: int, value: Any, path: str) -> Any:
        node = self.nodes[position]
        if value is None:
            self.problem("InvalidRequestFormat", path, f"Cannot deserialize the value of '{path}': null is not an item of a list.")
            return value
        if not _is_child(node) or not isinstance(value, dict):
            return self.value(position, value, path)
        named = {key.lower(): item for key, item in value.items()}
        if not named.get("name"):
            self.problem("InvalidRequestFormat", path, f"Cannot parse the request: the name of '{path}' is missing.")
        # Left out, the properties lack what is required of them.
        return self.value(position, value if named.get("properties") is not None else value | {"properties": {}}, path)

    def _union(self, node: dict[str, Any], value: Any, path: str) -> Any:
        tries: list[list[Problem]] = []
        for position in node["u"]:
            attempt = Checked(is_newer=self.checked.is_newer)
            read = _Reader(self.nodes, attempt, self.partial, self.resource_type, self.overlooked).value(position, value, path)
            if not attempt.problems:
                self.checked.ignored += attempt.ignored
                return read
            tries.append(attempt.problems)
        self.checked.problems += sorted(tries, key=len)[0]
        return value

    def _scalar(self, node: dict[str, Any], value: Any, path: str) -> None:
        if "b" in node:
            if not isinstance(value, bool):
                self.problem("InvalidRequestFormat", path, f"Cannot convert {value!r} of '{path}' to a boolean.")
        elif "i" in node:
            low, high = node["i"].get("minValue"), node["i"].get("maxValue")
            # Microsoft's compiler of these types makes integers of fractions too (spotMaxPrice); those have no limits.
            kinds = (int, float) if low is None and high is None else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds):
                self.problem("InvalidRequestFormat", path, f"Cannot convert {value!r} of '{path}' to a whole number.")
            elif (low is not None and value < low) or (high is not None and value > high):
                self.problem("InvalidParameter", path, f"The value {value} of parameter '{path}' is out of range: {low} to {high}.")
        elif not isinstance(value, str):
            self.problem("InvalidRequestFormat", path, f"Cannot convert {value!r} of '{path}' to a string.")
        elif "e" in node:
            if not node.get("open") and value.lower() not in {str(known).lower() for known in node["e"]}:
                self.problem("InvalidParameter", path, f"The value '{value}' of parameter '{path}' is not allowed. Allowed: {', '.join(node['e'])}.")
        else:
            self._string(node["s"], value, path)

    def _string(self, limits: dict[str, Any], value: str, path: str) -> None:
        if not limits.get("minLength", 0) <= len(value) <= limits.get("maxLength", len(value)):
            low, high = limits.get("minLength", 0), limits.get("maxLength", "any")
            self.problem("InvalidParameter", path, f"The length of '{path}' is {len(value)}; allowed are {low} to {high}.")
        if "pattern" in limits and not _pattern(limits["pattern"]).search(value):
            self.problem("InvalidParameter", path, f"The value '{value}' of parameter '{path}' does not match {limits['pattern']}.")

    def _is_reference(self, node: dict[str, Any], path: str) -> bool:
        """Whether an object stands for a resource elsewhere: it has an id alone, or is a whole resource of the network in another's place."""
        if "id" not in node["o"] or node["o"]["id"][1] & _READ_ONLY or self.resource_type.startswith(_EMPTY_REFERENCES):
            return False
        in_its_place = path.endswith("]") and _is_child(node)
        return len(node["o"]) == 1 or (self.resource_type.startswith("microsoft.network/") and "properties" in node["o"] and not in_its_place)

    def _object(self, node: dict[str, Any], value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            self.problem("InvalidRequestFormat", path, f"Cannot deserialize the value of '{path}': an object is expected.")
            return value
        known = {name.lower(): (name, position, flags) for name, (position, flags) in node["o"].items()}
        if "d" in node:
            chosen = next((item for key, item in value.items() if key.lower() == node["d"].lower()), None)
            variant = node["v"].get(chosen)
            if variant is None:
                self.problem("InvalidParameter", f"{path}.{node['d']}".lstrip("."), f"'{chosen}' is none of {', '.join(node['v'])}.")
                return value
            known |= {name.lower(): (name, position, flags) for name, (position, flags) in self.nodes[variant]["o"].items()}
        if path and self._is_reference(node, path) and not next((item for key, item in value.items() if key.lower() == "id"), None):
            self.problem("MissingJsonReferenceId", path, f"Value for reference id is missing. Path {path}.")
        result: dict[str, Any] = {}
        for key, item in value.items():
            here = f"{path}.{key}".lstrip(".")
            if key.lower() in known:
                name, position, flags = known[key.lower()]
                if flags & _READ_ONLY:
                    self.checked.ignored.append(here)
                elif item is not None or self.partial:
                    result[name] = self.value(position, item, here)
            elif "a" in node:
                if item is not None or self.partial:
                    result[key] = self.value(node["a"], item, here)
            elif key.lower() in {"id", "name", "type", "etag"}:
                # Sub-resources carry these in Azure's answers, and clients echo them.
                result[key] = item
            elif _INDEX.sub("[]", here) in self.overlooked:
                # Azure answers with it, so that clients send it back.
                continue
            elif self.checked.is_newer:
                self.checked.ignored.append(here)
            else:
                self.problem(
                    "InvalidRequestFormat", here, f"Could not find member '{key}' on object of type '{path.rpartition('.')[2] or 'resource'}'."
                )
        if not self.partial:
            for name, _, flags in known.values():
                if flags & _REQUIRED and not flags & _READ_ONLY and result.get(name) is None and not (path == "" and name.lower() in _ENVELOPE):
                    here = f"{path}.{name}".lstrip(".")
                    self.problem("InvalidParameter", here, f"Required parameter '{here}' is missing or null.")
        return result


def _is_child(node: dict[str, Any]) -> bool:
    """Whether the items of a list are resources of their own, with a name that clients give."""
    members = node.get("o", {})
    return "properties" in members and "name" in members and not members["name"][1] & _READ_ONLY


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    """.NET's ``\\z`` is Python's ``\\Z``; the rest of what Azure's patterns use is the same in both."""
    return re.compile(text.replace("\\z", "\\Z"))
