"""Making a running cluster dual-stack, one write after the other. Each decision rests on what Azure answers at that moment, so that a run that was
killed is continued by the next one.

This file is private to the collection.

Sources: learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling (a drain that times out stops the operation, and any later write resumes it),
learn.microsoft.com/azure/virtual-network/manage-virtual-network-peering (after a new prefix both sides are brought in sync), and what Azure answered
to the Azure CLI's test of an update to dual-stack in November 2024: the answer to the write has the ranges that Azure chose.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._azure.client import TERMINAL, UNFINISHED, body_of, failure_of, state_of
from .._azure.comparison import Comparison, Difference
from .._azure.converging import etag_of
from .._azure.errors import ArmFailure, StatusUnknown, TimedOut, remedy_for
from .._azure.outcomes import Outcome
from .._azure.types import facts_of, version_of
from .._azure.waiting import STALE_SECONDS, Wait, repeat
from .._leaves import value_at
from .._resource_id import folded
from .._rules import Violation, text
from .._rules.upgrading import CAUTIONS, CHAPTER, PREFLIGHT, START, Start, Upgrade
from .assessment import assess, upgrade_of
from .chain import DUAL_STACK, Ranges, Step, body_after, kinds_of, policies_of, without_ranges
from .facts import RunningCluster
from .files import REGISTER, register_in, write
from .formats import console
from .ingresses import ingresses_of
from .inventory import Stamp, inventory_of, stamp_or_reason
from .networking import networking_of, profile_of, ranges_of
from .reading import read_cluster
from .run import Body, Report, Run, Stopped
from .settings import restored, with_settings
from .surroundings import Surroundings
from .watching import Watch

#: no chain needs so many writes; when they are used up, something else keeps changing the cluster
_MOST_WRITES = 20


class _Moved(Exception):
    """Somebody else has written the cluster since it was read."""


class Upgrader:
    """Sends what the cluster lacks."""

    def __init__(self, run: Run) -> None:
        self._run, self._around, self._watch = run, Surroundings(run), Watch(run)
        self._version = version_of(run.order.cluster_id)

    def run(self) -> Report:
        """Upgrade the cluster. Raises :class:`Stopped`."""
        cluster = read_cluster(self._run.client, self._run.order.cluster_id)
        if not self._run.order.check:
            cluster = self._settled(cluster)
        stamp = self._begin(cluster)
        if self._run.order.check:
            self._plan(cluster, stamp)
            return self._run.report
        self._around.prepare(cluster, stamp)
        cluster = self._converge(stamp.ranges if stamp else Ranges())
        self._around.write_twins(cluster)
        self._around.sync_peerings(cluster)
        self._watch.verify(cluster)
        self._run.report.ranges = {f"{name}s": ranges_of(cluster.body, name) for name in ("pod", "service")}
        return self._run.report

    def _begin(self, cluster: RunningCluster) -> Stamp | None:
        """Judge the cluster by the rule book, and show the chain. Raises :class:`Stopped` with all violations."""
        stamp, reason = self._stamp(cluster)
        planned = cluster.with_body(with_settings(cluster.body, self._run.order.settings))
        upgrade = self._upgrade(planned, stamp.ranges if stamp else None)
        found = assess(upgrade)
        self._run.report.table, self._run.report.verdict = console(found), found.verdict
        self._run.report.unseen = [item.removeprefix("could not be seen: ") for item in found.unseen]
        broken = self._violations(upgrade, reason)
        if broken:
            written = "" if self._run.report.writes else "Nothing was written. "
            raise Stopped(f"{self._run.report.table}\n\n{written}{len(broken)} rules prevent the upgrade:\n{text(broken)}")
        if upgrade.steps:
            for line in self._run.report.table.splitlines():
                self._run.tell(line)
        else:
            for caution in CAUTIONS.violations(upgrade):
                self._run.tell(str(caution))
        return stamp

    def _violations(self, upgrade: Upgrade, reason: str) -> list[Violation]:
        start = Start(upgrade, self._run.order.acknowledged, self._run.order.settings, reason)
        return [*CHAPTER.violations(upgrade), *PREFLIGHT.violations(upgrade), *START.violations(start)]

    def _stamp(self, cluster: RunningCluster) -> tuple[Stamp | None, str]:
        return stamp_or_reason(cluster, self._run.order.wishes(cluster), register_in(self._run.order.folder))

    def _upgrade(self, cluster: RunningCluster, ranges: Ranges | None) -> Upgrade:
        return upgrade_of(cluster, self._run.order.policies, ranges, self._run.order.prefixes)

    def _plan(self, cluster: RunningCluster, stamp: Stamp | None) -> None:
        """What a run would write, as differences."""
        upgrade = self._upgrade(cluster, stamp.ranges if stamp else None)
        self._run.reconcile(self._around.networks(cluster, stamp))
        self._run.reconcile(self._around.twins(cluster, upgrade.counterparts))
        if upgrade.steps and with_settings(cluster.body, self._run.order.settings) != cluster.body:
            self._run.wrote("upgrade settings of pools")
        for step in upgrade.steps or ():
            self._record(cluster.body, step, f"would send {step.kind}")

    def _record(self, body: Mapping[str, Any], step: Step, write_text: str) -> None:
        profile = profile_of(body)
        changes = [Difference(f"properties.networkProfile.{path}", value_at(profile, path), value) for path, value in step.change.items()]
        self._run.report.outcomes.append(Outcome(self._run.order.cluster_id, "update", changes))
        self._run.report.writes.append(write_text)

    def _converge(self, ranges: Ranges) -> RunningCluster:
        """Send what the live cluster lacks, one change after the other, until it lacks nothing."""
        resumed = False
        for _number in range(_MOST_WRITES):
            cluster = self._settled(read_cluster(self._run.client, self._run.order.cluster_id))
            live = cluster.body
            if cluster.networking.is_dual_stack:
                self._adopt(cluster)
            steps = self._upgrade(cluster, ranges).steps or ()
            is_failed = any(folded(state) in UNFINISHED for state in (state_of(dict(live)), *(pool.state for pool in cluster.pools)))
            try:
                if (steps or is_failed) and (wanted := with_settings(live, self._run.order.settings)) != live:
                    self._send(live, wanted, "upgrade settings of pools")
                elif is_failed and not resumed:
                    resumed = True
                    self._send(live, live, "the same body, which resumes the operation that failed")
                elif steps:
                    self._step(cluster, steps[0])
                elif (wanted := restored(live)) != live:
                    self._send(live, wanted, "upgrade settings of pools as they were")
                else:
                    return cluster
            except _Moved:
                self._run.tell("The cluster was changed meanwhile. Reading it again.")
        raise Stopped(f"{self._run.order.cluster_id} differs from what was written, even after {_MOST_WRITES} writes. Check what else changes it.")

    def _step(self, cluster: RunningCluster, step: Step) -> None:
        if step.kind not in self._run.order.acknowledged:
            raise Stopped(f"{cluster.name} needs {step.kind}, which it did not need when the run began. Check what else changes it, and run again.")
        if step.kind == DUAL_STACK:
            # What is known of the network holds before the first new node comes.
            self._around.write_twins(cluster)
        live, before = cluster.body, self._watch.uids(cluster.body)
        try:
            answer = self._put(live, body_after(live, step))
        except ArmFailure as error:
            if not _names_ranges(error) or without_ranges(step) == step:
                raise self._refused(step.kind, error) from error
            self._run.tell(f"Azure rejects the IPv6 ranges of the register ({error}) and assigns its own.")
            step = without_ranges(step)
            try:
                answer = self._put(live, body_after(live, step))
            except ArmFailure as second:
                raise self._refused(step.kind, second) from second
        self._record(live, step, f"cluster {cluster.name}: {step.kind}")
        self._run.report.steps.append(step.kind)
        self._run.tell(f"{step.kind}: {step.title}")
        if step.kind == DUAL_STACK:
            self._use_ranges(cluster, body_of(answer))
        self._await(answer, live, step.kind, before)
        self._await_read(step.kind)

    def _await_read(self, kind: str) -> None:
        """Reads may not see a write at once. What is still missing then, was not taken."""
        for _number in Wait(STALE_SECONDS).tries():
            body = self._run.client.get(self._run.order.cluster_id, self._version) or {}
            if kind not in (kinds_of(networking_of(body), policies_of(body, self._run.order.policies)) or ()):
                return
        raise Stopped(f"Azure accepted {kind}, but the cluster did not change. Check what else changes it, and run again.")

    def _use_ranges(self, cluster: RunningCluster, answered: Body | None) -> None:
        """As soon as the ranges are known: into the register, and into the twins, while nodes are still being replaced."""
        body = answered if answered and networking_of(answered).is_dual_stack else self._run.client.get(self._run.order.cluster_id, self._version)
        if body and networking_of(body).is_dual_stack:
            now = cluster.with_body(body)
            self._adopt(now)
            self._around.write_twins(read_cluster(self._run.client, self._run.order.cluster_id))

    def _adopt(self, cluster: RunningCluster) -> None:
        """Write the live ranges into the register, if there is one."""
        folder = self._run.order.folder
        if folder is None:
            return
        wishes = self._run.order.wishes(cluster)
        stamp, _reason = stamp_or_reason(cluster, wishes, register_in(folder))
        if stamp is not None:
            self._run.report.files += write(folder, {REGISTER: inventory_of(cluster, ingresses_of(cluster), wishes, stamp)[REGISTER]})

    def _send(self, live: Mapping[str, Any], wanted: Mapping[str, Any], what: str) -> None:
        before = self._watch.uids(live)
        try:
            answer = self._put(live, wanted)
        except ArmFailure as error:
            raise self._refused(what, error) from error
        self._run.wrote(what)
        self._await(answer, live, what, before)

    def _put(self, live: Mapping[str, Any], wanted: Mapping[str, Any]) -> Any:
        """Write the cluster if nobody else has meanwhile. Raises :class:`_Moved`, and :class:`ArmFailure` for a refusal."""
        body = Comparison(facts_of(self._run.order.cluster_id)).body({}, wanted)
        # Azure's own word on what failed: nothing of it may be written, and nothing is left of it.
        for part in (body["properties"], *(body["properties"].get("agentPoolProfiles") or ())):
            part.pop("status", None)
        try:
            return repeat(
                lambda _number: self._run.client.put(self._run.order.cluster_id, self._version, body, etag_of(live)),
                self._run.order.timeout,
                lambda why: self._run.tell(f"the cluster is busy: {why}"),
            )
        except ArmFailure as error:
            if error.status == 412:
                raise _Moved from error
            raise

    def _refused(self, what: str, error: ArmFailure) -> Stopped:
        remedy = "allow disruptions until the upgrade has ended" if "disruption" in error.message.lower() else remedy_for(error.code)
        return Stopped(f"Azure refuses {what}: {error.code}: {error.message} Remedy: {remedy}. Then run the same command again.")

    def _overdue(self, what: str) -> Stopped:
        return Stopped(f"{what} is still running after {self._run.order.timeout:.0f} s. Run the same command again: it waits for the same operation.")

    def _await(self, answer: Any, live: Mapping[str, Any], what: str, before: Sequence[str]) -> None:
        """Wait for what a write began, and show how far it is. Raises :class:`Stopped` where it fails. ``before`` are the nodes to be replaced."""
        shown = self._watch.shows(live, what, before, time.monotonic())
        failure = ""
        try:
            self._run.client.wait(answer, self._run.order.timeout, shown)
        except TimedOut as error:
            raise self._overdue(what) from error
        except StatusUnknown:
            # The cluster itself says how it ended.
            pass
        except ArmFailure as error:
            failure = f": {error.code}: {error.message.rstrip('.')}"
        self._end(self._settle(dict(live), shown, what, first=None), what, before, failure)

    def _settled(self, cluster: RunningCluster) -> RunningCluster:
        """The cluster once no operation changes it: of an earlier run, or of somebody else. One that failed is as it is."""
        body = dict(cluster.body)
        if state_of(body).lower() in TERMINAL:
            return cluster
        what = f"an operation in progress ({state_of(body)})"
        self._run.tell(f"waiting for {what}")
        if cluster.networking.is_dual_stack:
            # Of a run that was killed: new nodes may come any moment.
            self._adopt(cluster)
            self._around.write_twins(cluster)
        self._settle(body, self._watch.shows(body, what, self._watch.uids(body), time.monotonic()), what, first=body)
        return read_cluster(self._run.client, self._run.order.cluster_id)

    def _settle(self, live: Body, shown: Callable[[float], None], what: str, *, first: Body | None) -> Body:
        try:
            body = first or self._run.client.get(self._run.order.cluster_id, self._version) or live
            ended = self._run.client.settle(self._run.order.cluster_id, self._version, body, self._run.order.timeout, shown)
        except TimedOut as error:
            raise self._overdue(what) from error
        if ended is None:
            raise Stopped(f"{self._run.order.cluster_id} was deleted meanwhile.")
        return ended

    def _end(self, body: Body, what: str, before: Sequence[str], failure: str) -> None:
        """Raises :class:`Stopped` for an operation that failed, with the pods and budgets that keep it."""
        if state_of(body).lower() not in UNFINISHED:
            return
        names = self._watch.blocked(body, before)
        kept = f" Now kept: {'; '.join(names)}." if names else ""
        reason = failure_of(body) or failure
        remedy = "Allow an eviction (add replicas, or change the budget)" if names or "drain" in reason.lower() else "Remove the cause"
        raise Stopped(f"{what} stopped{reason}.{kept} {remedy}, then run the same command again: it resumes the operation.")


def _names_ranges(error: ArmFailure) -> bool:
    """Whether Azure refuses ranges of the client's."""
    return error.status == 400 and any(name in error.message.lower() for name in ("podcidr", "servicecidr"))
