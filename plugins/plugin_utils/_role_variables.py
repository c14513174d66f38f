"""The roles' variables as their argument specifications type them.

This file is private to the collection.

``-e`` and INI inventories give text: ``aks_monitoring=false`` is the text ``false``, which every condition takes for true. Extra vars outrank all
that a role could set under the same name, so the collection's own actions and its lookup ``role_variable`` render with :func:`typed_variables`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.template import trust_as_template

from ._typed import Option, typed

RESOURCE_ID = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+(/[^/]+/[^/]+)+", re.IGNORECASE)
_ROLES = Path(__file__).parents[2] / "roles"


def options_of(role: str, entry_point: str) -> dict[str, Option]:
    """The options of an entry point of a role."""
    options: dict[str, Option] = _specifications()[role][entry_point]["options"]
    return options


@functools.cache
def specified() -> dict[str, Option]:
    """Every option of every entry point of every role."""
    return {name: option for role in _specifications().values() for entry_point in role.values() for name, option in entry_point["options"].items()}


def load_specifications() -> None:
    """Read all roles' specifications and defaults, for the workers to come."""
    specified()
    _defaults()


@functools.cache
def _specifications() -> dict[str, dict[str, Any]]:
    return {role: document["argument_specs"] for role, document in _documents("meta/argument_specs.yml").items()}


@functools.cache
def _defaults() -> dict[str, Any]:
    return {name: value for document in _documents("defaults/main.yml").values() for name, value in document.items()}


def _documents(path: str) -> dict[str, Any]:
    """A file of each role."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {found.parts[-3]: yaml.load(found.read_text(encoding="utf-8"), Loader=loader) for found in sorted(_ROLES.glob(f"*/{path}"))}


def typed_value(name: str, value: Any) -> Any:
    """The value of a variable as its role specifies it. Raises :class:`ValueError` for one that does not fit, or that no role specifies."""
    if name not in specified():
        raise ValueError(f"No role has a variable {name!r}.")
    found, misfits = typed(name, value, specified()[name])
    if misfits:
        raise ValueError("; ".join(map(str, misfits)))
    return found


def typed_variables(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a task with each option of a role as its specification types it.

    Every option is converted where it is mentioned, by the filter ``typed``: what nobody mentions may be impossible to render.
    """
    result = dict(variables)
    for name, option in specified().items():
        given = f"__given_{name}"
        if name in variables and given not in variables and not _has_its_type(variables[name], option, _defaults().get(name)):
            result |= {given: variables[name], name: trust_as_template(f"{{{{ {given} | dualstack.aks.typed('{name}') }}}}")}
    return result


def is_users(name: str, option: Option, value: Any) -> bool:
    """Whether a value is not the role's default and may need another type; a register, whose keys are free, is what it is."""
    default = _defaults().get(name)
    return value != default and not _has_its_type(value, option, default) and (option.get("type") != "dict" or "options" in option)


def names_resource(name: str) -> bool:
    """Whether a variable holds the id of a resource."""
    return name.endswith("_id") and not name.endswith(("_subscription_id", "_client_id"))


def default_of(name: str) -> Any:
    """A role's default, as a template."""
    default = _defaults().get(name)
    return trust_as_template(default) if isinstance(default, str) else default


def _has_its_type(value: Any, option: Option, default: Any) -> bool:
    """Whether it is plain before it is rendered that a value has its option's type: each conversion is a template more."""
    kind = option.get("type", "str")
    if kind in ("str", "path") and "choices" not in option:
        return isinstance(value, str) and (value == default or "{{" not in value)
    if kind in ("bool", "int"):
        # In Python a bool is an int too.
        return isinstance(value, int) and isinstance(value, bool) == (kind == "bool")
    return kind == "raw" or (isinstance(value, (list, dict)) and bool(value == default)) or value in option.get("choices", ())
