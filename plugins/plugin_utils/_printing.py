"""How lines of Ansible's first process reach their reader.

This file is private to the collection.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from functools import cache


@cache
def print_at_once() -> None:
    """Write each line at once, also into a pipe, where progress would otherwise appear only when the wait is over.

    When the reader stops early, as head does, further lines are discarded and the run goes on.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        # As Ansible does with these methods, for its lock.
        for name in ("write", "flush"):
            setattr(stream.buffer, name, _to_whoever_reads(stream, getattr(stream.buffer, name)))
        stream.reconfigure(line_buffering=True)


def _to_whoever_reads[**P, T](stream: io.TextIOWrapper, method: Callable[P, T]) -> Callable[P, T]:
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            return method(*args, **kwargs)

    return called
