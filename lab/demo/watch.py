"""Clients that keep asking for each stamp by its name while a command runs, and what they got."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: seconds between two requests of a client for a stamp
_PAUSE = 0.5
_COLUMNS = ("stamp", "client", "over IPv6", "over IPv4", "no answer")


def outcome_of(answer: Mapping[str, Any]) -> str:
    """What a client got, as a column of the table calls it. ``answer`` is what :func:`lab.demo.__main__.request` returns."""
    if answer["status"] != 200:
        return "no answer"
    return "over IPv6" if ":" in answer["address"] else "over IPv4"


@dataclass
class Watched:
    """What one client got of one stamp."""

    stamp: str
    client: str
    counts: Counter[str] = field(default_factory=Counter)
    last: str = ""

    def add(self, outcome: str) -> bool:
        """Count an outcome; whether it differs from the one before."""
        self.counts[outcome] += 1
        changed, self.last = outcome != self.last, outcome
        return changed

    @property
    def row(self) -> tuple[str, ...]:
        return (self.stamp, self.client, *(str(self.counts[column]) for column in _COLUMNS[2:]))


def watch(
    pairs: Sequence[tuple[str, str]],
    request: Callable[[str, str], Mapping[str, Any]],
    command: Sequence[str],
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> tuple[int, list[tuple[str, ...]]]:
    """Run a command while each pair of stamp and client keeps requesting; its exit status, and the table of what they got.

    Prints each change of what a client gets as it happens.
    """
    watched = [Watched(stamp, client) for stamp, client in pairs]
    began, ended = time.monotonic(), threading.Event()

    def keep_requesting(own: Watched) -> None:
        while True:
            outcome = outcome_of(request(own.stamp, own.client))
            if own.add(outcome):
                told = f"answers {outcome}" if outcome.startswith("over") else outcome
                say(f"{time.monotonic() - began:6.1f} s  {own.stamp}: {own.client} gets {told}")
            if ended.wait(_PAUSE):
                return

    threads = [threading.Thread(target=keep_requesting, args=(own,), daemon=True) for own in watched]
    for thread in threads:
        thread.start()
    try:
        code = subprocess.run(command, env=environment, check=False).returncode
        # The name server reads its zones by a clock of its own; what the command has changed is seen by then.
        time.sleep(2)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    return code, [_COLUMNS, *(own.row for own in watched)]
