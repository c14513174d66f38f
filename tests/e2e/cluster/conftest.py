"""One stamp for the files of this folder: its cluster has an API server and controllers, and no pod runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Lab


@pytest.fixture(scope="package")
def stamp() -> Iterator[Lab]:
    """The stamp westeurope, built in parts by the tags of site.yml, and checked before it brings the cluster."""
    with Lab() as lab:
        assert lab.playbook("shared").code == 0
        for tags in ("network", "aks", "registry,keyvault,dns", "ingress"):
            if tags == "aks":
                checked = lab.playbook("site", "--tags", tags, "--check")
                assert checked.code == 0, checked.output
            run = lab.playbook("site", "--tags", tags)
            assert run.code == 0, run.output
            assert run.changed > 0, run.output
        yield lab
