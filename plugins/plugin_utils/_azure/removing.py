"""One resource that is to go: checked for the collection's mark, for locks and for what Azure would delete along, then deleted.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
from typing import Any

from .client import UNFINISHED, ArmClient, failure_of, state_of
from .comparison import Difference
from .errors import ArmFailure, Refused, StatusUnknown
from .graph import Resource
from .locks import Locks
from .marks import mark, marks_of
from .options import Options
from .outcomes import Outcome
from .waiting import STALE_SECONDS, Wait, repeat


class Remover:
    """Removes the resources of one run, one at a call. Safe for threads.

    Locks are listed before the first deletion: a locked resource is reported, and what it needs is left alone.
    """

    def __init__(self, client: ArmClient, options: Options) -> None:
        self._client, self._options = client, options
        self._locks = Locks(client)

    def remove(self, resource: Resource) -> Outcome:
        """Delete the resource where it is there and carries our mark. What can carry none follows its parent.

        Raises one of :data:`~.outcomes.EXPECTED`.
        """
        live = self._client.get(resource.id, resource.facts.api_version)
        if live is None or resource.keep_when_absent or resource.existing:
            return Outcome(resource.id, "none", body=live or {})
        if resource.facts.mark and not mark(self._options.stamp).items() <= marks_of(resource.facts, live).items():
            return Outcome(resource.id, "none", body=live, foreign=True)
        self._locks.refuse_deletion(resource.id)
        outcome = Outcome(resource.id, "delete", [Difference("", live, None)])
        if self._options.check:
            # What goes before it is still there, so whether it is empty cannot be told.
            return outcome
        self._check_empty(resource)
        repeat(lambda _: self._delete(resource), self._options.timeout, lambda why: self._options.progress(f"{resource.handle} is waiting: {why}"))
        return outcome

    def _delete(self, resource: Resource) -> None:
        answer = self._client.delete(resource.id, resource.facts.api_version)
        if not self._options.wait:
            return
        with contextlib.suppress(StatusUnknown):
            self._client.wait(answer, self._options.timeout, self._options.reporter("waiting for the deletion of", resource))
        self._await_gone(resource)

    def _await_gone(self, resource: Resource) -> None:
        """An accepted deletion is not one that was done."""
        for _attempt in Wait(STALE_SECONDS).tries():
            left = self._client.get(resource.id, resource.facts.api_version)
            if left is None:
                return
            state, reason = state_of(left), failure_of(left)
            if state.lower() in UNFINISHED:
                break
        raise ArmFailure(0, "DeletionFailed", f"it still exists, in the state {state}{reason}.")

    def _check_empty(self, resource: Resource) -> None:
        """What Azure would delete along with the resource is listed first: it goes only when nothing is left that this run does not know."""
        collections = ["resources"] if resource.facts.name == "Microsoft.Resources/resourceGroups" else resource.facts.children
        left = [
            child
            for collection in collections
            for child in (self._client.get(f"{resource.id}/{collection}", resource.facts.api_version) or {}).get("value") or []
            if not _is_azures_own(child)
        ]
        if left:
            names = ", ".join(sorted(f"{child.get('type', '')} {child['name']}".strip() for child in left))
            raise Refused(
                "NotEmpty", f"it contains resources that this run did not create: {names}.", "move or delete these yourself, then run again"
            )


def _is_azures_own(record: dict[str, Any]) -> bool:
    """The records at the top of a zone that come and go with it (learn.microsoft.com/azure/dns/dns-zones-records)."""
    return record.get("name") == "@" and str(record.get("type", "")).rpartition("/")[2].upper() in ("SOA", "NS")
