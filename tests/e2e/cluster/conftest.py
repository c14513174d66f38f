"""One stamp for the files of this folder: its cluster has an API server and controllers, and no pod runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Lab

#: what a check shows most of, in a stamp that has only what comes before it
CHECKED = ("aks", "ingress")


@pytest.fixture(scope="package")
def stamp() -> Iterator[Lab]:
    """The stamp westeurope, built in parts: each tag of site.yml by itself, some of them checked before."""
    with Lab() as lab:
        assert lab.playbook("shared").code == 0
        for tag in ("network", "aks", "registry", "keyvault", "dns", "ingress"):
            if tag in CHECKED:
                checked = lab.playbook("site", "--tags", tag, "--check")
                assert checked.code == 0, checked.output
            run = lab.playbook("site", "--tags", tag)
            assert run.code == 0, run.output
            assert run.changed > 0, run.output
        yield lab
