"""What IPv4 clients of a stamp depend on, in a form that compares two moments.

This file is private to the collection.

IPv4 is untouched when its frontends, rules, probes, pools, addresses, A records, and the spec and labels of its Kubernetes objects are equal
before and after; what the services write into them by themselves (etags, provisioning states, resource versions, status, counts of an
autoscaler) does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._azure.frontend_state import frontend_state
from ._kubernetes.object_state import object_state


def ipv4_state(resources: Mapping[str, Mapping[str, Any]], objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Dotted name -> value of all that counts.

    ``resources`` are answers of ``azure_resources_info``: ``load_balancer``, ``address``, and records whose names end in ``_a``;
    ``objects`` are Kubernetes objects of any kinds.
    """
    return frontend_state(resources) | object_state(objects)


def state_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """One line for each difference between two results of :func:`ipv4_state`; empty when they are equal."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            lines.append(f"{name} was removed; it was {before[name]!r}")
        elif name not in before:
            lines.append(f"{name} is new: {after[name]!r}")
        elif before[name] != after[name]:
            lines.append(f"{name} was {before[name]!r} and is {after[name]!r}")
    return lines
