"""How far a long step is: a bar on a terminal, elsewhere a line every half a minute."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from . import Say

#: seconds between two lines
INTERVAL = 30.0


class Step:
    """A step under way. What does the work tells it how much is done, and of how much where that is known."""

    def __init__(self, what: str, unit: str, shown: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            transient=True,
            disable=not shown,
        )
        self._task = self._progress.add_task(what, total=None, state="")
        self._what, self._unit = what, unit

    def at(self, done: float, total: float | None = None) -> None:
        """``done`` units are done, of ``total``."""
        state = f"{done:.0f} of {total:.0f} {self._unit}" if total else f"{done:.0f} {self._unit}"
        self._progress.update(self._task, completed=done, total=total, state=state)

    @property
    def took(self) -> str:
        """Such as ``0:02:05``."""
        return str(timedelta(seconds=round(self._progress.tasks[0].elapsed or 0)))

    @property
    def line(self) -> str:
        """What it does, how far it is and since when."""
        return ", ".join(filter(None, (f"{self._what}: {self.took}", self._progress.tasks[0].fields["state"])))

    @contextlib.contextmanager
    def _reporting(self, say: Say) -> Iterator[None]:
        if not self._progress.disable:
            with self._progress:
                yield
            return
        ended = threading.Event()

        def report() -> None:
            # If the reader is gone, the step's own next line reports it.
            with contextlib.suppress(BrokenPipeError):
                while not ended.wait(INTERVAL):
                    say(self.line)

        reporter = threading.Thread(target=report, daemon=True)
        reporter.start()
        try:
            yield
        finally:
            ended.set()
            reporter.join()


@contextlib.contextmanager
def step(what: str, say: Say, unit: str = "") -> Iterator[Step]:
    """Show that ``what`` is going on until the block ends; the caller says what came of it."""
    started = Step(what, unit, shown=sys.stdout.isatty())
    with started._reporting(say):
        yield started
