"""Values as people type them: what a text means where something else is wanted.

This file is private to the collection.

Options have the shape of Ansible's argument specifications, and types are converted by Ansible's own checks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_float, check_type_int, check_type_list

#: an option as an argument specification describes it
type Option = Mapping[str, Any]

#: a type of a specification, as a message says it
_WORDS = {"bool": "true or false", "int": "a whole number", "float": "a number", "list": "a list", "dict": "a mapping"}
#: what nothing means, as YAML's null, where it means something
_EMPTY: dict[str, Any] = {"str": "", "path": "", "list": [], "dict": {}}


@dataclass(frozen=True)
class Misfit:
    """A value that its option does not take: ``path`` is the variable with the keys that lead to the value."""

    path: str
    value: Any
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def typed(path: str, value: Any, option: Option) -> tuple[Any, list[Misfit]]:
    """A value as its option means it, and what does not fit, which stays as it is."""
    misfits: list[Misfit] = []
    if value is None and "choices" not in option:
        value = _EMPTY.get(option.get("type", "str"))
    return _typed(path, value, option, misfits), misfits


def _typed(path: str, value: Any, option: Option, misfits: list[Misfit]) -> Any:
    kind = option.get("type", "str")
    try:
        found = _CONVERTERS[kind](value)
    except (TypeError, ValueError, OverflowError):
        misfits.append(Misfit(path, value, f"{shown(value)} is not {_WORDS.get(kind, 'a text')}"))
        return value
    if kind == "list":
        element = {"type": option.get("elements", "raw"), **{key: option[key] for key in ("choices", "options") if key in option}}
        return [_typed(f"{path}[{index}]", item, element, misfits) for index, item in enumerate(found)]
    if "options" in option:
        return _with_keys(path, found, option["options"], misfits)
    return _chosen(path, found, option, misfits)


def _with_keys(path: str, value: Mapping[str, Any], options: Mapping[str, Option], misfits: list[Misfit]) -> dict[str, Any]:
    if missing := [name for name, option in options.items() if option.get("required") and value.get(name) in (None, "")]:
        misfits.append(Misfit(path, value, f"it requires {' and '.join(missing)}"))
    misfits += [Misfit(f"{path}.{name}", value[name], f"unknown key, known are {', '.join(options)}") for name in value if name not in options]
    # A key without a value is left out.
    given = {name: item for name, item in value.items() if item is not None}
    return {name: _typed(f"{path}.{name}", item, options[name], misfits) if name in options else item for name, item in given.items()}


def _chosen(path: str, value: Any, option: Option, misfits: list[Misfit]) -> Any:
    """The choice that a text means in any case, as Azure compares its own values."""
    if "choices" not in option:
        return value
    for choice in option["choices"]:
        if str(choice).lower() == str(value).lower():
            return choice
    misfits.append(Misfit(path, value, f"{shown(value)} is not one of {', '.join(map(str, option['choices']))}"))
    return value


def _text(value: Any) -> str:
    if value is None or isinstance(value, (bool, Mapping, list, tuple)):
        raise TypeError
    return value if isinstance(value, str) else str(value)


def _number(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool):
            raise TypeError
        return check(value)

    return convert


def _list(value: Any) -> Any:
    """A list, also from JSON, from text with commas, and from a single value."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            return check_type_list(json.loads(value))
        return [item.strip() for item in value.split(",")] if value.strip() else []
    return check_type_list(list(value) if isinstance(value, tuple) else value)


def _mapping(value: Any) -> Any:
    return value if isinstance(value, Mapping) else check_type_dict(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "bool": check_type_bool,
    "int": _number(check_type_int),
    "float": _number(check_type_float),
    "list": _list,
    "dict": _mapping,
    "str": _text,
    "path": _text,
    "raw": lambda value: value,
}


def shown(value: Any) -> str:
    """A value as a message quotes it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    # Ansible's own kind of text has a representation of its own.
    return repr(str(value)) if isinstance(value, str) else str(value)
