"""The tour that ``make demo`` ends with: its commands are run in order, as they are printed, by a shell that knows nothing of the lab."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lab.demo import tour
from lab.state import CHECKOUT
from tests.harness import Lab, Run


@pytest.fixture(scope="module")
def demo() -> Iterator[Lab]:
    """A lab in the state in which ``make demo`` leaves it, by the same commands."""
    with Lab(packets=True) as lab:
        inventory = str(CHECKOUT / tour.INVENTORY)
        # It has two stamps.
        lab.await_turn(2)
        succeed(lab.playbook("shared", inventory=inventory))
        succeed(lab.playbook("site", "--tags", "network,aks", inventory=inventory))
        lab.deploy()
        succeed(lab.playbook("site", inventory=inventory))
        yield lab


def succeed(run: Run) -> Run:
    assert run.code == 0, run.output
    return run


def rows(printed: str) -> dict[tuple[str, str], list[int]]:
    """Stamp and client -> answers over IPv6, over IPv4, none."""
    found = re.findall(r"^(\w+) +([\w-]+) +(\d+) +(\d+) +(\d+)$", printed, re.MULTILINE)
    return {(stamp, client): [int(number) for number in numbers] for stamp, client, *numbers in found}


def test_the_commands_do_what_they_say(demo: Lab) -> None:
    verify, switch, plan, look, destroy = tour.steps()
    printed = "\n".join(tour.lines())
    assert [command for step in tour.steps() for command in (*step.commands, *step.az_commands) if f"    {command}\n" not in printed] == []

    verified = succeed(demo.shell(*verify.commands)).output
    assert len(re.findall(r": \d+ pass, 0 fail", verified)) == 2, verified

    off, on = (rows(succeed(demo.shell(command)).output) for command in switch.commands)
    for stamp in ("westeurope", "northeurope"):
        # Whoever has IPv4 is answered all the time; clients of both families go over to it, and come back.
        for seen in (off, on):
            assert [seen[stamp, client][2] for client in ("ipv4-only", "dual-stack")] == [0, 0], seen
            assert min(seen[stamp, "dual-stack"][:2]) > 0, seen
            assert min(seen[stamp, "ipv6-only"][0], seen[stamp, "ipv6-only"][2]) > 0, seen

    planned = succeed(demo.shell(*plan.commands)).output
    assert "westeurope   nodes" in re.sub(r"  +(?=nodes)", "   ", planned)

    looked = succeed(demo.shell(*look.commands)).output
    assert "entrance-ipv6" in looked and looked.count(" Ready ") >= 3, looked

    destroyed = succeed(demo.shell(*destroy.commands))
    assert list(destroyed.recap) == ["westeurope"]
    assert demo.get(demo.group("westeurope")) == {} and demo.get(demo.group("northeurope")) != {}
