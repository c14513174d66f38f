"""A fleet in two slices, as AWX cuts it: each run goes through ansible-runner's transmit, worker and process, which are processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.arm.store import Store
from tests import fleet
from tests.harness import HANGING, Lab, Run

STAMPS, SLICES = 3, 2
RUNNER = Path(sys.executable).parent / "ansible-runner"
#: what a worker sends back is below this folder of its own
REPORT = "{{ lookup('ansible.builtin.env', 'AWX_ISOLATED_DATA_DIR') }}/report"


@dataclass
class Slice:
    """One slice: its private data directory, and the stamps that it has."""

    folder: Path
    stamps: list[str]

    def start(self, stack: ExitStack, worker: dict[str, str], playbook: str, *words: str) -> subprocess.Popen[str]:
        """Begin a run; what is returned prints it. Only the worker knows of Azure."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ARM_"))}
        # Without suppression the arguments of one run stay in env/, and hold for the next one too.
        sending: list[str | Path] = [
            RUNNER,
            "transmit",
            "--omit-env-files",
            self.folder,
            "--playbook",
            f"dualstack.aks.{playbook}",
            "--ident",
            playbook,
            *words,
        ]
        transmit = stack.enter_context(subprocess.Popen(sending, stdout=subprocess.PIPE, env=outside))
        work = stack.enter_context(subprocess.Popen([RUNNER, "worker"], stdin=transmit.stdout, stdout=subprocess.PIPE, env=worker))
        receiving: list[str | Path] = [RUNNER, "process", self.folder, "--ident", playbook]
        return stack.enter_context(
            subprocess.Popen(receiving, stdin=work.stdout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=outside, text=True)
        )

    def code(self, playbook: str) -> int:
        return int((self.folder / "artifacts" / playbook / "rc").read_text())

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "artifacts" / "verify" / "report" / "report.json").read_text())
        return found


class Fleet:
    """The slices of a lab's stamps, and runs of all of them at once."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.stamps = fleet.write(lab.inventories, STAMPS)
        hosts = yaml.safe_load((lab.inventories / "fleet.yml").read_text())["regions"]["hosts"]
        self.slices = []
        for number in range(SLICES):
            # AWX gives slice n of m each m-th host by name, from the n-th on.
            stamps = sorted(hosts)[number::SLICES]
            folder = lab.folder / "slices" / str(number + 1)
            shutil.copytree(lab.inventories, folder / "inventory")
            (folder / "inventory" / "fleet.yml").write_text(yaml.safe_dump({"regions": {"hosts": {name: hosts[name] for name in stamps}}}))
            (folder / "project").mkdir()
            (folder / "env").mkdir()
            (folder / "env" / "extravars").write_text(yaml.safe_dump({"verify_report_dir": REPORT}))
            self.slices.append(Slice(folder, stamps))

    def run(self, playbook: str, *words: str) -> list[Run]:
        secret, environment = self.lab.environment["AZURE_SECRET"], self.lab.environment
        # ansible-runner writes the environment of its worker to artifacts/<ident>/command: a secret in it would be sent back and stay there.
        environment = {name: value for name, value in environment.items() if value != secret}
        home = self.lab.folder / "home"
        (home / ".azure").mkdir(parents=True)
        (home / ".azure" / "credentials").write_text(f"[default]\nsecret={secret}\n")
        try:
            with ExitStack() as stack:
                begun = [found.start(stack, environment | {"HOME": str(home)}, playbook, *words) for found in self.slices]
                output = [process.communicate(timeout=HANGING)[0] for process in begun]
        finally:
            shutil.rmtree(home)
        return [Run(found.code(playbook), text) for found, text in zip(self.slices, output, strict=True)]


@pytest.fixture(scope="module")
def built() -> Iterator[Fleet]:
    with Lab("--no-kubernetes") as lab:
        made = Fleet(lab)
        shared = lab.playbook("shared", inventory="")
        assert shared.code == 0, shared.output
        for run in made.run("site", "--cmdline=--tags network", "--forks", "10"):
            assert run.code == 0, run.output
        yield made


def test_each_slice_makes_its_stamps(built: Fleet) -> None:
    networks = [key for key in Store(built.lab.state.store).resources if key.rpartition("/")[0].endswith("microsoft.network/virtualnetworks")]
    assert {key.rpartition("/vnet-example-")[2] for key in networks} == set(built.stamps)
    assert [len(found.stamps) for found in built.slices] == [2, 1]


def test_a_slice_sees_the_stamps_of_the_others_in_the_register(built: Fleet) -> None:
    ours, theirs = (found.stamps[0] for found in built.slices)
    register = yaml.safe_load(built.lab.register.read_text())["dualstack_register"]
    register["stamps"][theirs]["vnet"] = register["stamps"][ours]["vnet"]
    peered = {"dualstack_register": register, "dualstack_peered_stamps": [theirs]}
    run = built.lab.playbook("plan", "--limit", ours, "-e", json.dumps(peered), inventory="")
    assert run.code == 2
    assert f"overlaps {register['stamps'][ours]['vnet']['ipv4']} of {theirs}.vnet" in run.output


def test_the_fleet_report_has_the_stamps_of_all_slices(built: Fleet) -> None:
    runs = built.run("verify", "--forks", "10")
    # Nothing stands behind the clusters of this lab.
    assert [run.code for run in runs] == [2, 2]
    assert [[item["stamp"] for item in found.report["stamps"]] for found in built.slices] == [found.stamps for found in built.slices]

    folder = built.lab.folder / "report"
    words = ("-e", f"fleet_report_from={built.lab.folder / 'slices'}", "-e", f"fleet_report_dir={folder}")
    merged = built.lab.playbook("fleet_report", *words, inventory="")
    assert merged.code == 2
    assert f"{STAMPS} stamps: {STAMPS} failed" in merged.output
    report = json.loads((folder / "report.json").read_text())
    assert {item["stamp"]: item["results"] for item in report["stamps"]} == {
        item["stamp"]: item["results"] for found in built.slices for item in found.report["stamps"]
    }
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.json", "report.xml", "report.md"}

    shutil.rmtree(built.slices[1].folder / "artifacts" / "verify")
    merged = built.lab.playbook("fleet_report", *words, inventory="")
    assert merged.code == 2
    assert f"{STAMPS // 2} not reported" in merged.output
    report = json.loads((folder / "report.json").read_text())
    assert {item["stamp"] for item in report["stamps"] if item["results"][0]["evidence"] == "not reported"} == set(built.slices[1].stamps)


def test_no_secret_is_left(built: Fleet) -> None:
    secret = built.lab.environment["AZURE_SECRET"].encode()
    left = [path for path in built.lab.folder.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert [path for path in left if built.lab.state.folder not in path.parents] == []
