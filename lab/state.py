"""Where a lab lives and what it was started with."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import yaml

from .arm.options import PRINCIPALS, Options
from .ports import free_port
from .process import await_end, is_lab

CHECKOUT = Path(__file__).parent.parent


@dataclass
class Settings:
    """``lab.json``: the options of ``up``, and the port, which is kept over restarts."""

    azure: Options = field(default_factory=Options)
    port: int = 0
    latency: float = 0
    #: nodes, load balancers and clients are real; else clusters have Node objects only
    packets: bool = False
    #: clients keep requesting every public entrance, and the journal records the results
    watch: bool = False


class State:
    """A lab's folder: settings, secrets, store, journal, log and clusters."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.secrets = self.folder / "secrets"
        self.journal = self.folder / "journal.jsonl"
        self.log = self.folder / "lab.log"
        self.store = self.folder / "azure.sqlite"
        self.clusters = self.folder / "clusters"
        self.clients = self.folder / "clients"
        self.ready = self.folder / "ready"
        self._pid = self.folder / "pid"
        self.first_process = self.folder / "first-process"
        self._settings = self.folder / "lab.json"

    @staticmethod
    def default() -> State:
        """``LAB_STATE``, else ``.cache/lab`` in the checkout."""
        return State(Path(os.environ.get("LAB_STATE") or CHECKOUT / ".cache" / "lab"))

    @property
    def pid(self) -> int:
        """The server's process id, 0 when none runs."""
        try:
            pid = int(self._pid.read_text())
        except (OSError, ValueError):
            return 0
        return pid if is_lab(pid) else 0

    @pid.setter
    def pid(self, value: int) -> None:
        self._pid.write_text(str(value))

    def remember_first_process(self, process: int) -> None:
        """Where there are packets: the process, as the machine sees it, whose namespaces are the lab's."""
        self.first_process.write_text(str(process))

    def await_end(self, timeout: float) -> bool:
        """Wait until the processes of a killed server have ended; False when one still runs after ``timeout`` seconds."""
        try:
            return await_end(int(self.first_process.read_text()), int(self._pid.read_text()), timeout)
        except (FileNotFoundError, ValueError):
            return True

    @property
    def label(self) -> str:
        """Part of the names of what others see of this lab: namespaces, control groups."""
        return f"lab-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:6]}"

    def load(self) -> Settings:
        loaded = json.loads(self._settings.read_text())
        return Settings(Options(**loaded.pop("azure")), **loaded)

    def create(self, settings: Settings) -> None:
        """Make the folder, or continue with an existing one, which keeps its port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.secrets.mkdir(mode=0o700, exist_ok=True)
        self.clusters.mkdir(exist_ok=True)
        self.forget_clients()
        settings.port = self.load().port if self._settings.exists() else settings.port or free_port()
        for name in PRINCIPALS:
            secret = self.secrets / name
            if not secret.exists():
                secret.touch(mode=0o600)
                # hexadecimal: a secret that began with '-' would be an option to `az login --password`
                secret.write_text(secrets.token_hex(24))
        self._settings.write_text(json.dumps(asdict(settings), indent=2) + "\n")

    @property
    def client_secret(self) -> str:
        return self.secret_of("client")

    def secret_of(self, principal: str) -> str:
        """The secret of a service principal, by its name."""
        return (self.secrets / principal).read_text()

    def kubeconfigs(self) -> dict[str, Path]:
        """Cluster name -> kubeconfig of an administrator."""
        found = self.clusters.glob("*/administrator.kubeconfig") if self.clusters.exists() else ()
        return {yaml.safe_load(path.read_text())["current-context"]: path for path in found}

    def forget_clients(self) -> None:
        """Remove the programs of clients: their networks exist only while the lab runs."""
        shutil.rmtree(self.clients, ignore_errors=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
