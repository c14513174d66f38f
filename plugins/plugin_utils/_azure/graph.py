"""From declarations to resources in an order: loops, conditions, references.

This file is private to the collection.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._resource_id import resource_id, type_of
from .._typed import Option, shown, typed
from .types import TypeFacts, known

_LIST: Option = {"type": "list", "elements": "str"}
#: a resource as it is declared; ``loop`` and ``when`` are taken off before
_ENTRY: Option = {
    "type": "dict",
    "options": {
        "type": {},
        "name": {},
        "parent": {},
        "id": {},
        "body": {"type": "dict"},
        "state": {"choices": ["present", "absent"]},
        "loop": {"type": "raw"},
        "when": {"type": "raw"},
        "existing": {"type": "bool"},
        "depends_on": _LIST,
        "create_only": _LIST,
        "shared": _LIST,
        "on_absent": {"choices": ["delete", "keep"]},
        "take_over": {"type": "bool"},
        "list_keys": {"type": "dict"},
        "api_version": {},
    },
}
#: ``${handle}``, ``${handle.path}``, ``${handle[key].path}``
REFERENCE = re.compile(r"\$\{(?P<handle>[A-Za-z_]\w*(?:\[[^\]]+\])?)(?:\.(?P<path>[^}]+))?\}")


class DeclarationError(ValueError):
    """Declarations that cannot be read; the message lists every fault."""


def entries_of[Entry](where: str, declared: Any, option: Option, read: Callable[[str, dict[str, Any]], Entry]) -> dict[str, Entry]:
    """What a task names under ``where``, by handle; ``option`` describes an entry. Raises :class:`DeclarationError` with all that is wrong."""
    if not isinstance(declared, Mapping):
        raise DeclarationError(f"{where}: {shown(declared)} is not a mapping.")
    found: dict[str, Entry] = {}
    faults: list[str] = []
    for handle, given in declared.items():
        entry, misfits = typed(f"{where}.{handle}", given, option)
        faults += [f"{misfit}." for misfit in misfits]
        if not misfits:
            try:
                found[handle] = read(str(handle), entry)
            except ValueError as error:
                faults.append(f"{where}.{handle}: {error}")
    if faults:
        raise DeclarationError("\n".join(faults))
    return found


@dataclass
class Resource:
    """One resource to be."""

    handle: str
    id: str
    facts: TypeFacts
    body: dict[str, Any]
    existing: bool = False
    absent: bool = False
    keep_when_absent: bool = False
    take_over: bool = False
    shared: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    list_keys: dict[str, list[str]] = field(default_factory=dict)
    needs: set[str] = field(default_factory=set)

    @property
    def parent(self) -> str:
        """What writes of a serial type are serialised by."""
        return self.id.lower().rsplit("/", 2)[0]


class Declarations:
    """The mapping of a resources file, expanded into :class:`Resource`.

    ``template(value, variables)`` renders a value with extra variables (``item``), ``condition`` evaluates a ``when``.
    """

    def __init__(
        self,
        declared: Any,
        *,
        subscription_id: str,
        resource_group: str,
        state: str,
        template: Callable[[Any, Mapping[str, Any]], Any],
        condition: Callable[[Any, Mapping[str, Any]], bool],
    ) -> None:
        self._subscription_id, self._resource_group, self._state = subscription_id, resource_group, state
        self._template, self._condition = template, condition
        self._faults: list[str] = []
        self._ids: dict[str, str] = {}
        if not isinstance(declared, Mapping) or not declared:
            raise DeclarationError("resources must be a mapping of handles to resources.")
        self._declared = {str(handle) for handle in declared}
        entries = list(self._expand(declared))
        resources = [resource for handle, entry in entries if (resource := self._resource(handle, entry))]
        self.resources = {resource.handle: resource for resource in resources}
        self._check_unique(resources)
        for resource in resources:
            self._find_needs(resource)
        self._check_cycles()
        if self._faults:
            raise DeclarationError("\n".join(self._faults))

    def _expand(self, declared: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """One entry for each element of a ``loop``: ``handle[key]``, where key is the element's ``key``, ``name`` or itself."""
        for handle, entry in declared.items():
            if not isinstance(entry, Mapping):
                self._faults.append(f"{handle}: {shown(entry)} is not a mapping.")
                continue
            rest = {key: value for key, value in entry.items() if key not in ("loop", "when")}
            if "loop" not in entry:
                if self._wanted(handle, entry, {}):
                    yield str(handle), self._render(handle, rest, {})
                continue
            items = self._template(entry["loop"], {})
            if not isinstance(items, list):
                self._faults.append(f"{handle}.loop: {shown(items)} is not a list.")
                continue
            for item in items:
                variables = {"item": item}
                key = item.get("key", item.get("name")) if isinstance(item, Mapping) else item
                if key is None:
                    self._faults.append(f"{handle}: an item of the loop has neither key nor name: {item!r}.")
                    continue
                if self._wanted(handle, entry, variables):
                    yield f"{handle}[{key}]", self._render(f"{handle}[{key}]", rest, variables)

    def _wanted(self, handle: str, entry: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
        conditions = entry.get("when", True)
        return all(self._condition(condition, variables) for condition in (conditions if isinstance(conditions, list) else [conditions]))

    def _render(self, handle: str, entry: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        rendered: dict[str, Any] = self._template(dict(entry), variables)
        return rendered

    def _resource(self, handle: str, entry: dict[str, Any]) -> Resource | None:
        entry, misfits = typed(handle, entry, _ENTRY)
        if misfits:
            self._faults += [f"{misfit}." for misfit in misfits]
            return None
        identifier = self._identifier(handle, entry)
        if identifier is None:
            return None
        try:
            resource_type = entry.get("type") or type_of(identifier)
        except ValueError as error:
            self._faults.append(f"{handle}: {error}")
            return None
        facts = known(resource_type)
        if facts is None:
            if not entry.get("api_version"):
                self._faults.append(
                    f"{handle}: the engine does not know {resource_type}: set api_version (and list_keys if it has lists of objects)."
                )
                return None
            facts = TypeFacts(resource_type, str(entry["api_version"]))
        state = entry.get("state", self._state)
        self._ids[handle] = identifier
        existing = bool(entry.get("existing"))
        return Resource(
            handle,
            identifier,
            facts,
            # What is never written may refer to what is not declared.
            {} if existing else dict(entry.get("body") or {}),
            existing=existing,
            absent=state == "absent",
            keep_when_absent=entry.get("on_absent") == "keep",
            take_over=bool(entry.get("take_over", False)),
            shared=tuple(entry.get("shared") or ()),
            create_only=tuple(entry.get("create_only") or ()),
            list_keys=dict(entry.get("list_keys") or {}),
            needs=set(entry.get("depends_on") or ()),
        )

    def _identifier(self, handle: str, entry: Mapping[str, Any]) -> str | None:
        """The id: given, or from type, name and parent. References in ``parent`` go to handles declared above."""
        if entry.get("id"):
            return str(entry["id"])
        if not entry.get("type") or not entry.get("name"):
            self._faults.append(f"{handle}: set id, or type and name.")
            return None
        parent = str(entry.get("parent") or "")
        match = REFERENCE.fullmatch(parent)
        if match:
            parent = self._ids.get(match["handle"], "")
            if not parent:
                self._faults.append(f"{handle}: parent {entry['parent']} is not declared above it.")
                return None
        try:
            return resource_id(
                str(entry["name"]),
                str(entry["type"]),
                parent=parent,
                subscription_id=self._subscription_id,
                resource_group=self._resource_group,
            )
        except ValueError as error:
            self._faults.append(f"{handle}: {error}")
            return None

    def _find_needs(self, resource: Resource) -> None:
        """What must be there first: what it refers to (by handle or by id), what it lies in, what it names."""
        for reference in references(resource.body):
            if reference in self.resources:
                resource.needs.add(reference)
            else:
                self._faults.append(f"{resource.handle}: ${{{reference}}} does not refer to a declared resource.")
        for name in list(resource.needs):
            if name not in self.resources:
                # A dependency on a loop is one on each of its resources; one on what its `when` leaves out is none.
                resource.needs.discard(name)
                resource.needs |= {handle for handle in self.resources if handle.startswith(f"{name}[")}
                if name.partition("[")[0] not in self._declared:
                    self._faults.append(f"{resource.handle}: depends_on {name} is not a declared resource.")
        mentioned = {text.lower() for text in texts(resource.body) if text.startswith("/subscriptions/")}
        for other in self.resources.values():
            key = other.id.lower()
            if other is resource:
                continue
            if resource.id.lower().startswith(key + "/") or any(text == key or text.startswith(key + "/") for text in mentioned):
                resource.needs.add(other.handle)

    def _check_unique(self, resources: list[Resource]) -> None:
        """No two loop items with one key, no two handles with one id: the second would silently win, or write against the first."""
        handles: set[str] = set()
        ids: dict[str, str] = {}
        for resource in resources:
            if resource.handle in handles:
                self._faults.append(f"{resource.handle}: two items of the loop have this key.")
            elif resource.id.lower() in ids and not resource.existing:
                self._faults.append(f"{resource.handle}: {ids[resource.id.lower()]} has the same id {resource.id}.")
            handles.add(resource.handle)
            ids.setdefault(resource.id.lower(), resource.handle)

    def _check_cycles(self) -> None:
        try:
            graphlib.TopologicalSorter({handle: resource.needs for handle, resource in self.resources.items()}).prepare()
        except graphlib.CycleError as error:
            self._faults.append("the resources depend on each other: " + " -> ".join(error.args[1]))


def references(value: Any) -> set[str]:
    """The handles that a value refers to."""
    return {match["handle"] for text in texts(value) for match in REFERENCE.finditer(text)}


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, keys of mappings too."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def resolve(value: Any, look_up: Callable[[str, str], Any]) -> Any:
    """``value`` with its references replaced; a text that is one reference takes the type of what it refers to."""
    if isinstance(value, Mapping):
        return {str(resolve(key, look_up)): resolve(item, look_up) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, look_up) for item in value]
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        return look_up(whole["handle"], whole["path"] or "id")
    return REFERENCE.sub(lambda match: str(look_up(match["handle"], match["path"] or "id")), value)
