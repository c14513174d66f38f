"""Declared and live resource bodies: whether they mean the same, and what to write where they do not.

This file is private to the collection.

A declared body says what its author cares about. A mapping is laid over the live one; a list is the author's whole, except at
``shared`` paths of the type or of the task, where only the declared elements count; ``null`` removes a property. What is not declared stays as it is.
"""

from __future__ import annotations

import contextlib
import copy
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._leaves import value_at
from .._resource_id import GUID
from .types import Patterns, TypeFacts

_ABSENT = object()
#: top-level members that ARM owns
_ENVELOPE = frozenset({"id", "name", "type", "etag", "systemdata", "apiversion"})
UNKNOWN = "(known after apply)"
_TAINT = re.compile(r"(?P<key>[^=:]+)(=[^:]*)?:(?P<effect>\w+)")
_MINOR = re.compile(r"\d+\.\d+")
_EMPTY: tuple[Any, ...] = (None, [], {})


@dataclass(frozen=True)
class Difference:
    """One thing that would change: dotted path (list items by their key in brackets), value before and after."""

    path: str
    before: Any
    after: Any


class Comparison:
    """Compares and overlays bodies of one resource."""

    def __init__(
        self, facts: TypeFacts, *, shared: Sequence[str] = (), create_only: Sequence[str] = (), list_keys: Mapping[str, list[str]] | None = None
    ) -> None:
        self._facts = facts
        self._shared = Patterns(shared)
        self._skipped = Patterns([*create_only, *facts.create_only])
        self._plural_of = {singular: plural for plural, singular in facts.plurals.items()}
        self._forms = self._plural_of.keys() | facts.plurals.keys()
        self._list_keys = facts.list_keys | {path.lower(): keys for path, keys in (list_keys or {}).items()}

    def differences(self, declared: Mapping[str, Any], live: Mapping[str, Any]) -> list[Difference]:
        """What of ``declared`` the live resource does not have; empty when they mean the same."""
        differences: list[Difference] = []
        for name, value in declared.items():
            if name.lower() not in _ENVELOPE:
                self._compare(value, self._member(live, name, ""), name, name, differences)
        return differences

    def agree(self, path: str, declared: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
        """Whether the live resource has every value that is declared at ``path``, where ``[]`` stands for each item of a list."""
        there = values_at(live, path)
        return all(any(self._equal(value, other, path) for other in there) for value in values_at(declared, path))

    def body(self, declared: Mapping[str, Any], live: Mapping[str, Any] | None) -> dict[str, Any]:
        """The body to PUT: ``declared`` over what is there, without what only Azure may set."""
        if live is None:
            result: dict[str, Any] = _without_nulls(declared)
        else:
            writable = self._strip({name: value for name, value in live.items() if name.lower() not in _ENVELOPE}, "")
            result = self._overlay(declared, writable, "")
            for path in self._facts.create_only:
                _drop(result, path.split("."))
        return result

    def _compare(self, declared: Any, live: Any, path: str, pattern: str, differences: list[Difference]) -> None:
        """``path`` names list items for people, ``pattern`` has ``[]`` for them and is what types.json speaks of."""
        if pattern in self._skipped:
            return
        if isinstance(declared, Mapping) and isinstance(live, Mapping):
            for name, value in declared.items():
                if value in _EMPTY and declared.get(self._twin(name)) not in _EMPTY:
                    # The emptied form of what the other form says, as Azure shows both.
                    continue
                self._compare(value, self._member(live, name, pattern), f"{path}.{name}", f"{pattern}.{name}", differences)
        elif isinstance(declared, list) and isinstance(live, list):
            self._compare_lists(declared, live, path, pattern, differences)
        elif (live is _ABSENT or live is None) and isinstance(declared, Mapping):
            for name, value in declared.items():
                self._compare(value, _ABSENT, f"{path}.{name}", f"{pattern}.{name}", differences)
            if live is _ABSENT and not declared and "/" in path:
                # userAssignedIdentities: {<id>: {}}: the key is the value, and an empty mapping is there or not.
                differences.append(Difference(path, None, {}))
        elif not self._same(declared, None if live is _ABSENT else live, pattern):
            differences.append(Difference(path, None if live is _ABSENT else live, declared))

    def _member(self, mapping: Mapping[str, Any], name: str, pattern: str) -> Any:
        """A live member by its name; a plural also where Azure shows its singular."""
        present = self._present(mapping, name, pattern)
        if present in mapping and (mapping[present] not in _EMPTY or name not in self._forms):
            return mapping[present]
        singular = self._facts.plurals.get(name)
        if singular and mapping.get(singular) is not None:
            return [mapping[singular]]
        plural = self._plural_of.get(name)
        if plural and isinstance(mapping.get(plural), list) and len(mapping[plural]) == 1:
            return mapping[plural][0]
        return _ABSENT

    def _present(self, mapping: Mapping[str, Any], name: str, pattern: str) -> str:
        """How ``mapping`` spells ``name``: ids and tags have no case, nor the names of the type's ``caseless`` maps."""
        if name not in mapping and (name.startswith("/") or pattern.lower() == "tags" or pattern in self._facts.caseless):
            return next((key for key in mapping if key.lower() == name.lower()), name)
        return name

    def _twin(self, name: str) -> str:
        """The singular of a plural and the other way round; empty for a name that has no such form."""
        return self._facts.plurals.get(name) or self._plural_of.get(name, "")

    def _compare_lists(self, declared: list[Any], live: list[Any], path: str, pattern: str, differences: list[Difference]) -> None:
        items = f"{pattern}[]"
        keys = self._keys(declared, live, pattern)
        if keys is None:
            same = len(declared) == len(live) and all(self._equal(one, other, items) for one, other in zip(declared, live, strict=True))
            if not same:
                differences.append(Difference(path, live, declared))
            return
        ours, theirs = {self._key(item, keys, items): item for item in declared}, {self._key(item, keys, items): item for item in live}
        for key, item in ours.items():
            here = f"{path}[{_label(item, keys)}]"
            if key not in theirs:
                differences += [] if self._is_void(item, pattern) else [Difference(here, None, item)]
            elif isinstance(item, Mapping):
                self._compare({name: value for name, value in item.items() if name not in keys}, theirs[key], here, items, differences)
        extra = [item for key, item in theirs.items() if key not in ours and not self._stays(item, declared, pattern)]
        differences += [Difference(f"{path}[{_label(item, keys)}]", item, None) for item in extra if not self._is_void(item, pattern)]

    def _stays(self, item: Any, declared: list[Any], pattern: str) -> bool:
        """Whether an item of a live list that nobody declared is somebody else's to keep."""
        shared = pattern in self._shared or pattern in self._facts.shared
        return shared and not any(_excludes(one, item) for one in declared)

    def _is_void(self, item: Any, pattern: str) -> bool:
        """Whether an item of a list is as good as not there."""
        void = self._facts.void_items.get(pattern.lower())
        return void is not None and isinstance(item, Mapping) and all(item.get(name) == value for name, value in void.items())

    def _keys(self, declared: list[Any], live: list[Any], pattern: str) -> list[str] | None:
        """The properties that tell a list's items apart; ``[]`` for a set of scalars, None where the position does."""
        items = [*declared, *live]
        if pattern.lower() in self._list_keys:
            return self._list_keys[pattern.lower()]
        if all(not isinstance(item, (Mapping, list)) for item in items):
            return None if pattern in self._facts.ordered else []
        for name in ("name", "id"):
            if all(isinstance(item, Mapping) and item.get(name) for item in items):
                return [name]
        return None

    def _key(self, item: Any, keys: list[str], pattern: str) -> Any:
        if not keys:
            return normal(item, self._folds(pattern))
        return tuple(normal(value_at(item, name), True) for name in keys)

    def _folds(self, pattern: str) -> bool:
        return pattern in self._facts.enumerations or pattern in self._facts.caseless

    def _is_patch(self, live: Any, declared: Any, pattern: str) -> bool:
        """Whether a Kubernetes version is declared by its minor version, and is there in one of its patches."""
        is_minor = pattern in self._facts.versions and _MINOR.fullmatch(str(declared))
        return bool(is_minor) and isinstance(live, str) and live.startswith(f"{declared}.")

    def _equal(self, declared: Any, live: Any, pattern: str) -> bool:
        differences: list[Difference] = []
        self._compare(declared, live, "", pattern, differences)
        return not differences

    def _same(self, declared: Any, live: Any, pattern: str) -> bool:
        if declared in _EMPTY and live in _EMPTY:
            return True
        if isinstance(declared, (Mapping, list)) or isinstance(live, (Mapping, list)):
            return False
        name = pattern.rpartition(".")[2].lower()
        fold = self._folds(pattern) or name == "location"
        one, other = normal(declared, fold), normal(live, fold)
        if pattern in self._facts.scopeless and isinstance(one, str) and isinstance(other, str):
            return one.rpartition("/providers/")[2] == other.rpartition("/providers/")[2]
        if self._is_patch(live, declared, pattern):
            return True
        if name == "location":
            return str(one).replace(" ", "") == str(other).replace(" ", "")
        return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)

    def _overlay(self, declared: Any, live: Any, pattern: str) -> Any:
        if pattern in self._skipped and live is not _ABSENT:
            return copy.deepcopy(live)
        if isinstance(declared, Mapping):
            result = dict(live) if isinstance(live, Mapping) else {}
            for name, value in declared.items():
                present = self._present(result, name, pattern)
                below = f"{pattern}.{name}".lstrip(".")
                there = self._member(result, name, pattern) if isinstance(value, list) else result.get(present, _ABSENT)
                # Azure takes one of the two forms.
                if value not in _EMPTY:
                    result.pop(self._twin(name), None)
                if value is None:
                    result.pop(present, None)
                    if declared.get(self._twin(name)) in _EMPTY:
                        result.pop(self._twin(name), None)
                else:
                    result[present] = self._overlay(value, there, below)
            return result
        if isinstance(declared, list) and isinstance(live, list):
            return self._overlay_lists(declared, live, pattern)
        if self._is_patch(live, declared, pattern):
            return live
        return _without_nulls(declared)

    def _overlay_lists(self, declared: list[Any], live: list[Any], pattern: str) -> list[Any]:
        items = f"{pattern}[]"
        keys = self._keys(declared, live, pattern)
        if keys is None:
            return [_without_nulls(item) for item in declared]
        theirs = {self._key(item, keys, items): item for item in live}
        result = [self._overlay(item, theirs.get(self._key(item, keys, items), _ABSENT), items) for item in declared]
        ours = {self._key(item, keys, items) for item in declared}
        return result + [copy.deepcopy(item) for key, item in theirs.items() if key not in ours and self._stays(item, declared, pattern)]

    def _strip(self, value: Any, pattern: str) -> Any:
        """``value`` without read-only properties."""
        if isinstance(value, Mapping):
            result = {}
            for name, item in value.items():
                below = f"{pattern}.{name}".lstrip(".")
                if below not in self._facts.read_only:
                    result[name] = self._strip(item, below)
            return result
        if isinstance(value, list):
            return [self._strip(item, f"{pattern}[]") for item in value]
        return copy.deepcopy(value)


