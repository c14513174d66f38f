"""Each inventory of examples/ passes the checks of site.yml, and would do what its comment says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.state import CHECKOUT
from tests.documentation import follow, write_first_inventory
from tests.harness import Lab, Run
from tests.reading import Reader
from tests.theirs import Theirs

#: the guides that name what the examples name
PAGES = ["docs/docsite/rst/existing_ingress.rst", "docs/docsite/rst/running_cluster.rst"]
#: inventory -> what its check run says, beside having no problem
EXAMPLES = {
    "nat64": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "nat46": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "split": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "native": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "existing_network": ("managedClusters/aks-aks-westeurope",),
    "existing_services": (
        "registries/theirs123/providers/Microsoft.Authorization/roleAssignments/",
        "privateDnsZones/internal.example.org/virtualNetworkLinks/",
    ),
    "existing_cluster": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "existing_ingress": ("would create Deployment entrance-ipv6",),
}
#: what the entrances of a running ingress's own family would be
_NOT_SAID = {"existing_ingress": "entrance-ipv4", "existing_network": "virtualNetworks/theirs (", "existing_services": "registries/theirs123 ("}


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    """What the brownfield examples name, and an ingress in the cluster."""
    with Lab() as lab:
        Theirs(lab).make()
        lab.kubectl_text("create", "namespace", "ingress-nginx", cluster="theirs")
        service = ("create", "service", "clusterip", "ingress-nginx-controller", "--tcp=80", "--tcp=443")
        lab.kubectl_text("--namespace", "ingress-nginx", *service, cluster="theirs")
        # As its chart labels it.
        labels = ("app.kubernetes.io/name=ingress-nginx", "app.kubernetes.io/component=controller")
        lab.kubectl_text("--namespace", "ingress-nginx", "label", "service", "ingress-nginx-controller", *labels, cluster="theirs")
        yield lab


def _check(lab: Lab, name: str) -> Run:
    return lab.run("ansible-playbook", "-i", str(CHECKOUT / "examples" / f"{name}.yml"), "dualstack.aks.site", "--check", "--diff")


def test_every_example_is_checked() -> None:
    assert {path.stem for path in (CHECKOUT / "examples").glob("*.yml")} == EXAMPLES.keys()
    for name in EXAMPLES:
        assert (CHECKOUT / "examples" / f"{name}.yml").read_text().startswith("# "), f"{name} does not say what it is for"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(platform: Lab, name: str) -> None:
    run = _check(platform, name)
    assert run.code == 0, run.output
    for words in EXAMPLES[name]:
        assert words in run.output, run.output
    assert _NOT_SAID.get(name, "\0") not in run.output
    assert platform.our_writes() == []


@pytest.mark.parametrize("page", PAGES)
def test_the_guide(platform: Lab, page: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """As far as nothing is written."""
    write_first_inventory(tmp_path)
    follow(Reader(platform, tmp_path), page, record_property)
    assert platform.our_writes() == []
