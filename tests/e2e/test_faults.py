"""Faults as an operator meets them: what a run says, when, and what the next one makes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.harness import Lab


@pytest.fixture(scope="module")
def azure() -> Iterator[Lab]:
    """A subscription with what stamps share, without clusters."""
    with Lab("--no-kubernetes") as lab:
        assert lab.playbook("shared").code == 0
        yield lab


def test_what_does_not_end_is_told_of_and_left_for_the_next_run(azure: Lab) -> None:
    assert azure.lab("fault", "operation-never-ends", "--method", "PUT", "--path", "*/virtualNetworks/vnet-example-westeurope").code == 0
    run = azure.start_playbook("site", "--tags", "network", "-e", "network_timeout=42")
    assert run.stdout is not None
    silent, last, lines = 0.0, 0.0, []
    for line in run.stdout:
        now = time.monotonic()
        if "Apply | Create the network" in line:
            last = now
        elif last:
            silent, last = max(silent, now - last), now
        lines.append(line)
    output, code = "".join(lines), run.wait()
    cleared = azure.lab("fault", "clear").output
    assert code == 2, output
    # 15 s, and what a busy machine takes to print; if all lines came at the end, it would be 42 s
    assert 14 < silent < 40, output
    assert output.count("[westeurope] waiting for vnet (virtualNetworks vnet-example-westeurope)") == 2, output
    assert "TimedOut: Azure was still working on it after 42 s. Remedy: run again to wait for the same operation, or raise timeout" in output

    assert "struck: operation-never-ends 1" in cleared

    before = len(azure.entries())
    again = azure.playbook("site", "--tags", "network")
    assert again.code == 0, again.output
    assert [path for path in azure.our_writes(before) if path.endswith("virtualNetworks/vnet-example-westeurope")] == []


def test_a_fault_shows_in_the_message_and_goes_with_the_next_run(azure: Lab) -> None:
    before = len(azure.entries())
    azure.set(dualstack_tags={"changed": "since"})
    assert azure.lab("fault", "locked", "--method", "PUT", "--path", "*/networkSecurityGroups/*").code == 0
    run = azure.playbook("site", "--tags", "network")
    assert run.code == 2
    assert "ScopeLocked" in run.output
    assert "locks are never removed for you" in run.output
    assert [entry["fault"] for entry in azure.entries(before) if "fault" in entry] == ["locked"]
    assert azure.playbook("site", "--tags", "network").code == 0


def test_a_reader_that_has_read_enough_ends_no_run(azure: Lab) -> None:
    site = f"ansible-playbook -i {azure.inventories / 'westeurope.yml'} dualstack.aks.site --tags network --check"
    run = azure.run("bash", "-o", "pipefail", "-c", f"{site} | head -n 1")
    assert run.code == 0 and run.output.strip() == "", run.output


def test_what_is_no_fault_is_refused(azure: Lab) -> None:
    done = azure.lab("fault", "busy", "--at", "0")
    assert done.code == 1
    assert "count from 1" in done.output