def values_at(body: Any, path: str) -> list[Any]:
    """The values at a dotted path, where ``[]`` stands for each item of a list; nulls are none."""
    found = [body]
    for name in path.replace("[]", ".[]").split("."):
        if name == "[]":
            found = [item for items in found if isinstance(items, list) for item in items]
        else:
            found = [members[name] for members in found if isinstance(members, Mapping) and members.get(name) is not None]
    return found


def normal(value: Any, fold: bool = False) -> Any:
    """A form in which equal meanings are equal: addresses by value, ids and GUIDs (and enumerations: ``fold``) without case."""
    if not isinstance(value, str):
        return value
    if value.startswith("/"):
        return value.lower().rstrip("/")
    if ":" in value or value[:1].isdigit():
        # Services add the /32 of a single address (Key Vault, AKS) or drop it (Container Registry).
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_interface(value))
    # RFC 9562, section 4: GUIDs are read in either case, and written in lower case.
    return value.lower() if fold or GUID.fullmatch(value) else str(value)


def _excludes(one: Any, other: Any) -> bool:
    """Whether two items of a list cannot stand side by side: prefixes that overlap, taints of the same key and effect."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    taints = _TAINT.fullmatch(one), _TAINT.fullmatch(other)
    if taints[0] and taints[1]:
        return taints[0].group("key", "effect") == taints[1].group("key", "effect")
    with contextlib.suppress(ValueError):
        here, there = ipaddress.ip_network(one, strict=False), ipaddress.ip_network(other, strict=False)
        return here.version == there.version and here.overlaps(there)
    return False


def _label(item: Any, keys: list[str]) -> str:
    return "/".join(str(value_at(item, name)) for name in keys if value_at(item, name)) if keys else str(item)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return copy.deepcopy(value)


def _drop(body: Any, path: list[str]) -> None:
    if isinstance(body, dict) and path[0] in body:
        if len(path) == 1:
            del body[path[0]]
        else:
            _drop(body[path[0]], path[1:])
