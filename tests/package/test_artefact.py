"""The built artefact in an empty environment, on the newest and the oldest ansible-core that it supports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.__main__ import environment
from tests.harness import AZURE_TAGS, WITHOUT_ZONES, Lab, Run
from tests.package import CHECKOUT, Environment, build

RUNTIME = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())
#: the oldest version of ansible-core that the collection says it supports
OLDEST = RUNTIME["requires_ansible"].removeprefix(">=")


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("artefact"))


@pytest.fixture(params=["", OLDEST], ids=["the core installed here", "the oldest core"])
def user(request: pytest.FixtureRequest, artefact: Path, tmp_path: Path) -> Iterator[Environment]:
    yield Environment(tmp_path, artefact, core=request.param)


@pytest.fixture
def azure() -> Iterator[Lab]:
    with Lab("--no-kubernetes") as lab:
        yield lab


def test_a_stamp_by_full_name_twice(user: Environment, azure: Lab) -> None:
    inventory = user.collection / "inventories" / "westeurope.yml"
    words = ("-i", str(inventory), "dualstack.aks.site", "--tags", AZURE_TAGS, *WITHOUT_ZONES)
    runs = []
    for _ in range(2):
        done = user.run("playbook", *words, variables=environment(azure.state))
        runs.append(Run(done.returncode, done.stdout))
        assert done.returncode == 0, done.stdout
        assert str(CHECKOUT) not in done.stdout
    assert runs[0].changed > 0
    assert runs[1].changed == 0, runs[1].output
    assert azure.network("virtualNetworks/vnet-example-westeurope")
