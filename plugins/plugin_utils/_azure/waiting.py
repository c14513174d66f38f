"""Waiting for Azure: pauses that grow, a limit, and a line of progress every 15 seconds.

This file is private to the collection.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from .errors import ArmFailure, is_busy

#: seconds between two lines about what is awaited
PROGRESS_SECONDS = 15
#: seconds that reads may take to see a write (learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found)
STALE_SECONDS = 60
#: seconds of the first pause, and of the longest
_PAUSES = (0.2, 10)
_GROWTH = 1.5


class Wait:
    """One wait, from now on until ``limit`` seconds have passed. ``progress`` is told the seconds so far."""

    def __init__(self, limit: float, progress: Callable[[float], None] = lambda _: None) -> None:
        self._limit, self._progress = limit, progress
        self._began = self._reported = time.monotonic()

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self._began >= self._limit

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past the limit, and report progress meanwhile."""
        until = min(time.monotonic() + seconds, self._began + self._limit)
        while (now := time.monotonic()) < until:
            if now - self._reported >= PROGRESS_SECONDS:
                self._reported = now
                self._progress(now - self._began)
            time.sleep(max(0, min(until, self._reported + PROGRESS_SECONDS) - now))

    def tries(self) -> Iterator[int]:
        """The number of each try, from 0: the first at once, each other after a longer pause, the last at the limit."""
        yield 0
        number, (pause, longest) = 0, _PAUSES
        while not self.is_over:
            # Controllers that wait for each other must not meet again.
            self.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * _GROWTH, longest)
            number += 1
            yield number


def repeat[T](attempt: Callable[[int], T], limit: float, report: Callable[[str], None], is_transient: Callable[[ArmFailure], bool] = is_busy) -> T:
    """What ``attempt`` returns once Azure accepts it; it gets the number of the try, and is repeated while a refusal ``is_transient``.

    ``report`` gets the reason for waiting. Raises the last :class:`~.errors.ArmFailure` after ``limit`` seconds.
    """
    wait = Wait(limit, lambda seconds: report(f"{failure.code}: {seconds:.0f} s"))
    for number in wait.tries():
        try:
            return attempt(number)
        except ArmFailure as error:
            if not is_transient(error):
                raise
            failure = error
    raise failure
