"""What the verifier reads: the stored state of the lab that molecule runs in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host

from lab.state import State
from lab.supplies import binaries
from tests.harness import Kubectl, Observer
from tests.theirs import CLUSTER, Theirs


@pytest.fixture(scope="session")
def stamp() -> Observer:
    """Azure, as another client than the collection's reads it, and the sample stamp's cluster."""
    return Observer(State.default())


@pytest.fixture(scope="session")
def guest() -> Observer:
    """The same, and the cluster of somebody else."""
    return Observer(State.default(), cluster=CLUSTER)


@pytest.fixture(scope="session")
def theirs(guest: Observer) -> Theirs:
    return Theirs(guest)


@pytest.fixture
def kubectl(host: Host, stamp: Observer) -> Kubectl:
    """What kubectl prints as JSON, asked as the lab's own administrator."""
    program = [str(binaries.path_of("kubectl")), "--kubeconfig", str(stamp.state.kubeconfigs()[stamp.cluster])]

    def ask(*words: str) -> Any:
        command = [*program, *words, "--output", "json"]
        return json.loads(host.check_output(" ".join(["%s"] * len(command)), *command))

    return ask
