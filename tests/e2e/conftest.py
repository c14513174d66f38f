"""Labs of the tests' own, and a hand on what they store."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from lab.__main__ import client_environment
from lab.arm import journal
from lab.kubernetes import binaries
from lab.state import CHECKOUT, State

OURS = "dualstack.aks/"


@dataclass
class Run:
    """What a command printed and how it ended."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Host -> ok, changed, failed, … of Ansible's recap."""
        rows = re.findall(r"^(\S+)\s+: (ok=.*)$", self.output, re.MULTILINE)
        return {host: {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in rows}

    @property
    def changed(self) -> int:
        return sum(counts["changed"] for counts in self.recap.values())


class Lab:
    """One running lab, with a copy of the sample inventories that tests may change."""

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dsaks-"))
        self.state = State(self.folder / "lab")
        self.inventories = self.folder / "inventories"
        shutil.copytree(CHECKOUT / "inventories", self.inventories)
        self.up(*options)

    def up(self, *options: str) -> None:
        subprocess.run([sys.executable, "-m", "lab", "up", "--state", str(self.state.folder), *options], check=True, cwd=CHECKOUT, timeout=180)

    def down(self) -> None:
        subprocess.run([sys.executable, "-m", "lab", "down", "--state", str(self.state.folder)], check=True, cwd=CHECKOUT, timeout=90)

    def close(self) -> None:
        self.down()
        shutil.rmtree(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        return client_environment(self.state) | {"ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}

    def popen(self, *words: str) -> subprocess.Popen[str]:
        """Start a command as a client of this lab."""
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, timeout: float = 300) -> Run:
        process = self.popen(*words)
        output, _ = process.communicate(timeout=timeout)
        return Run(process.returncode, output)

    def playbook(self, name: str, *arguments: str, inventory: str = "westeurope.yml", timeout: float = 300) -> Run:
        """Run one of the collection's playbooks by its full name."""
        return self.run("ansible-playbook", "-i", str(self.inventories / inventory), f"dualstack.aks.{name}", *arguments, timeout=timeout)

    def set(self, **variables: Any) -> None:
        """Variables of the stamp westeurope, beyond the sample's."""
        folder = self.inventories / "host_vars"
        folder.mkdir(exist_ok=True)
        (folder / "westeurope.yml").write_text(yaml.safe_dump(variables))

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        return list(journal.read(self.state.journal))[since:]

    def our_writes(self, since: int = 0) -> list[str]:
        """What our client sent that was meant to change something."""
        return [f"{entry['method']} {entry['path']}" for entry in self.entries(since) if entry["client"].startswith(OURS) and journal.is_write(entry)]

    # Azure as another client sees it

    @property
    def subscription(self) -> str:
        return f"/subscriptions/{self.environment['AZURE_SUBSCRIPTION_ID']}"

    def group(self, stamp: str = "westeurope") -> str:
        return f"{self.subscription}/resourceGroups/rg-example-{stamp}"

    def call(self, method: str, path: str, api_version: str, body: Any = None) -> requests.Response:
        environment = self.environment
        endpoint, bundle = environment["AZURE_CLOUD_ENVIRONMENT"], environment["REQUESTS_CA_BUNDLE"]
        form = {
            "grant_type": "client_credentials",
            "client_id": environment["AZURE_CLIENT_ID"],
            "client_secret": environment["AZURE_SECRET"],
            "scope": f"{endpoint}/.default",
        }
        token = requests.post(f"{endpoint}/{environment['AZURE_TENANT']}/oauth2/v2.0/token", data=form, verify=bundle, timeout=30).json()
        headers = {"Authorization": f"Bearer {token['access_token']}", "User-Agent": "another-client/1.0"}
        return requests.request(
            method, f"{endpoint}{path}", params={"api-version": api_version}, json=body, headers=headers, verify=bundle, timeout=30
        )

    def get(self, path: str, api_version: str = "2025-05-01") -> dict[str, Any]:
        """A resource as a client reads it, {} when it is not there."""
        answer = self.call("GET", path, api_version)
        if answer.status_code == 404:
            return {}
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def network(self, path: str, stamp: str = "westeurope") -> dict[str, Any]:
        return self.get(f"{self.group(stamp)}/providers/Microsoft.Network/{path}")

    @property
    def cluster_id(self) -> str:
        return f"{self.group()}/providers/Microsoft.ContainerService/managedClusters/aks-example-westeurope"

    def kubectl(self, *words: str) -> Any:
        """What kubectl prints as JSON, asked as the cluster's own administrator of the lab."""
        folders = [folder for folder in self.state.clusters.iterdir() if (folder / "cloud-controller-manager.kubeconfig").exists()]
        configuration = str(folders[0] / "cloud-controller-manager.kubeconfig")
        printed = subprocess.run(
            [str(binaries.path_of("kubectl")), "--kubeconfig", configuration, *words, "-o", "json"], capture_output=True, check=True, timeout=60
        )
        return json.loads(printed.stdout)


@pytest.fixture(scope="session")
def stamp() -> Iterator[Lab]:
    """A lab in which site.yml has built the stamp westeurope."""
    lab = Lab()
    try:
        for name in ("shared", "site"):
            run = lab.playbook(name)
            assert run.code == 0, run.output
        yield lab
    finally:
        lab.close()


@pytest.fixture
def arm() -> Iterator[Lab]:
    """An empty subscription without clusters behind it."""
    lab = Lab("--no-kubernetes")
    try:
        yield lab
    finally:
        lab.close()
