"""Processes that a lab starts."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from lab.process import Process, ProcessFailed, await_end
from tests.harness import HANGING


def test_one_that_is_kept_is_started_again_until_it_is_stopped(tmp_path: Path) -> None:
    runs, log = tmp_path / "runs", tmp_path / "log"

    async def run() -> None:
        process = Process("once", ["sh", "-c", f"echo run >> {runs}; exit 3"], log, kept=True)
        await process.start()
        async with asyncio.timeout(20):
            while not runs.exists() or len(runs.read_text().splitlines()) < 2:
                await asyncio.sleep(0.05)
        await process.stop()
        lines = runs.read_text()
        await asyncio.sleep(1.5)
        assert runs.read_text() == lines

    asyncio.run(run())
    assert "lab: once ended with 3 and is started again" in log.read_text()


def test_one_that_ends_before_it_is_healthy_is_named_with_what_it_said(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(ProcessFailed, match="broken ended:\nno such thing"):
        asyncio.run(Process("broken", ["sh", "-c", "echo no such thing"], tmp_path / "log", never).start())


def test_one_that_never_gets_healthy_is_named(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async def run() -> None:
        process = Process("slow", ["sh", "-c", "echo still at it; sleep 20"], tmp_path / "log", never)
        try:
            await process.start(timeout=2)
        finally:
            await process.stop()

    with pytest.raises(ProcessFailed, match=r"slow was not healthy within 2 s:\nstill at it"):
        asyncio.run(run())


def test_await_end() -> None:
    with subprocess.Popen(["sleep", "1d"]) as process:
        server = os.getsid(0)
        assert not await_end(process.pid, server, timeout=0.1)
        # A later process with the same id belongs to another session and is not awaited.
        assert await_end(process.pid, server + 1, timeout=0)
        process.kill()
        assert await_end(process.pid, server, timeout=HANGING)
        # A zombie has ended, even if its parent never reaps it.
        assert await_end(process.pid, server, timeout=0)
    assert await_end(process.pid, server, timeout=0)
