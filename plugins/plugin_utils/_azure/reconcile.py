"""Bring Azure to what is declared, resource by resource, in parallel where nothing depends on the other.

This file is private to the collection.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import graphlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .client import PROGRESS_SECONDS, TERMINAL, UNFINISHED, ArmClient, ArmFailure, StatusUnknown, TimedOut, body_of, failure_of, state_of
from .comparison import UNKNOWN, Comparison, Difference
from .graph import Resource, resolve
from .types import version_of

#: Azure is busy with the resource, its parent or what it depends on: the write is repeated until the timeout.
_BUSY = {
    "AnotherOperationInProgress",
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    "OperationPreempted",
    "ReferencedResourceNotProvisioned",
    "ResourceGroupBeingDeleted",
    "RetryableError",
}
_BUSY_WORDS = ("in progress", "is being", "provisioning state is")
#: seconds that a new principal may take to be known everywhere (learn.microsoft.com/azure/role-based-access-control/troubleshooting)
_PRINCIPAL_SECONDS = 180
#: seconds that reads may take to see a write (learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found)
_STALE_SECONDS = 60
_ROLE_ASSIGNMENT = "microsoft.authorization/roleassignments"
MANAGED_BY = ("managed-by", "dualstack.aks")
STAMP_TAG = "dualstack-stamp"

_REMEDIES = {
    "AuthorizationFailed": "grant the credentials the role that the message names, on the scope it names",
    "ExpiredAuthenticationToken": "run again: each task gets a token of its own; if it comes back, check this machine's clock",
    "InvalidAuthenticationToken": "check tenant, client id and secret",
    "InvalidResponse": "look for a proxy that answers in Azure's place; then run again",
    "LinkedAuthorizationFailed": "grant the credentials access to the linked resource too",
    "MissingSubscriptionRegistration": "register the provider (az provider register), or set network_register_providers: true",
    "QuotaExceeded": "ask for more quota, or use smaller or fewer nodes",
    "ResourceGroupNotFound": "run the role network, or name an existing resource group",
    "ResourceNotFound": "check the id",
    "ScopeLocked": "remove the lock that the message names, or leave the resource as it is; locks are never removed for you",
    "SubscriptionNotFound": "check dualstack_subscription_id and that the credentials may see it",
}


@dataclass
class Outcome:
    """What happened to one resource."""

    id: str
    action: str
    differences: list[Difference] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)
    running: bool = False
    #: seconds since the start of the run: began, ended
    began: float = 0
    ended: float = 0


@dataclass
class Failure:
    """Why one resource is not what was declared."""

    handle: str
    id: str
    code: str
    message: str
    remedy: str
    correlation: str = ""

    def __str__(self) -> str:
        trace = f" (correlation id {self.correlation})" if self.correlation else ""
        return f"{self.handle} ({self.id}): {self.code}: {self.message}{trace} Remedy: {self.remedy}."


class NotConverged(Exception):
    """Azure answered a write with something else than what was declared."""


class Refused(Exception):
    """The engine will not do this; (code, message, remedy)."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code, self.message, self.remedy = code, message, remedy


@dataclass
class Options:
    check: bool = False
    wait: bool = True
    timeout: float = 3600
    parallelism: int = 8
    stamp: str = ""
    #: told about what is awaited
    progress: Callable[[str], None] = lambda _: None


