"""One process with both sides: the lab's Azure on a thread of its own, and the engine that writes to it, with clocks that run faster."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import azure.core.pipeline.transport._base as azure_transport

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure import client, credentials, waiting
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.options import Options as EngineOptions
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reconcile import Reconciler
from lab.arm import journal
from lab.arm.faults import Fault
from lab.arm.http.server import Server
from lab.arm.options import Options
from lab.arm.store import Store
from lab.certificates import CertificateAuthority
from lab.ports import free_port
from tests.harness import ABSENT, DRAWN, OURS

from .recording import Task

#: how much faster the engine's clock runs, and seconds of the lab for one of Azure's
CLOCK = 200
TIME_SCALE = 0.0002
#: seconds of the engine's clock for one operation; what never ends costs this much
TIMEOUT = 120
#: seconds of the real clock after which a server counts as silent: where a fault may silence it, and in all other runs
READ_TIMEOUT, BUSY_TIMEOUT = 0.3, 60
_SECRET = "sweep secret that nobody may print"
#: what differs between two runs of the same: ids that Azure draws, times, addresses in the order of their allocation
_DRAWN = DRAWN | {"clientId", "customerId", "ipAddress", "ipAddresses", "privateIPAddress"}


#: (number of the request, whether it has been answered)
Watch = Callable[[int, bool], None]


class Killed(BaseException):
    """ansible-playbook was killed: nothing goes on from here."""


@dataclass
class Result:
    """How a run of the engine ended, and everything that it would have printed."""

    outcomes: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Any] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    killed: bool = False

    @property
    def done(self) -> bool:
        return not self.failures and not self.killed

    @property
    def changed(self) -> bool:
        return any(outcome.action != "none" for outcome in self.outcomes.values())


class Ground:
    """A server whose store is set before each run, and the engine's client of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "secrets").mkdir(exist_ok=True)
        self._folder = folder
        authority = CertificateAuthority(folder / "secrets" / "azure", "Sweep")
        certificate, key = authority.issue("server", "localhost", hosts=("localhost",))
        self._options = Options(time_scale=TIME_SCALE, kubernetes=False)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.server = Server(Store(), self._options, folder, free_port(), {"client": _SECRET, "reader": _SECRET})
        self._call(self.server.start(certificate, key))
        os.environ.update({"REQUESTS_CA_BUNDLE": str(authority.certificate_path), "AZURE_DISABLE_INSTANCE_DISCOVERY": "true"})
        os.environ.pop("ARM_CLOUD_METADATA_URL", None)
        self._login = credentials.login(
            {
                "cloud_environment": self.server.endpoint,
                "subscription_id": self._options.subscription,
                "tenant": self._options.tenant,
                "client_id": self._options.client,
                "secret": _SECRET,
                "auth_source": "env",
            }
        )
        self._token = self._login.credential.get_token(self._login.cloud.scope).token

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ABSENT)

    def close(self) -> None:
        self._call(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        shutil.rmtree(self._folder)

    def begin(self, store: Path, fault: Fault | None = None) -> None:
        """Azure as it was recorded, with at most one fault armed."""
        self._call(self._begin(store, fault))

    async def _begin(self, store: Path, fault: Fault | None) -> None:
        azure = self.server.azure
        self.server.faults.clear()
        self.server.faults.struck.clear()
        await azure.operations.stop()
        azure.store.close()
        copy = self._folder / "store.sqlite"
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(store, copy)
        azure.store = Store(copy)
        azure.operations.forced.clear()
        azure.operations.resume()
        if fault:
            self.server.faults.arm(fault)

    def end_of_faults(self) -> None:
        async def clear() -> None:
            self.server.faults.clear()

        self._call(clear())

    @property
    def struck(self) -> bool:
        return bool(self.server.faults.struck)

    def entries(self) -> list[dict[str, Any]]:
        """What the engine has asked since the last call."""
        found = [entry for entry in journal.read(self.server.journal.path) if entry["client"].startswith(OURS)]
        os.truncate(self.server.journal.path, 0)
        return found

    def run(self, task: Task, *, check: bool = False, watch: Watch | None = None) -> Result:
        """One run of the engine over a task; ``watch`` is told of each request, before it is sent and after its answer."""
        result = Result()
        options = EngineOptions(check=check, wait=task.wait, timeout=TIMEOUT, stamp=task.stamp, progress=result.printed.append)
        read_timeout = READ_TIMEOUT if self.server.faults.armed else BUSY_TIMEOUT
        with fast_clocks(), client.ArmClient(self._login, read_timeout=read_timeout) as arm:
            if watch:
                _watch(arm, watch)
            run = Reconciler(arm, task.resources, options)
            try:
                run.run()
            except Killed:
                result.killed = True
        result.outcomes, result.failures = run.outcomes, run.failures
        result.printed += [str(failure) for failure in run.failures.values()]
        return result

    def secrets_in(self, result: Result) -> list[str]:
        return [text for text in result.printed if self._token in text or _SECRET in text]

    def settled(self) -> dict[str, Any]:
        """Everything as a client reads it once nothing is under way, without what differs between two runs of the same."""

        async def idle() -> None:
            deadline = time.monotonic() + ABSENT
            while any(operation.status == "InProgress" for operation in self.server.azure.store.operations.values()):
                assert time.monotonic() < deadline, "an operation goes on"
                await asyncio.sleep(0.002)

        self._call(idle())
        azure = self.server.azure
        return comparable({key: azure.render(found) for key, found in sorted(azure.store.resources.items())})


def _watch(arm: Any, watch: Watch) -> None:
    """Number the requests of a client as they are sent."""
    send, lock, sent = arm._client._pipeline.run, threading.Lock(), [0]

    def run(request: Any, **options: Any) -> Any:
        with lock:
            sent[0] += 1
            mine = sent[0]
        watch(mine, False)
        answer = send(request, **options)
        watch(mine, True)
        return answer

    arm._client._pipeline.run = run


def killed_at(number: int, *, after: bool) -> Watch:
    """From its n-th request on, nothing of the run goes on, in any thread."""
    reached = threading.Event()

    def watch(mine: int, answered: bool) -> None:
        if mine == number and answered == after:
            reached.set()
        if reached.is_set() and (mine != number or answered == after):
            raise Killed

    return watch


@contextmanager
def fast_clocks() -> Iterator[None]:
    """The engine's and azure-core's waits take a fraction of their time."""
    sleep, monotonic = time.sleep, time.monotonic
    fast = types.SimpleNamespace(sleep=lambda seconds: sleep(seconds / CLOCK), monotonic=lambda: monotonic() * CLOCK)
    with ExitStack() as stack:
        for module in (client, waiting, azure_transport):
            stack.enter_context(mock.patch.object(module, "time", fast))
        yield


def comparable(snapshot: dict[str, Any]) -> dict[str, Any]:
    """A store without what Azure draws by lot; an identity's principal id becomes the identity's own id wherever it stands."""
    text = json.dumps({key: _lasting(body) for key, body in snapshot.items()})
    for key, body in snapshot.items():
        for principal in ((body.get("properties") or {}).get("principalId"), (body.get("identity") or {}).get("principalId")):
            if principal and "/roleassignments/" not in key:
                text = text.replace(principal, key)
    found: dict[str, Any] = json.loads(text)
    return found


def _lasting(value: Any) -> Any:
    """An empty list or mapping says the same as none."""
    if isinstance(value, dict):
        return {name: _lasting(item) for name, item in sorted(value.items()) if name not in _DRAWN and item not in (None, [], {})}
    if isinstance(value, list):
        items = [_lasting(item) for item in value]
        named = all(isinstance(item, dict) and "name" in item for item in items)
        # what was written in parallel stands in the order of its coming
        return sorted(items, key=lambda item: str(item["name"])) if named else items
    return value
