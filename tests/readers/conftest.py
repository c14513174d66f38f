"""A lab for other clients of Azure: the Azure CLI and azure.azcollection, unmodified, each from a virtualenv of its own (``make readers``)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.state import CHECKOUT
from tests.harness import HANGING, Lab


def program(virtualenv: str, name: str) -> str:
    """Path of a program in one of the virtualenvs that ``make readers`` makes."""
    found = CHECKOUT / virtualenv / "bin" / name
    if not found.exists():
        pytest.fail(f"{found} is missing: run make readers")
    return str(found)


class Reader:
    """A program as a client of a lab: output and errors apart, and a home of its own."""

    def __init__(self, lab: Lab, virtualenv: str, **environment: str) -> None:
        self.lab, self.virtualenv = lab, virtualenv
        home = lab.folder / "home"
        home.mkdir(exist_ok=True)
        self.environment = lab.environment | {"HOME": str(home)} | environment

    def execute(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program(self.virtualenv, name), *words],
            cwd=self.lab.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HANGING,
        )


class Az(Reader):
    """The Azure CLI, logged in."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, ".venv-az", AZURE_CORE_COLLECT_TELEMETRY="false", AZURE_CORE_ONLY_SHOW_ERRORS="true", AZURE_CORE_NO_COLOR="true")
        given = self.environment
        self("cloud", "set", "--name", "Lab")
        user, secret, tenant = given["AZURE_CLIENT_ID"], given["AZURE_CLIENT_SECRET"], given["AZURE_TENANT_ID"]
        self("login", "--service-principal", "--username", user, "--password", secret, "--tenant", tenant)

    def __call__(self, *words: str) -> Any:
        """What a command prints as JSON, None when it prints nothing."""
        done = self.execute("az", *words, "--output", "json")
        assert done.returncode == 0, f"az {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *words: str) -> str:
        """The error code that a refused command prints."""
        done = self.execute("az", *words, "--output", "json")
        assert done.returncode != 0, done.stdout
        return done.stderr.removeprefix("ERROR: ").partition(")")[0].lstrip("(").strip()

    def complaint(self, *words: str) -> str:
        """What a refused command prints."""
        done = self.execute("az", *words, "--output", "json")
        assert done.returncode != 0, done.stdout
        return done.stderr

    def rows(self, *words: str) -> list[str]:
        """Names in the table that a command prints for people."""
        done = self.execute("az", *words, "--output", "table")
        assert done.returncode == 0, done.stderr
        return [line.split()[0] for line in done.stdout.splitlines()[2:]]


class Ansible(Reader):
    """ansible-core with the azure.azcollection of this checkout's .venv."""

    def __init__(self, lab: Lab) -> None:
        collections = (CHECKOUT / ".venv" / "collections").read_text().strip()
        super().__init__(
            lab,
            ".venv-azcollection",
            ANSIBLE_COLLECTIONS_PATH=str(Path(collections).parent),
            ANSIBLE_CONFIG=str(lab.folder / "ansible.cfg"),
            ANSIBLE_STDOUT_CALLBACK="ansible.posix.json",
            ANSIBLE_DEPRECATION_WARNINGS="false",
        )
        (lab.folder / "ansible.cfg").write_text("[defaults]\n")
        python = program(".venv-azcollection", "python")
        hosts = {"all": {"hosts": {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": python}}}}
        (lab.folder / "hosts.yml").write_text(yaml.safe_dump(hosts))

    def tasks(self, *tasks: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Run modules of azure.azcollection one after the other; the result of each."""
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{f"azure.azcollection.azure_rm_{module}": arguments} for module, arguments in tasks],
        }
        playbook = self.lab.folder / "play.yml"
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        done = self.execute("ansible-playbook", "-i", "hosts.yml", playbook.name)
        assert done.stdout.startswith("{"), f"{done.stdout}\n{done.stderr}"
        results = [task["hosts"]["localhost"] for task in json.loads(done.stdout)["plays"][0]["tasks"]]
        assert done.returncode == 0, f"{results[-1]['action']}: {results[-1].get('msg')}"
        return results

    def inventory(self, source: dict[str, Any]) -> dict[str, Any]:
        (self.lab.folder / "azure_rm.yml").write_text(yaml.safe_dump(source))
        done = self.execute("ansible-inventory", "-i", "azure_rm.yml", "--list")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--no-kubernetes", "--time-scale", "0.001") as lab:
        yield lab


@pytest.fixture(scope="module")
def az(lab: Lab) -> Az:
    return Az(lab)


@pytest.fixture(scope="module")
def ansible(lab: Lab) -> Ansible:
    return Ansible(lab)
