"""The rules of the lab's Azure beside the collection's: cases that break each, and reasons why none can (cases.yml)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined
from jinja2.nativetypes import NativeEnvironment

from lab.arm import ids, schema

_FOLDER = Path(__file__).parent
#: where the stamps are that name no region of their own
REGIONS = ("westeurope", "northeurope", "germanywestcentral", "swedencentral", "eastus2")
_KEYS = {"variables", "register", "azure", "refused_by", "specification", "instead", "by_cloud_controller"}


@dataclass(frozen=True)
class Case:
    """A stamp that breaks rules of Azure; cases.yml describes the fields."""

    rule: str
    stamp: str
    location: str
    variables: dict[str, Any] = field(default_factory=dict)
    register: dict[str, Any] = field(default_factory=dict)
    azure: list[Any] = field(default_factory=list)
    refused_by: tuple[str, ...] = ()
    specification: str = ""
    instead: str = ""
    by_cloud_controller: bool = False


@dataclass(frozen=True)
class Write:
    """A request of another client than the collection, before a run."""

    method: str
    path: str
    api_version: str
    body: dict[str, Any] | None


@functools.cache
def entries() -> dict[str, Any]:
    """cases.yml: lab rule -> its cases, or ``{reason}``, or ``{with: another lab rule}``."""
    found: dict[str, Any] = yaml.safe_load((_FOLDER / "cases.yml").read_text())
    return found


def cases() -> list[Case]:
    """All cases. Raises :class:`ValueError` for one that says nothing or too much."""
    found, regions = [], itertools.cycle(REGIONS)
    for rule, entry in entries().items():
        for number, case in enumerate(entry if isinstance(entry, list) else [], 1):
            if set(case) - _KEYS or bool(case.get("refused_by")) == bool(case.get("specification")):
                raise ValueError(f"{rule}, case {number}: it needs one of refused_by and specification, and may have {sorted(_KEYS)}.")
            location = (case.get("variables") or {}).get("dualstack_location") or next(regions)
            found.append(Case(rule, f"{rule}-{number}", location, **case | {"refused_by": tuple(case.get("refused_by", ()))}))
    return found


def broken_by(case: Case) -> set[str]:
    """The lab's rules that a case breaks: its own and those that point at it."""
    return {case.rule} | {rule for rule, entry in entries().items() if isinstance(entry, dict) and entry.get("with") == case.rule}


class Scene:
    """What the templates of one case stand for."""

    def __init__(self, case: Case, plan: Mapping[str, Any], *, subscription: str, tenant: str, principal: str) -> None:
        self._case = case
        self._values: dict[str, Any] = {
            "stamp": case.stamp,
            "location": case.location,
            "subscription": subscription,
            "group": f"{subscription}/resourceGroups/rg-example-{case.stamp}",
            "others": f"{subscription}/resourceGroups/rg-theirs-{case.stamp}",
            "tenant": tenant,
            "principal": principal,
            "plan": plan,
        }

    def variables(self) -> dict[str, Any]:
        """The stamp's variables, with its part of the register: rules that compare stamps have tests of their own, and a part is read faster."""
        plan = self._values["plan"]
        names = {name: dict(families) for name, families in {**plan["subnets"], **{name: plan[name] for name in _RANGES}}.items()}
        for name, families in _render(self._case.register, self._values).items():
            names[name] |= families
        found: dict[str, Any] = {"dualstack_location": self._case.location, "dualstack_register": {"stamps": {self._case.stamp: names}}}
        found |= _render(self._case.variables, self._values)
        return found

    def writes(self) -> Iterator[Write]:
        """What makes Azure what it is before the run, in this order."""
        sets = yaml.safe_load((_FOLDER / "azure.yml").read_text())
        for entry in self._case.azure:
            for item in sets[entry] if isinstance(entry, str) else [entry]:
                for number in range(item.get("repeat", 1)):
                    values = self._values | {"number": number}
                    path = _render(item["id"], values)
                    yield Write(item.get("method", "PUT"), path, _newest(path), self._marked(path, _render(item.get("body"), values)))

    def _marked(self, path: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """What is there before in the stamp's own group is the stamp's."""
        if not body or "location" not in body or not f"{path}/".startswith(f"{self._values['group']}/"):
            return body
        return body | {"tags": {"managed-by": "dualstack.aks", "dualstack-stamp": self._case.stamp}}


_RANGES = ("vnet", "pods", "services")
_templates = NativeEnvironment(undefined=StrictUndefined)


def _render(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {_render(name, values): _render(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [_render(item, values) for item in value]
    return _templates.from_string(value).render(values) if isinstance(value, str) and "{{" in value else value


def _newest(path: str) -> str:
    """The newest api-version that the lab has the types of."""
    resource_type = ids.parse(path).type
    return schema.versions(resource_type.partition("/")[0])[resource_type.lower()][-1]
