"""How a task of the engine runs.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .graph import Resource


@dataclass
class Options:
    """``timeout`` is in seconds, for one resource; ``parallelism`` counts requests; ``stamp`` is the value of the tag that resources carry."""

    check: bool = False
    wait: bool = True
    timeout: float = 3600
    parallelism: int = 8
    stamp: str = ""
    #: prints a line about what is awaited
    progress: Callable[[str], None] = lambda _: None

    def reporter(self, what: str, resource: Resource) -> Callable[[float], None]:
        """Reports how many seconds ``what`` has been going on for a resource."""
        kind, name = resource.id.rsplit("/", 2)[-2:]
        return lambda seconds: self.progress(f"{what} {resource.handle} ({kind} {name}): {seconds:.0f} s")
