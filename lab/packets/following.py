"""Bringing packets to what is stored, whenever that has changed."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable


async def follow(changed: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work`` after each change, until it is cancelled."""
    while True:
        await changed.wait()
        changed.clear()
        try:
            await work()
        except Exception:
            # One broken state, such as a node on its way out, must not end the data path of all others; it is logged and retried.
            traceback.print_exc()
            await asyncio.sleep(1)
            changed.set()
        await asyncio.sleep(0.05)
