"""A sample of ``make sweep``, every kind of fault among it, and two controllers at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import known
from lab.arm import schema
from tests.sweep.cases import sample, undisturbed
from tests.sweep.controllers import lost_when_interleaved, requests_of, rivals
from tests.sweep.ground import Ground
from tests.sweep.recording import load
from tests.sweep.run import Sweep

_CASES = 40
Property = Callable[[str, Any], None]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return Sweep(tmp_path_factory.mktemp("sweep"))


def test_after_a_fault_one_more_run_ends_as_without_it(sweep: Sweep, record_property: Property) -> None:
    seed = random.randrange(10**6)
    verdicts = list(sweep.verdicts(sample(sweep.cases, _CASES, seed)))
    met = [found for found in verdicts if found.met]
    record_property("measured", f"sweep: {len(met)} of {len(sweep.cases)} cases met their fault, seed {seed}")
    assert len(met) > 0.9 * _CASES, f"seed {seed}"
    assert [f"{found.case}: {found.complaint}" for found in met if found.complaint] == [], f"seed {seed}"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    found = Ground(tmp_path_factory.mktemp("ground"))
    yield found
    found.close()


def test_what_was_written_is_read_once(sweep: Sweep, ground: Ground) -> None:
    """The library reads a resource when its operation has ended; what it read is not asked for again."""
    written = 0
    for task in load(sweep.finished.parents[1] / "create"):
        asked = [(entry["method"], str(entry["path"]).lower()) for entry in undisturbed(ground, task).entries]
        for number, (method, path) in enumerate(asked):
            if method == "PUT":
                written += 1
                assert asked[number:].count(("GET", path)) <= 1, path
    assert written > 20


def test_what_azure_shows_of_a_stamp_can_be_sent_back(sweep: Sweep, ground: Ground) -> None:
    """The engine merges what it declares into what is live, and sends that."""
    ground.begin(sweep.finished)
    azure = ground.server.azure
    checked = set()
    for found in azure.store.resources.values():
        served = azure.kind_of(found.type)
        if (facts := known(served.type)) and served.writable:
            read = schema.check(served.type, facts.api_version, azure.render(found), overlooked=served.overlooked)
            assert read.problems == [], found.id
            checked.add(served.type)
    assert len(checked) > 20


def test_two_controllers_lose_nothing_where_the_service_compares_etags(sweep: Sweep, ground: Ground, record_property: Property) -> None:
    tried, types = 0, set()
    for pair in rivals(sweep.finished, "rg-example-westeurope"):
        methods = requests_of(ground, pair)
        write = methods.index("PUT") + 1
        for number in range(1, len(methods) + 1):
            lost = lost_when_interleaved(ground, pair, number)
            # Between the last read and the write nothing protects a service without etags: the other one's value is lost.
            expected = [] if pair.facts.if_match or number != write else [1]
            assert lost in (expected, None), f"{pair.facts.name}: interleaved before request {number} of {methods}"
            tried += lost is not None
        types.add((pair.facts.name, pair.facts.if_match))
    record_property("measured", f"two controllers: {tried} interleavings over {len(types)} types")
    assert {facts for facts in types if facts[1]} and {facts for facts in types if not facts[1]}
