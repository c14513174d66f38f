"""What the callback ``stages`` prints: a stage from its start to its end, and what a task changed.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._resource_id import GUID

#: seconds without an answer after which a stage says whom it waits for; each further report takes twice as long, up to the second number
WAITING_SECONDS = (15, 120)
#: hosts that a line names; of more it tells the number
_NAMED_HOSTS = 4
#: what the engine and kubernetes.core call a change -> what was done, what check mode would do
_VERBS = {
    "create": ("created", "would create"),
    "update": ("updated", "would update"),
    "replace": ("updated", "would update"),
    "apply": ("applied", "would apply"),
    "delete": ("deleted", "would delete"),
}
#: Ansible puts the role before a task's name, and roles the file: ``dualstack.aks.dns : Publish | Write …``
_PREFIX = re.compile(r"^(?:[\w.]+ : )?(?:[A-Z][\w ]* \| )?")


def names_of(hosts: Iterable[str]) -> str:
    """Hosts as a line names them: ``a, b and 48 more``."""
    names = list(hosts)
    if len(names) > _NAMED_HOSTS:
        return f"{', '.join(names[: _NAMED_HOSTS - 1])} and {len(names) - _NAMED_HOSTS + 1} more"
    return ", ".join(names)


def work_of(task: str) -> str:
    """What a task does: its name without role and file."""
    return _PREFIX.sub("", task.strip())


@dataclass
class _Work:
    """What one host is at, since when by the clock and by :func:`time.monotonic`."""

    task: str
    clock: str
    began: float


@dataclass
class Stage:
    """A part of a play: its hosts, what they are at and how they ended. Moments are :func:`time.monotonic`'s."""

    name: str
    began: float
    running: dict[str, _Work] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    _report_at: float = 0
    _pause: float = WAITING_SECONDS[0]

    def start(self, host: str, task: str, clock: str, now: float) -> None:
        """A host begins a task. A new task is awaited from now on."""
        if not self.running:
            self._pause = WAITING_SECONDS[0]
            self._report_at = now + self._pause
        self.running[host] = _Work(work_of(task), clock, now)
        self.hosts.setdefault(host, "unchanged")

    def end(self, host: str, state: str = "") -> None:
        """A host's task has ended; ``state`` is ``changed`` or ``failed`` and outlives what comes later."""
        self.running.pop(host, None)
        if state and self.hosts.get(host) != "failed":
            self.hosts[host] = state

    def waiting(self, now: float) -> list[str]:
        """Whom the stage waits for, at what and since when, a line for each task; empty unless a report is due."""
        if not self.running or now < self._report_at:
            return []
        self._pause = min(self._pause * 2, WAITING_SECONDS[1])
        self._report_at = now + self._pause
        tasks: dict[str, list[str]] = {}
        for host, work in self.running.items():
            tasks.setdefault(work.task, []).append(host)
        oldest = {task: self.running[hosts[0]] for task, hosts in tasks.items()}
        return [
            f"waiting for {names_of(hosts)} since {oldest[task].clock} ({now - oldest[task].began:.0f} s): {task}" for task, hosts in tasks.items()
        ]

    def summary(self, now: float) -> str:
        """How the stage ended: seconds, and how many hosts have changed, failed or neither."""
        counts = {state: [host for host, found in self.hosts.items() if found == state] for state in ("changed", "failed", "unchanged")}
        parts = [f"{len(hosts)} {state}" for state, hosts in counts.items() if hosts]
        return f"{now - self.began:.1f} s, {', '.join(parts)}"


def changes_of(result: Mapping[str, Any], *, check: bool) -> list[str]:
    """The verb and the objects of each kind of change that a result names; empty for a result that names no objects."""
    changes: dict[str, list[str]] = {}
    for method, name in (*_azure(result), *_kubernetes(result)):
        verb = _VERBS.get(method, ("changed", "would change"))[check]
        changes.setdefault(verb, []).append(name)
    if registered := result.get("registered_providers"):
        changes["would register" if check else "registered"] = list(registered)
    if isinstance(sent := result.get("actions"), list) and sent:
        changes["would send" if check else "sent"] = list(map(str, sent))
    return [f"{verb} {', '.join(names)}" for verb, names in changes.items()]


def _azure(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Method and name of each resource that the engine wrote."""
    resources = result.get("resources")
    for handle, resource in (resources if isinstance(resources, Mapping) else {}).items():
        if isinstance(resource, Mapping) and resource.get("action", "none") != "none":
            yield str(resource["action"]), _named(str(resource["id"]), str(handle))


def _named(identifier: str, handle: str) -> str:
    """Type and name of a resource, with the names of its parents; what has a UUID for a name is called by its handle."""
    _unused, provider, path = identifier.rpartition("/providers/")
    segments = path.split("/")[1:] if provider else identifier.split("/")[-2:]
    name = "/".join(segments[1::2])
    if GUID.fullmatch(segments[-1]):
        # The key of a handle may be an id, as in network_access[/subscriptions/…/subnets/nodes]: its end is enough.
        name = re.sub(r"\[.*/", "[", handle)
    return f"{segments[-2]} {name}"


def entries_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What kubernetes.core tells of each object: a result of its own, or several in one."""
    inner = result.get("result")
    several = inner.get("results") if isinstance(inner, Mapping) else None
    return [entry for entry in (several if isinstance(several, list) else [result]) if isinstance(entry, Mapping)]


def _kubernetes(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Method and name of each Kubernetes object that has changed."""
    for entry in entries_of(result):
        found = entry.get("result")
        if not entry.get("changed"):
            continue
        # What selectors have found and is deleted is a list.
        for item in found if isinstance(found, list) else [found]:
            if kind_and_name := _kind_and_name(item):
                yield str(entry.get("method", "")), kind_and_name


def _kind_and_name(item: Any) -> str:
    """Of an object, or of the status that Kubernetes returns of most that it deletes; empty without."""
    if not isinstance(item, Mapping):
        return ""
    named = item.get("details") or {} if item.get("kind") == "Status" else {**(item.get("metadata") or {}), "kind": item.get("kind")}
    return f"{named['kind']} {named['name']}" if named.get("kind") and named.get("name") else ""


def text_of(message: Any) -> str:
    """A message as people read it: a list is a line each, never Python."""
    if isinstance(message, (list, tuple)):
        return "\n".join(map(text_of, message))
    return str(message).rstrip()


def block(text: str) -> str:
    """A text below a line's beginning."""
    return "".join(f"\n  {line}".rstrip(" ") for line in text.splitlines())


def beside(text: str) -> str:
    """A text after a line's beginning: on the same line, or below it when it has several lines."""
    return block(text) if "\n" in text else f" {text}"