class Reconciler:
    """One run over a set of resources."""

    def __init__(self, client: ArmClient, resources: Mapping[str, Resource], options: Options) -> None:
        self._client, self._resources, self._options = client, resources, options
        self.outcomes: dict[str, Outcome] = {}
        self.failures: dict[str, Failure] = {}
        self._serial: dict[str, threading.Lock] = {resource.parent: threading.Lock() for resource in resources.values()}
        self._started = time.monotonic()
        self._locks: list[dict[str, Any]] = []
        #: what the first look at each resource found, so that it need not be read twice
        self._first_look: dict[str, dict[str, Any] | None] = {}

    def run(self) -> None:
        """Reconcile everything; ``outcomes`` and ``failures`` say what came of it. What does not depend on a failure is still done."""
        present = {handle: found for handle, found in self._resources.items() if not found.absent}
        absent = {handle: found for handle, found in self._resources.items() if found.absent}
        self._refuse_immutable(present)
        if self.failures:
            return
        self._run_graph(present, {handle: found.needs & present.keys() for handle, found in present.items()}, self._converge)
        if absent:
            self._read_locks(absent)
            users: dict[str, set[str]] = {handle: set() for handle in absent}
            for handle, found in absent.items():
                for needed in found.needs & absent.keys():
                    users[needed].add(handle)
            self._run_graph(absent, users, self._remove)

    def _run_graph(self, resources: Mapping[str, Resource], after: Mapping[str, set[str]], work: Callable[[Resource], Outcome]) -> None:
        sorter = graphlib.TopologicalSorter(after)
        sorter.prepare()
        with concurrent.futures.ThreadPoolExecutor(self._options.parallelism) as pool:
            running: dict[concurrent.futures.Future[Outcome], str] = {}
            while sorter.is_active():
                for handle in sorter.get_ready():
                    broken = sorted(needed for needed in after[handle] if needed in self.failures)
                    if broken:
                        self.failures[handle] = Failure(
                            handle, resources[handle].id, "DependencyFailed", f"not done, since {', '.join(broken)} failed.", f"repair {broken[0]}"
                        )
                        sorter.done(handle)
                    else:
                        running[pool.submit(self._timed, resources[handle], work)] = handle
                if not running:
                    continue
                finished, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in finished:
                    handle = running.pop(future)
                    try:
                        self.outcomes[handle] = future.result()
                    except (ArmFailure, NotConverged, Refused, TimedOut) as error:
                        self.failures[handle] = self._failure(resources[handle], error)
                    sorter.done(handle)

    def _timed(self, resource: Resource, work: Callable[[Resource], Outcome]) -> Outcome:
        began = time.monotonic() - self._started
        outcome = work(resource)
        outcome.began, outcome.ended = round(began, 3), round(time.monotonic() - self._started, 3)
        return outcome

    def _failure(self, resource: Resource, error: Exception) -> Failure:
        if isinstance(error, ArmFailure):
            return Failure(resource.handle, resource.id, error.code, error.message, remedy_for(error), error.correlation)
        if isinstance(error, Refused):
            return Failure(resource.handle, resource.id, error.code, error.message, error.remedy)
        if isinstance(error, TimedOut):
            message = f"Azure was still working on it after {self._options.timeout:.0f} s."
            return Failure(resource.handle, resource.id, "TimedOut", message, "run again: the operation under way is joined; or raise timeout")
        return Failure(
            resource.handle, resource.id, "NotConverged", str(error), "look for an Azure policy that changes these paths, or declare what it wants"
        )

    # Present

    def _refuse_immutable(self, resources: Mapping[str, Resource]) -> None:
        """Before any write: nothing may be declared that Azure cannot change. Reads the types that have such properties once."""
        candidates = [found for found in resources.values() if not found.existing]
        with concurrent.futures.ThreadPoolExecutor(self._options.parallelism) as pool:
            for resource, failure in zip(candidates, pool.map(self._immutable_failure, candidates), strict=True):
                if failure:
                    self.failures[resource.handle] = failure

    def _immutable_failure(self, resource: Resource) -> Failure | None:
        try:
            live = self._client.get(resource.id, resource.facts.api_version)
        except ArmFailure as error:
            return self._failure(resource, error)
        self._first_look[resource.handle] = live
        if live is None or resource.facts.name.lower() == _ROLE_ASSIGNMENT:
            return None
        body = resolve(resource.body, self._static)
        changes = [
            found
            for found in self._comparison(resource).differences(body, live)
            if resource.facts.immutable.covers(_pattern(found.path)) and found.after != UNKNOWN and UNKNOWN not in str(found.after)
        ]
        if not changes:
            return None
        told = "; ".join(f"{found.path}: {found.before!r} cannot become {found.after!r}" for found in changes)
        return Failure(
            resource.handle,
            resource.id,
            "ImmutableProperty",
            f"fixed at creation: {told}. Nothing was written.",
            "declare what is there, or make a new resource under another name and retire this one",
        )

    def _static(self, handle: str, path: str) -> Any:
        """References before anything was done: ids are known, the rest is not."""
        return self._resources[handle].id if path == "id" else UNKNOWN

    def _comparison(self, resource: Resource) -> Comparison:
        return Comparison(resource.facts, shared=resource.shared, create_only=resource.create_only, list_keys=resource.list_keys)

    def _look_up(self, handle: str, path: str) -> Any:
        """``${handle.path}`` from the answer that Azure gave for the handle."""
        if path == "id":
            return self._resources[handle].id
        value: Any = self.outcomes[handle].body
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
        if self._options.check or self.outcomes[handle].running:
            return UNKNOWN
        raise Refused("MissingValue", f"${{{handle}.{path}}} has no value in Azure's answer.", "check the path")

    def _converge(self, resource: Resource) -> Outcome:
        live = self._current(resource)
        if resource.existing:
            if live is None and self._options.check:
                # An earlier step of the run makes it; nothing of it is known yet.
                return Outcome(resource.id, "none")
            if live is None:
                raise Refused("ExistingResourceNotFound", "it is declared as existing, and is not there.", "make it, or correct its id")
            if state_of(live).lower() in UNFINISHED:
                raise Refused("ExistingResourceFailed", f"its provisioning failed{failure_of(live)}.", "put it again: run what makes it")
            return Outcome(resource.id, "none", body=live)
        declared = resolve(resource.body, self._look_up)
        comparison = self._comparison(resource)
        if live is None:
            differences = [Difference("", None, comparison.body(declared, None))]
        else:
            differences = comparison.differences(declared, live)
            if state_of(live).lower() in UNFINISHED:
                differences.append(Difference("properties.provisioningState", state_of(live), "Succeeded"))
        if not differences:
            return Outcome(resource.id, "none", body=live or {})
        action = "create" if live is None else "update"
        if self._options.check:
            return Outcome(resource.id, action, differences, {"id": resource.id, **(live or declared)})
        if live is not None and resource.facts.name.lower() == _ROLE_ASSIGNMENT:
            # The identity was recreated: its assignment speaks of a principal that is gone, and Azure cannot change it.
            self._client.delete(resource.id, resource.facts.api_version)
            live = None
        return self._write(resource, declared, comparison, live, Outcome(resource.id, action, differences))

    def _current(self, resource: Resource) -> dict[str, Any] | None:
        """The live resource, when nothing is changing it any more."""
        if resource.handle in self._first_look:
            live = self._first_look.pop(resource.handle)
        else:
            live = self._client.get(resource.id, resource.facts.api_version)
        if live is not None and state_of(live).lower() not in TERMINAL and self._awaited(resource) and not self._options.check:
            live = self._client.settle(
                resource.id, resource.facts.api_version, live, self._options.timeout, self._say(resource, "an operation under way on")
            )
        return live

    def _awaited(self, resource: Resource) -> bool:
        """Without ``wait`` only what others in this run need is waited for."""
        return self._options.wait or any(resource.handle in other.needs for other in self._resources.values())

    def _say(self, resource: Resource, what: str) -> Callable[[float], None]:
        return lambda seconds: self._options.progress(
            f"{what} {resource.handle} ({resource.id.rsplit('/', 2)[-2]} {resource.id.rsplit('/', 1)[-1]}): {seconds:.0f} s"
        )

    def _write(self, resource: Resource, declared: dict[str, Any], comparison: Comparison, live: dict[str, Any] | None, outcome: Outcome) -> Outcome:
        version = resource.facts.api_version
        if live is not None and not resource.facts.if_match:
            # The service compares no etag: what is written must rest on what was there a moment ago.
            live = self._client.get(resource.id, version)
        answer, read = self._put(resource, declared, comparison, live)
        if not self._awaited(resource):
            outcome.body, outcome.running = {"id": resource.id, **declared}, True
            return outcome
        if not resource.facts.serial:
            read = self._await(resource, answer)
        after = self._read_back(resource, declared, comparison, written=_resource_in(body_of(answer), resource), read=read)
        left = comparison.differences(declared, after)
        if left:
            told = "; ".join(f"{found.path} is {found.before!r}, declared {found.after!r}" for found in left)
            raise NotConverged(f"Azure accepted the write and kept other values: {told}.")
        outcome.body = after
        return outcome

    def _await(self, resource: Resource, answer: Any, what: str = "waiting for") -> dict[str, Any] | None:
        """Wait for what a write or a deletion began; the resource, if it was read at the end.

        Where the status cannot be read the resource itself is asked afterwards.
        """
        with contextlib.suppress(StatusUnknown):
            return _resource_in(self._client.wait(answer, self._options.timeout, self._say(resource, what)), resource)
        return None

    def _read_back(
        self,
        resource: Resource,
        declared: dict[str, Any],
        comparison: Comparison,
        *,
        written: dict[str, Any] | None,
        read: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """The resource after a write: as ``read`` already, or asked for.

        Reads may lag behind, unless ``written``, the answer to the write, already said otherwise.
        """
        version, deadline, pause = resource.facts.api_version, time.monotonic() + _STALE_SECONDS, 0.2
        refused = written is not None and bool(comparison.differences(declared, written))
        while True:
            after, read = read or self._client.get(resource.id, version), None
            if after is not None and state_of(after).lower() not in TERMINAL:
                after = self._client.settle(resource.id, version, after, self._options.timeout, self._say(resource, "waiting for"))
            if after is not None and state_of(after).lower() in UNFINISHED:
                raise ArmFailure(0, f"Provisioning{state_of(after)}", f"its provisioning ended as {state_of(after)}{failure_of(after)}.")
            late = time.monotonic() > deadline
            if after is not None and (refused or late or not comparison.differences(declared, after)):
                return after
            if late:
                raise NotConverged("the resource was gone right after it was written.")
            time.sleep(pause)
            pause = min(pause * 2, 10)

    def _put(
        self, resource: Resource, declared: dict[str, Any], comparison: Comparison, live: dict[str, Any] | None
    ) -> tuple[Any, dict[str, Any] | None]:
        """One PUT, repeated while Azure is busy, and decided again when somebody else wrote in between (412).

        The answer. For a serial type what it began has ended too: with it the resource, if it was read then.
        """
        version, deadline = resource.facts.api_version, time.monotonic() + self._options.timeout
        principal_deadline = time.monotonic() + _PRINCIPAL_SECONDS
        told = time.monotonic()
        pause = 0.1
        while True:
            etag = _etag(live or {}) if resource.facts.if_match else ""
            try:
                if not resource.facts.serial:
                    return self._client.put(resource.id, version, comparison.body(declared, live), etag), None
                with self._serial[resource.parent]:
                    answer = self._client.put(resource.id, version, comparison.body(declared, live), etag)
                    return answer, self._await(resource, answer)
            except ArmFailure as error:
                now = time.monotonic()
                unknown_principal = error.code == "PrincipalNotFound" and now < principal_deadline
                if not (is_busy(error) or error.status == 412 or unknown_principal) or now > deadline:
                    raise
                if now - told >= PROGRESS_SECONDS:
                    told = now
                    self._options.progress(f"{resource.handle} waits: {error.code}")
            time.sleep(pause + random.uniform(0, pause))
            pause = min(pause * 2, 10)
            live = self._client.get(resource.id, version)

    # Absent

    def _read_locks(self, resources: Mapping[str, Resource]) -> None:
        """Locks are listed before anything is deleted: a locked resource is reported, and what it needs is left alone."""
        scopes = {"/".join(found.id.split("/")[:3]) for found in resources.values()}
        for scope in scopes:
            locks = f"{scope}/providers/Microsoft.Authorization/locks"
            self._locks += (self._client.get(locks, version_of(locks)) or {}).get("value") or []

    def _remove(self, resource: Resource) -> Outcome:
        version = resource.facts.api_version
        live = self._client.get(resource.id, version)
        if live is None or resource.keep_when_absent or resource.existing:
            return Outcome(resource.id, "none", body=live or {})
        self._check_ours(resource, live)
        for lock in self._locks:
            scope = str(lock["id"]).lower().rpartition("/providers/microsoft.authorization/locks/")[0]
            if resource.id.lower() == scope or resource.id.lower().startswith(scope + "/"):
                raise Refused("ScopeLocked", f"the lock {lock['id']} stands on it.", _REMEDIES["ScopeLocked"])
        self._check_empty(resource)
        outcome = Outcome(resource.id, "delete", [Difference("", live, None)])
        if self._options.check:
            return outcome

        def delete() -> None:
            answer = self._client.delete(resource.id, version)
            if self._options.wait:
                self._await(resource, answer, "waiting for the deletion of")
                self._await_gone(resource)

        while_busy(delete, self._options.timeout)
        return outcome

    def _await_gone(self, resource: Resource) -> None:
        """An accepted deletion is not one that was done."""
        deadline, pause = time.monotonic() + _STALE_SECONDS, 0.2
        while (left := self._client.get(resource.id, resource.facts.api_version)) is not None:
            if state_of(left).lower() in UNFINISHED or time.monotonic() > deadline:
                raise ArmFailure(0, "DeletionFailed", f"it is still there, as {state_of(left)}{failure_of(left)}.")
            time.sleep(pause)
            pause = min(pause * 2, 10)

    def _check_empty(self, resource: Resource) -> None:
        """What Azure would take along with the resource is looked at first: it goes only when nothing is left that this run does not know."""
        if self._options.check:
            # What goes before it is still there.
            return
        collections = ["resources"] if resource.facts.name == "Microsoft.Resources/resourceGroups" else resource.facts.children
        left = [
            found
            for collection in collections
            for found in (self._client.get(f"{resource.id}/{collection}", resource.facts.api_version) or {}).get("value") or []
            if not _is_azures_own(found)
        ]
        if left:
            names = ", ".join(sorted(f"{found.get('type', '')} {found['name']}".strip() for found in left))
            raise Refused("NotEmpty", f"it holds what this run did not make: {names}.", "move or delete these yourself, then run again")

    def _check_ours(self, resource: Resource, live: dict[str, Any]) -> None:
        """Only what carries our mark goes; what cannot carry tags follows its parent."""
        if resource.facts.no_tags:
            return
        tags = {name.lower(): value for name, value in (live.get("tags") or {}).items()}
        stamp_fits = not self._options.stamp or tags.get(STAMP_TAG) == self._options.stamp
        if tags.get(MANAGED_BY[0]) != MANAGED_BY[1] or not stamp_fits:
            raise Refused(
                "NotOurs",
                f"it does not carry the tags {MANAGED_BY[0]}={MANAGED_BY[1]} and {STAMP_TAG}={self._options.stamp or '<stamp>'}.",
                "delete it yourself if it is to go; it was made or taken over by someone else",
            )

    @property
    def critical_path(self) -> float:
        """Seconds of the longest chain of resources that waited for each other."""
        longest: dict[str, float] = {}

        def length(handle: str) -> float:
            if handle not in longest:
                outcome = self.outcomes.get(handle)
                own = outcome.ended - outcome.began if outcome else 0
                longest[handle] = own + max((length(needed) for needed in self._resources[handle].needs), default=0)
            return longest[handle]

        return round(max(map(length, self._resources), default=0), 3)


def _resource_in(body: dict[str, Any] | None, resource: Resource) -> dict[str, Any] | None:
    """The body of an answer where it is the resource's: it may be an operation's, which has an id too."""
    return body if body and str(body.get("id", "")).lower() == resource.id.lower() else None


def _etag(body: dict[str, Any]) -> str:
    """Network calls it etag, AKS eTag, and AKS' pools hide it among the properties."""
    return str(body.get("etag") or body.get("eTag") or (body.get("properties") or {}).get("eTag") or "")


def _is_azures_own(record: dict[str, Any]) -> bool:
    """The records at the top of a zone that come and go with it (learn.microsoft.com/azure/dns/dns-zones-records)."""
    return record.get("name") == "@" and str(record.get("type", "")).rpartition("/")[2].upper() in ("SOA", "NS")


def while_busy(attempt: Callable[[], None], timeout: float) -> None:
    """Repeat ``attempt`` until Azure is not busy any more. Raises the last :class:`~.client.ArmFailure` after ``timeout`` seconds."""
    deadline, pause = time.monotonic() + timeout, 0.1
    while True:
        try:
            return attempt()
        except ArmFailure as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 10)


def remedy_for(error: ArmFailure) -> str:
    """What a user can do about an error of Azure's."""
    return _REMEDIES.get(error.code, "see Azure's message")


def is_busy(error: ArmFailure) -> bool:
    """Whether Azure asks to come again later."""
    return error.status == 409 and (error.code in _BUSY or any(word in error.message.lower() for word in _BUSY_WORDS))


def _pattern(path: str) -> str:
    """``securityRules[web].x`` -> ``securityRules[].x``."""
    result, depth = [], 0
    for character in path:
        if character == "[":
            depth += 1
            if depth == 1:
                result.append("[")
        elif character == "]":
            depth -= 1
            if depth == 0:
                result.append("]")
        elif depth == 0:
            result.append(character)
    return "".join(result)
