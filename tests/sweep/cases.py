"""Which fault meets which request, and what must be true afterwards."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import TypeFacts
from lab.arm.faults import Fault

from .ground import Ground, killed_at
from .recording import Task

#: what can happen to any request
_ANY = (
    "throttled",
    "throttled-without-time",
    "internal-error",
    "bad-gateway",
    "unavailable",
    "token-expired",
    "reset-before",
    "reset-after",
    "hangs",
    "truncated",
    "not-json",
)
_WRITES = ("busy", "locked", "stale")
_OPERATIONS = ("operation-fails", "operation-is-canceled", "operation-never-ends", "operation-is-lost")
_KILLS = ("killed-before", "killed-after")
_CAPACITY = ("Microsoft.ContainerService/managedClusters", "Microsoft.ContainerService/managedClusters/agentPools")
_ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
#: the read that does not see a write is not alone
_STALE_READS = 2


@dataclass(frozen=True)
class Case:
    """One fault at one request of one task."""

    task: str
    kind: str
    method: str = ""
    path: str = "*"
    at: int = 1

    def __str__(self) -> str:
        return f"{self.task}: {self.kind} at request {self.at} of {self.method or 'any'} {self.path}"

    @property
    def fault(self) -> Fault | None:
        if self.kind in _KILLS:
            return None
        return Fault(self.kind, self.method, self.path, "dualstack.aks/*", self.at, _STALE_READS if self.kind == "stale" else 1)


@dataclass
class Verdict:
    """What came of a case; ``complaint`` is empty when all is right."""

    case: Case
    met: bool = True
    #: the run that the fault met ended right by itself
    at_once: bool = False
    complaint: str = ""


@dataclass
class Undisturbed:
    """A task without faults: what it asked, and what is stored then."""

    task: Task
    entries: list[dict[str, Any]]
    end: dict[str, Any]


def undisturbed(ground: Ground, task: Task) -> Undisturbed:
    """Run a task as it is. Raises ``AssertionError`` when that alone goes wrong."""
    ground.begin(task.store)
    ground.entries()
    result = ground.run(task)
    assert result.done, result.printed
    end = ground.settled()
    return Undisturbed(task, ground.entries(), end)


def counted_requests(entries: Sequence[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """(method, pattern of the path) -> how many there are; the names of operations are drawn, so that a pattern stands for them."""
    counted: dict[tuple[str, str], int] = {}
    for entry in entries:
        path = re.sub(r"/(operations|operationresults)/[^/]+$", r"/\1/*", str(entry["path"]), flags=re.IGNORECASE)
        place = (str(entry["method"]), path)
        counted[place] = counted.get(place, 0) + 1
    return counted


def with_operations(entries: Sequence[dict[str, Any]]) -> set[str]:
    """The paths, in lower case, that were written with an operation that went on after the answer."""
    return {str(entry["path"]).lower() for entry in entries if entry["method"] == "PUT" and entry.get("operation")}


def kinds_at(method: str, facts: TypeFacts | None, *, operation: bool, tagged: bool) -> list[str]:
    """The faults that a request can meet: ``facts`` of the type that is written, whether the write begins an operation and carries our tags."""
    kinds = list(_ANY)
    if method != "PUT" or facts is None:
        return kinds
    kinds += _WRITES
    if facts.if_match:
        kinds.append("changed-meanwhile")
    if facts.name == _ROLE_ASSIGNMENTS:
        kinds.append("principal-unknown")
    if tagged:
        kinds.append("policy")
    if operation:
        kinds += _OPERATIONS
        if facts.name in _CAPACITY:
            kinds.append("no-capacity")
    return kinds


def cases(name: str, of: Undisturbed) -> Iterator[Case]:
    """Each fault at each request where it can occur."""
    resources = {resource.id.lower(): resource for resource in of.task.resources.values()}
    # a policy's change of a tag that this task does not declare is for another task to find
    tagged = {path for path, resource in resources.items() if "managed-by" in (resource.body.get("tags") or {})}
    operations = with_operations(of.entries)
    for (method, path), count in counted_requests(of.entries).items():
        written = resources[path.lower()].facts if method == "PUT" else None
        kinds = kinds_at(method, written, operation=path.lower() in operations, tagged=path.lower() in tagged)
        for at in range(1, count + 1):
            yield from (Case(name, kind, method, path, at) for kind in kinds)
    for number in range(1, len(of.entries) + 1):
        yield from (Case(name, kind, at=number) for kind in _KILLS)


def try_case(ground: Ground, case: Case, of: Undisturbed) -> Verdict:
    """Let it happen, then run once more: everything must be as without it."""
    verdict = Verdict(case)
    ground.begin(of.task.store, case.fault)
    if case.kind in _KILLS:
        first = ground.run(of.task, watch=killed_at(case.at, after=case.kind == "killed-after"))
        verdict.met = first.killed
    else:
        first = ground.run(of.task)
        verdict.met = ground.struck
    if not verdict.met:
        return verdict
    complaints = [f"secret printed: {text}" for text in ground.secrets_in(first)]
    ground.end_of_faults()
    left = differences(of.end, ground.settled())
    verdict.at_once = first.done and not left
    # What nobody waits for may fail afterwards; the next run finds it.
    if first.done and left and of.task.wait:
        complaints.append(f"the run said that all is well, and {left}")
    again = ground.run(of.task)
    if again.failures:
        complaints.append(f"the next run failed: {again.printed}; the first one said {first.printed}")
    left = differences(of.end, ground.settled())
    if left:
        complaints.append(f"after the next run {left}; the first one said {first.printed}")
    elif ground.run(of.task, check=True).changed:
        complaints.append("a third run would still change something")
    verdict.complaint = "; ".join(complaints)
    return verdict


def differences(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """What is lost, too much or other, in words; empty when nothing is."""
    told = [f"{key} is lost" for key in expected.keys() - found.keys()]
    told += [f"{key} is too much" for key in found.keys() - expected.keys()]
    for key in expected.keys() & found.keys():
        wanted, is_now = dict(_leaves(expected[key])), dict(_leaves(found[key]))
        changed = [name for name in sorted(wanted.keys() | is_now.keys()) if wanted.get(name) != is_now.get(name)]
        told += [f"{key}{name} is {is_now.get(name)!r}, not {wanted.get(name)!r}" for name in changed]
    return ", ".join(sorted(told))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def sample(everything: Sequence[Case], number: int, seed: int) -> list[Case]:
    """Some cases, each kind among them, the same ones for the same seed."""
    order = list(everything)
    random.Random(seed).shuffle(order)
    by_kind: dict[str, Case] = {}
    for case in order:
        by_kind.setdefault(case.kind, case)
    rest = [case for case in order if by_kind[case.kind] is not case]
    return [*by_kind.values(), *rest][:number]
