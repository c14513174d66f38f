"""What the lab's Azure refuses, `site.yml --check` refuses before: the cases of cases.yml are stamps of one run."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plans
from tests import parity
from tests.harness import Lab, Run

CASES = parity.cases()
#: Azure's limits of IPv6 addresses and of a family of VM sizes in a region, as small as the cases need them
QUOTAS = ("--quota", "IPv6StandardSkuPublicIpAddresses=60", "--quota", "Standard NCASv3_T4 Family=40")
OPTIONS = ("--no-kubernetes", "--time-scale", "0.001", *QUOTAS)
#: the room of the pods' range, so that all stamps fit the sample's pool
PODS_LENGTH = 18
FORKS = ("--forks", "4")


@pytest.fixture(scope="module")
def cases() -> Iterator[Lab]:
    """A lab with what each case finds in Azure, and an inventory of all cases."""
    with Lab(*OPTIONS) as lab:
        scenes = _write(lab)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda scene: _set(lab, scene), scenes))
        yield lab


@pytest.fixture(scope="module")
def checked(cases: Lab) -> Run:
    """The run that is to refuse every stamp."""
    before = len(cases.entries())
    run = cases.playbook("site", "--check", *FORKS, inventory="cases.yml")
    assert cases.our_writes(before) == []
    return run


@pytest.fixture(scope="module")
def refusals(checked: Run) -> dict[str, str]:
    """Stamp -> why the first play refuses it."""
    assert "Bring every stamp to what its inventory declares" not in checked.output, checked.output[-4000:]
    return checked.failures


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stamp)
def test_the_first_play_refuses_the_stamp(case: parity.Case, refusals: dict[str, str]) -> None:
    message = refusals.get(case.stamp, "")
    assert [rule for rule in case.refused_by if f"[{rule}]" not in message] == [], message
    assert case.specification in message


@pytest.fixture(scope="module")
def applied(cases: Lab, checked: Run) -> tuple[Lab, dict[str, str]]:
    """The lab after all stamps were written without checks, and stamp -> why that failed."""
    run = cases.run("ansible-playbook", "-i", str(cases.inventories / "cases.yml"), *FORKS, str(Path(parity.__file__).with_name("apply.yml")))
    return cases, run.failures


@pytest.mark.parametrize("case", [case for case in CASES if not case.by_cloud_controller], ids=lambda case: case.stamp)
def test_azure_refuses_the_stamp(case: parity.Case, applied: tuple[Lab, dict[str, str]]) -> None:
    lab, failures = applied
    if case.specification:
        # Without the specification Azure refuses the value for its shape, or by the rule.
        assert case.stamp in failures
    elif case.instead:
        assert case.instead in failures.get(case.stamp, "")
    else:
        groups = (f"/rg-example-{case.stamp}/", f"/rg-theirs-{case.stamp}/")
        broken = {entry["rule"] for entry in lab.entries() if "rule" in entry and any(group in entry["path"] for group in groups)}
        assert parity.broken_by(case) <= broken, failures.get(case.stamp)


def _write(lab: Lab) -> list[parity.Scene]:
    """Replace the sample's stamps by one for each case, with the register that plan.yml would write for them."""
    folder = lab.inventories / "group_vars" / "regions"
    sample: dict[str, Any] = {name: value for path in folder.glob("*.yml") for name, value in yaml.safe_load(path.read_text()).items()}
    specifications = [
        {
            "organisation": sample["dualstack_organisation"],
            "stamp": case.stamp,
            "ipv4_pools": sample["dualstack_ipv4_pools"],
            "subnets": case.variables.get("dualstack_subnets", sample["dualstack_subnets"]),
            "pods_ipv4_prefix_length": PODS_LENGTH,
        }
        for case in CASES
    ]
    planned = address_plans(specifications, {})
    environment = lab.environment
    known = {"subscription": lab.subscription, "tenant": environment["AZURE_TENANT"], "principal": _principal(lab)}
    scenes = {case.stamp: parity.Scene(case, planned["plans"][case.stamp], **known) for case in CASES}
    shared = {
        "network_pods_ipv4_prefix_length": PODS_LENGTH,
        "dns_public_zone": "",
        "dns_private_zone": "",
        "registry_images": [],
        # Without a cluster no entrance answers; the records are written as if both had.
        "dns_answered": ["ipv4", "ipv6"],
        "dns_addresses": {"ipv4": "203.0.113.1", "ipv6": "2001:db8::1"},
    }
    for path in lab.inventories.glob("*.yml"):
        path.unlink()
    (folder / "zz-cases.yml").write_text(yaml.safe_dump(shared, sort_keys=False))
    hosts = {stamp: scene.variables() for stamp, scene in scenes.items()}
    (lab.inventories / "cases.yml").write_text(yaml.safe_dump({"regions": {"hosts": hosts}}, sort_keys=False))
    return list(scenes.values())


def _principal(lab: Lab) -> str:
    """The object id of the lab's own client."""
    found: str = lab.state.load().azure.client_object
    return found


def _set(lab: Lab, scene: parity.Scene) -> None:
    for write in scene.writes():
        if write.method == "DELETE":
            assert lab.call("DELETE", write.path, write.api_version).status_code < 300
        else:
            lab.put(write.path, write.api_version, write.body, method=write.method)
