"""Bring Azure to what is declared, resource by resource, in parallel where nothing depends on the other.

This file is private to the collection.
"""

from __future__ import annotations

import concurrent.futures
import graphlib
import time
from collections.abc import Callable, Mapping

from .client import ArmClient
from .converging import Converger
from .graph import Resource
from .options import Options
from .outcomes import EXPECTED, Failure, Outcome, critical_path
from .removing import Remover


class Reconciler:
    """One run over a set of resources."""

    def __init__(self, client: ArmClient, resources: Mapping[str, Resource], options: Options) -> None:
        self._client, self._resources, self._options = client, resources, options
        self.outcomes: dict[str, Outcome] = {}
        self.failures: dict[str, Failure] = {}
        self._started = time.monotonic()

    def run(self) -> None:
        """Reconcile everything; ``outcomes`` and ``failures`` have the result. What does not depend on a failure is still done."""
        present = {handle: resource for handle, resource in self._resources.items() if not resource.absent}
        absent = {handle: resource for handle, resource in self._resources.items() if resource.absent}
        converger = Converger(self._client, self._resources, self._options, self.outcomes)
        self._refuse(present, converger)
        if self.failures:
            return
        self._run_graph(present, {handle: resource.needs & present.keys() for handle, resource in present.items()}, converger.converge)
        if absent:
            users: dict[str, set[str]] = {handle: set() for handle in absent}
            for handle, resource in absent.items():
                for needed in resource.needs & absent.keys():
                    users[needed].add(handle)
            self._run_graph(absent, users, Remover(self._client, self._options).remove)

    @property
    def critical_path(self) -> float:
        """Seconds of the longest chain of dependent resources."""
        return critical_path(self._resources, self.outcomes)

    def _refuse(self, resources: Mapping[str, Resource], converger: Converger) -> None:
        """Before any write: nothing may be declared that is somebody else's, or that Azure cannot change."""

        def refused(resource: Resource) -> Exception | None:
            try:
                converger.refuse(resource)
            except EXPECTED as error:
                return error
            return None

        candidates = [resource for resource in resources.values() if not resource.existing]
        with concurrent.futures.ThreadPoolExecutor(self._options.parallelism) as pool:
            for resource, error in zip(candidates, pool.map(refused, candidates), strict=True):
                if error:
                    self._fail(resource, error)

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
                            handle,
                            resources[handle].id,
                            "DependencyFailed",
                            f"not applied because {', '.join(broken)} failed.",
                            f"repair {broken[0]}",
                        )
                        sorter.done(handle)
                    else:
                        running[pool.submit(self._timed, resources[handle], work)] = handle
                if not running:
                    continue
                finished, _unused = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in finished:
                    handle = running.pop(future)
                    try:
                        self.outcomes[handle] = future.result()
                    except EXPECTED as error:
                        self._fail(resources[handle], error)
                    sorter.done(handle)

    def _timed(self, resource: Resource, work: Callable[[Resource], Outcome]) -> Outcome:
        began = time.monotonic() - self._started
        outcome = work(resource)
        outcome.began, outcome.ended = round(began, 3), round(time.monotonic() - self._started, 3)
        return outcome

    def _fail(self, resource: Resource, error: Exception) -> None:
        self.failures[resource.handle] = Failure.of(resource.handle, resource.id, error, self._options.timeout)
