"""What commands print, where the reader may stop reading: ``python -m lab journal | head``."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Iterator, Mapping
from typing import NoReturn


@contextlib.contextmanager
def ending_with_its_reader() -> Iterator[None]:
    """End as other programs do when nobody reads any more: by SIGPIPE, which Python ignores, and without a word."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if _is_read():
            raise
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)


def _is_read() -> bool:
    """Whether somebody still reads what this process prints, so that it was another pipe that broke."""
    output = select.poll()
    # The kernel reports a pipe without readers whether it is asked for it or not.
    output.register(sys.stdout.fileno(), 0)
    return not output.poll(0)


def become(program: str | os.PathLike[str], words: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by a program, which finds SIGPIPE as a shell would have left it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvpe(program, words, environment)
