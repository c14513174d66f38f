"""What users of the checkout see of whole runs: stages, on a terminal and in a pipe, for one stamp and for fifty."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab.state import CHECKOUT
from tests.harness import AZURE_TAGS, WITHOUT_ZONES, Lab, Run

#: as harness.py runs Ansible, but with the callback that ansible.cfg sets
STAGES = ("env", "-u", "ANSIBLE_STDOUT_CALLBACK")
ESCAPE = "\x1b"


def site(lab: Lab, *words: str) -> Run:
    return lab.run(*STAGES, "ansible-playbook", "-i", str(lab.inventories / "westeurope.yml"), "dualstack.aks.site", *words)


def stages(run: Run) -> list[str]:
    return re.findall(r"^\d\d:\d\d:\d\d (\w+) \| started$", run.output, re.MULTILINE)


def test_a_run_that_changes_and_one_that_does_not(arm: Lab) -> None:
    words = ("--tags", AZURE_TAGS, *WITHOUT_ZONES)
    checked = site(arm, *words, "--check", "--diff")
    assert checked.code == 0, checked.output
    assert "changed: [westeurope] [CHECK MODE] Create the network: would create " in checked.output
    assert re.search(r"^\+\+\+ after: .*/virtualNetworks/vnet-example-westeurope$", checked.output, re.MULTILINE)
    assert arm.our_writes() == []

    first, again = site(arm, *words), site(arm, *words)
    assert (first.code, again.code) == (0, 0), first.output + again.output
    for run in (first, again):
        assert stages(run) == ["checks", "network", "aks", "registry", "keyvault", "dns", "aks", "dns"], run.output
        assert len(run.output.splitlines()) < 40 and "TASK [" not in run.output and ESCAPE not in run.output
        assert run.recap["westeurope"]["failed"] == 0 and "unreachable=0" in run.output
    assert (first.changed > 0, again.changed) == (True, 0)
    assert re.search(r"^changed: \[westeurope\] Create the network: created .*subnets vnet-example-westeurope/nodes", first.output, re.MULTILINE)
    assert "changed: " not in again.output

    told = site(arm, "--tags", "network", *WITHOUT_ZONES, "-v")
    assert "TASK [dualstack.aks.network : Apply | Create the network]" in told.output and stages(told) == []


def test_every_problem_has_a_line_of_its_own(arm: Lab) -> None:
    refused = site(arm, "-e", json.dumps({"network_zones": ["9"], "aks_maintenance_start_time": "3 o'clock", "registry_name": "no-name"}))
    assert refused.code == 2
    _, _, told = refused.output.partition("fatal: [westeurope]: FAILED! => checks | Stop with all violations, before anything is written:\n")
    problems = told.partition("\n0")[0].partition("\n1")[0].partition("\n2")[0].splitlines()
    assert len(problems) >= 3, refused.output
    assert [line for line in problems if not re.fullmatch(r"  - \w+.*: .+ \[\w+\]\. Remedy: .+", line)] == []
    assert "\\n" not in refused.output


def test_a_warning_is_shown(arm: Lab) -> None:
    assert site(arm, "--tags", "network", *WITHOUT_ZONES).code == 0
    group = f"{arm.group()}/providers/Microsoft.Network/networkSecurityGroups/nsg-example-westeurope-nodes"
    rule = {"access": "Allow", "direction": "Inbound", "priority": 3999, "protocol": "Tcp", "sourceAddressPrefix": "192.0.2.0/24"}
    ports = {"sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "8443"}
    body = arm.get(group)
    body["properties"]["securityRules"].append({"name": "foreign", "properties": {**rule, **ports}})
    arm.put(group, "2025-05-01", body)
    run = site(arm, "--tags", "network", *WITHOUT_ZONES)
    assert run.code == 0, run.output
    assert re.search(r"\[WARNING\]: \[westeurope\] .*removed undeclared items: .*foreign", " ".join(run.output.split())), run.output


def on_a_terminal(*command: str, environment: dict[str, str]) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        # Reading fails once nobody has the terminal any more.
        while True:
            try:
                found = os.read(ours, 65536)
            except OSError:
                break
            written += found
        process.wait()
    os.close(ours)
    return written.decode()


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A play of one role for fifty stamps of which one changes and one fails."""
    tasks = [
        {"name": "Say where", "ansible.builtin.debug": {"msg": "one cloud"}},
        {
            "name": "Apply | Make it",
            "ansible.builtin.assert": {"that": "inventory_hostname != 's49'", "fail_msg": "first\nsecond"},
            "changed_when": "inventory_hostname == 's7'",
        },
    ]
    role = tmp_path / "roles" / "network" / "tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text(yaml.safe_dump(tasks))
    play = {"name": "Apply", "hosts": "all", "connection": "local", "gather_facts": False, "roles": ["network"]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    return tmp_path / "play.yml"


def test_fifty_stamps_on_a_terminal(fleet: Path) -> None:
    stamps = ",".join(f"s{number}" for number in range(50))
    # The terminal's own type, so that colours are what a user gets.
    environment = {**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "TERM": "xterm-256color", "COLUMNS": "120"}
    environment.pop("ANSIBLE_NOCOLOR", None)
    printed = on_a_terminal(
        str(Path(sys.executable).with_name("ansible-playbook")), "-i", stamps, "--forks", "10", str(fleet), environment=environment
    )
    # Colours are all that a terminal gets beside text.
    assert ESCAPE in printed
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed).replace("\r\n", "\n")
    assert ESCAPE not in plain and "\r" not in plain
    above = plain.partition("PLAY RECAP")[0]
    assert len(above.splitlines()) < 15, above
    assert re.search(r"^ok: \[s\d+, s\d+, s\d+ and 47 more\] one cloud$", above, re.MULTILINE)
    assert "changed: [s7] Make it\n" in above
    assert "fatal: [s49]: FAILED! => network | Make it:\n  first\n  second\n" in above
    assert re.search(r"^\S+ network \| done in [\d.]+ s, 1 changed, 1 failed, 48 unchanged$", above, re.MULTILINE)
    assert plain.count(" ok=") == 50
