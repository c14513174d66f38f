"""One resource that is to be there: read, compared, written, read back.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from .._leaves import value_at
from .._libraries import PipelineResponse
from .client import TERMINAL, UNFINISHED, ArmClient, body_of, failure_of, state_of
from .comparison import UNKNOWN, Comparison, Difference, values_at
from .errors import ArmFailure, NotConverged, Refused, StatusUnknown, is_busy
from .graph import Resource, resolve
from .locks import Locks
from .marks import declared_mark, in_words, marks_of
from .options import Options
from .outcomes import Outcome
from .waiting import STALE_SECONDS, Wait, repeat

#: seconds that a new principal may take to be known everywhere (learn.microsoft.com/azure/role-based-access-control/troubleshooting)
_PRINCIPAL_SECONDS = 180
_ROLE_ASSIGNMENT = "microsoft.authorization/roleassignments"

Body = dict[str, Any]
type Answer = PipelineResponse[Any, Any]


class Converger:
    """Brings the resources of one run to what is declared, one at a call. Safe for threads.

    ``outcomes`` are those of the run so far: references are looked up in them.
    """

    def __init__(self, client: ArmClient, resources: Mapping[str, Resource], options: Options, outcomes: Mapping[str, Outcome]) -> None:
        self._client, self._resources, self._options, self._outcomes = client, resources, options, outcomes
        self._serial: dict[str, threading.Lock] = {resource.parent: threading.Lock() for resource in resources.values()}
        self._locks = Locks(client)
        #: resources as :meth:`refuse` read them, so that they need not be read twice
        self._first_reads: dict[str, Body | None] = {}

    def refuse(self, resource: Resource) -> None:
        """Read the resource for the first time. Raises :class:`~.errors.Refused` where it is somebody else's, or Azure cannot change it."""
        live = self._client.get(resource.id, resource.facts.api_version)
        self._first_reads[resource.handle] = live
        if live is None or resource.facts.name.lower() == _ROLE_ASSIGNMENT:
            return
        differences = _comparison(resource).differences(resolve(resource.body, self._before_the_run), live)
        changes = [difference for difference in differences if UNKNOWN not in str(difference.after)]
        if self._is_foreign(resource, live):
            self._refuse_foreign(resource, changes)
            return
        changes = [difference for difference in changes if resource.facts.immutable.covers(_pattern(difference.path))]
        if changes:
            listed = "; ".join(f"{change.path}: {change.before!r} cannot become {change.after!r}" for change in changes)
            raise Refused(
                "ImmutableProperty",
                f"fixed at creation: {listed}. Nothing was written.",
                "declare the live value, or create a new resource with another name and delete this one",
            )

    def _is_foreign(self, resource: Resource, live: Body) -> bool:
        """Whether the resource is declared as ours, and is live without our mark or with another stamp's."""
        found = marks_of(resource.facts, live)
        return not resource.take_over and any(found.get(name) != value for name, value in declared_mark(resource.facts, resource.body).items())

    def _refuse_foreign(self, resource: Resource, differences: Iterable[Difference]) -> None:
        """What is somebody else's can be used as it is, and is not written. Raises :class:`~.errors.Refused` where it would have to change."""
        changes = [difference.path for difference in differences if not difference.path.startswith(resource.facts.mark)]
        if changes:
            ours = in_words(declared_mark(resource.facts, resource.body))
            raise Refused(
                "NotOurs",
                f"it exists, its {resource.facts.mark} lack {ours}, and it differs in {', '.join(changes)}. Nothing was written.",
                f"declare another name, or add {ours} to hand it over",
            )

    def converge(self, resource: Resource) -> Outcome:
        """Write the resource where it differs. Raises one of :data:`~.outcomes.EXPECTED`."""
        live = self._settled(resource)
        if resource.existing:
            return self._existing(resource, live)
        declared = resolve(resource.body, self._look_up)
        comparison = _comparison(resource)
        if live is None and not self._is_in_something_new(resource) and (other := self._other(resource, declared)):
            return other
        if live is None:
            differences = [Difference("", None, comparison.body(declared, None))]
        else:
            differences = comparison.differences(declared, live)
            if state_of(live).lower() in UNFINISHED:
                differences.append(Difference("properties.provisioningState", state_of(live), "Succeeded"))
        if live is not None and self._is_foreign(resource, live):
            self._refuse_foreign(resource, differences)
            return Outcome(resource.id, "none", body=live, foreign=True)
        if not differences:
            return Outcome(resource.id, "none", body=live or {})
        action = "create" if live is None else "update"
        if self._options.check:
            if self._is_only_for_a_run(resource, declared):
                return Outcome(resource.id, "none", body=live or {})
            # Without check mode, Azure refuses the write itself.
            self._locks.refuse_write(resource.id)
            return Outcome(resource.id, action, differences, {"id": resource.id, **(live or declared)})
        if live is not None and resource.facts.name.lower() == _ROLE_ASSIGNMENT:
            # The identity was recreated: its assignment names a principal that is gone, and Azure cannot change it.
            self._client.delete(resource.id, resource.facts.api_version)
            live = None
        try:
            return self._write(resource, declared, live, Outcome(resource.id, action, differences))
        except ArmFailure as error:
            # Two resources of one run, or two runs, may create the same one at the same time.
            if live is None and error.status == 409 and (other := self._other(resource, declared)):
                return other
            raise

    def _is_only_for_a_run(self, resource: Resource, declared: Body) -> bool:
        """Whether this is a role for the principal of the credentials, which may not assign roles: other credentials make the run."""
        if resource.facts.name.lower() != _ROLE_ASSIGNMENT or value_at(declared, "properties.principalId") != self._client.principal_id():
            return False
        return not self._client.may("Microsoft.Authorization/roleAssignments/write", resource.id.rpartition("/providers/")[0])

    def _is_in_something_new(self, resource: Resource) -> bool:
        """Whether this run created a parent of the resource, which is then empty."""
        made = [outcome.id for outcome in list(self._outcomes.values()) if outcome.action == "create"]
        return any(resource.id.lower().startswith(f"{identifier}/".lower()) for identifier in made)

    def _other(self, resource: Resource, declared: Body) -> Outcome | None:
        """The live resource that has the declared unique properties under another name. Sends no request for a type without unique properties."""
        wanted = [values_at(declared, path) for path in resource.facts.unique]
        if not wanted or not all(wanted) or UNKNOWN in str(wanted):
            return None
        collection = resource.id.rpartition("/")[0]
        # Without the filter Azure lists the assignments below the scope too, which may be thousands.
        query = "?$filter=atScope()" if resource.facts.name.lower() == _ROLE_ASSIGNMENT else ""
        for found in (self._client.get(collection + query, resource.facts.api_version) or {}).get("value") or ():
            beside = str(found["id"]).rpartition("/")[0].lower() == collection.lower()
            if beside and all(_comparison(resource).agree(path, declared, found) for path in resource.facts.unique):
                return Outcome(str(found["id"]), "none", body=found)
        return None

    def _existing(self, resource: Resource, live: Body | None) -> Outcome:
        if live is None and self._options.check:
            # An earlier step of the run makes it; nothing of it is known yet.
            return Outcome(resource.id, "none")
        if live is None:
            raise Refused("ExistingResourceNotFound", "it is declared as existing, but does not exist.", "create it, or correct its id")
        if state_of(live).lower() in UNFINISHED:
            raise Refused("ExistingResourceFailed", f"its provisioning failed{failure_of(live)}.", "run again what creates it")
        return Outcome(resource.id, "none", body=live)

    def _settled(self, resource: Resource) -> Body | None:
        """The live resource, when nothing is changing it any more."""
        if resource.handle in self._first_reads:
            live = self._first_reads.pop(resource.handle)
        else:
            live = self._client.get(resource.id, resource.facts.api_version)
        if live is None or self._options.check or not self._is_awaited(resource):
            return live
        return self._settle(resource, live, "an operation in progress on")

    def _settle(self, resource: Resource, live: Body, what: str) -> Body | None:
        return self._client.settle(resource.id, resource.facts.api_version, live, self._options.timeout, self._options.reporter(what, resource))

    def _is_awaited(self, resource: Resource) -> bool:
        """Without ``wait`` only what others in this run need is waited for."""
        return self._options.wait or any(resource.handle in other.needs for other in self._resources.values())

    def _before_the_run(self, handle: str, path: str) -> Any:
        """References before anything was done: ids are known, the rest is not."""
        return self._resources[handle].id if path == "id" else UNKNOWN

    def _look_up(self, handle: str, path: str) -> Any:
        """``${handle.path}`` from the answer that Azure gave for the handle."""
        if path == "id":
            return self._outcomes[handle].id
        value = value_at(self._outcomes[handle].body, path)
        if value is not None:
            return value
        if self._options.check or self._outcomes[handle].running:
            return UNKNOWN
        raise Refused("MissingValue", f"${{{handle}.{path}}} has no value in Azure's answer.", "check the path")

    def _write(self, resource: Resource, declared: Body, live: Body | None, outcome: Outcome) -> Outcome:
        if live is not None and not resource.facts.if_match:
            # The service compares no etag: what is written must rest on what was there a moment ago.
            live = self._client.get(resource.id, resource.facts.api_version)
        answer, read = self._put(resource, declared, live)
        if not self._is_awaited(resource):
            outcome.body, outcome.running = {"id": resource.id, **declared}, True
            return outcome
        if not resource.facts.serial:
            read = self._await(resource, answer)
        outcome.body = self._read_back(resource, declared, written=_resource_in(body_of(answer), resource), read=read)
        left = _comparison(resource).differences(declared, outcome.body)
        if left:
            listed = "; ".join(f"{difference.path} is {difference.before!r}, declared {difference.after!r}" for difference in left)
            raise NotConverged(f"Azure accepted the write, but kept other values: {listed}.")
        return outcome

    def _put(self, resource: Resource, declared: Body, live: Body | None) -> tuple[Answer, Body | None]:
        """One PUT, repeated while Azure is busy, and decided again when somebody else wrote in between (412).

        The answer. For a serial type what it began has ended too: with it the resource, if it was read then.
        """
        comparison, version, principal = _comparison(resource), resource.facts.api_version, Wait(_PRINCIPAL_SECONDS)

        def put(number: int) -> tuple[Answer, Body | None]:
            current = self._client.get(resource.id, version) if number else live
            etag = etag_of(current or {}) if resource.facts.if_match else ""
            if not resource.facts.serial:
                return self._client.put(resource.id, version, comparison.body(declared, current), etag), None
            with self._serial[resource.parent]:
                answer = self._client.put(resource.id, version, comparison.body(declared, current), etag)
                return answer, self._await(resource, answer)

        def is_transient(error: ArmFailure) -> bool:
            return is_busy(error) or error.status == 412 or (error.code == "PrincipalNotFound" and not principal.is_over)

        return repeat(put, self._options.timeout, lambda why: self._options.progress(f"{resource.handle} is waiting: {why}"), is_transient)

    def _await(self, resource: Resource, answer: Answer) -> Body | None:
        """Wait for what a write began; the resource, if it was read at the end. Where the status cannot be read, the resource is read afterwards."""
        with contextlib.suppress(StatusUnknown):
            return _resource_in(self._client.wait(answer, self._options.timeout, self._options.reporter("waiting for", resource)), resource)
        return None

    def _read_back(self, resource: Resource, declared: Body, *, written: Body | None, read: Body | None) -> Body:
        """The resource after a write: as ``read`` already, or asked for.

        Reads may lag behind, unless ``written``, the answer to the write, already shows other values than the declared ones.
        """
        comparison = _comparison(resource)
        refused = written is not None and bool(comparison.differences(declared, written))
        after = read
        for number in Wait(STALE_SECONDS).tries():
            if number or after is None:
                after = self._client.get(resource.id, resource.facts.api_version)
            if after is not None and state_of(after).lower() not in TERMINAL:
                after = self._settle(resource, after, "waiting for")
            if after is not None and state_of(after).lower() in UNFINISHED:
                raise ArmFailure(0, f"Provisioning{state_of(after)}", f"its provisioning ended as {state_of(after)}{failure_of(after)}.")
            if after is not None and (refused or not comparison.differences(declared, after)):
                break
        if after is None:
            raise NotConverged("the resource disappeared right after it was written.")
        return after


def _comparison(resource: Resource) -> Comparison:
    return Comparison(resource.facts, shared=resource.shared, create_only=resource.create_only, list_keys=resource.list_keys)


def _resource_in(body: Body | None, resource: Resource) -> Body | None:
    """The body of an answer where it is the resource's: it may be an operation's, which has an id too."""
    return body if body and str(body.get("id", "")).lower() == resource.id.lower() else None


def etag_of(body: Mapping[str, Any]) -> str:
    """Network calls it etag, AKS eTag, and AKS' pools hide it among the properties."""
    return str(body.get("etag") or body.get("eTag") or (body.get("properties") or {}).get("eTag") or "")


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
