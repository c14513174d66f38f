"""Processes of a lab: started with a health check, stopped in order, never outliving the lab that started them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """For ``preexec_fn``: the kernel kills the child when the thread that started it ends (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class ProcessFailed(Exception):
    """A process that ended or did not become healthy; the message ends with the last lines of its log."""


class Process:
    """One program: ``start`` waits until it is healthy, ``stop`` until it has ended. A ``kept`` one is restarted when it ends."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        log: Path,
        healthy: Callable[[], Awaitable[bool]] | None = None,
        environment: dict[str, str] | None = None,
        umask: int = -1,
        kept: bool = False,
    ) -> None:
        self.name, self.arguments, self.log, self._healthy = name, arguments, log, healthy
        self._environment, self._umask = environment, umask
        self._process: asyncio.subprocess.Process | None = None
        self._kept = kept
        self._keeper: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, timeout: float = 180) -> None:
        await self._begin()
        if self._healthy is not None:
            await self._await_health(self._healthy, timeout)
        if self._kept:
            self._keeper = asyncio.create_task(self._keep())

    async def _begin(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                umask=self._umask,
                preexec_fn=die_with_parent,
                start_new_session=True,
            )

    async def _keep(self) -> None:
        """As systemd does with ``Restart=always``."""
        while self._kept and self._process is not None:
            code = await self._process.wait()
            if self._kept:
                with self.log.open("a") as log:
                    log.write(f"lab: {self.name} ended with {code} and is started again\n")
                await asyncio.sleep(1)
            if self._kept:
                await self._begin()

    async def _await_health(self, healthy: Callable[[], Awaitable[bool]], timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                while not await healthy():
                    if not self.running:
                        raise ProcessFailed(f"{self.name} ended:\n{self._tail()}")
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise ProcessFailed(f"{self.name} was not healthy within {timeout} s:\n{self._tail()}") from error

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    async def stop(self, timeout: float = 15) -> None:
        """SIGTERM, and SIGKILL after ``timeout`` seconds."""
        self._kept = False
        await self._end(timeout)
        if self._keeper:
            # It may have been starting the program again.
            await self._keeper
            await self._end(timeout)

    async def _end(self, timeout: float) -> None:
        if self._process is None or not self.running:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(timeout):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def is_lab(pid: int) -> bool:
    """Whether ``pid`` is a lab's server: the kernel may have given the number to another process."""
    try:
        return b"lab\0serve\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def terminate(pid: int, timeout: float) -> bool:
    """Stop a lab's server by its id; False when it runs on after ``timeout`` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while is_lab(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def await_end(pid: int, server: int, timeout: float) -> bool:
    """Wait until a process forked by the server with id ``server`` has ended; False when it still runs after ``timeout`` seconds.

    The first process of a namespace ends after all others there (pid_namespaces(7)).
    """
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # The kernel may have given the id to another process; forks of a server belong to the server's session.
        return os.getsid(pid) != server or bool(select.select([process], [], [], timeout)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(process)
