"""What a task returns and shows: diffs, with secrets masked.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from .comparison import Difference
from .outcomes import Outcome
from .posts import Post

#: A name that ends so is a secret's; others only speak of secrets: ``secretUri``, ``enableSecretRotation``, an add-on for secrets, with its interval.
_SECRET = re.compile(r"(secret|password|token)(s|value)?(\.|$)|^\.?properties\.value$", re.IGNORECASE)
MASK = "(secret)"


def masked(value: Any, path: str = "") -> Any:
    """``value`` with what its path says is secret hidden."""
    if isinstance(value, Mapping):
        return {name: masked(item, f"{path}.{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, path) for item in value]
    if isinstance(value, str) and _SECRET.search(path):
        return MASK
    return value


def shown(difference: Difference) -> dict[str, Any]:
    """A difference as the task returns it."""
    return {
        "path": difference.path,
        "before": masked(difference.before, difference.path),
        "after": masked(difference.after, difference.path),
    }


def diff_of(outcome: Outcome) -> dict[str, str]:
    """Ansible's diff of one resource: only what differs."""

    def side(which: str) -> str:
        lines = {}
        for difference in outcome.differences:
            value = getattr(difference, which)
            if difference.path == "" and isinstance(value, Mapping):
                lines.update(masked(dict(value)))
            elif value is not None:
                lines[difference.path] = masked(value, difference.path)
        return yaml.safe_dump(plain(lines), sort_keys=False, allow_unicode=True) if lines else ""

    return {
        "before_header": outcome.id if outcome.action != "create" else f"{outcome.id} (absent)",
        "after_header": outcome.id if outcome.action != "delete" else f"{outcome.id} (absent)",
        "before": side("before"),
        "after": side("after"),
    }


def diff_of_post(post: Post) -> dict[str, str]:
    """Ansible's diff of one POST: what is sent."""
    return {
        "before_header": f"{post.id} (as it is)",
        "after_header": f"POST {post.id}/{post.action}",
        "before": "",
        "after": yaml.safe_dump(plain(masked(post.body)), sort_keys=False, allow_unicode=True),
    }


def plain(value: Any) -> Any:
    """Ansible's tagged values as plain ones, which YAML can write."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, type(None))):
        return value
    return next((kind(value) for kind in (str, int, float) if isinstance(value, kind)), str(value))
