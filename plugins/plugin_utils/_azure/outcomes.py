"""What came of each resource: an outcome or a failure.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .comparison import Difference
from .errors import ArmFailure, NotConverged, Refused, TimedOut, remedy_for
from .graph import Resource

#: errors that are the failure of one resource; anything else is a fault of the engine
EXPECTED = (ArmFailure, NotConverged, Refused, TimedOut)


@dataclass
class Outcome:
    """What happened to one resource: ``action`` is ``none``, ``create``, ``update`` or ``delete``."""

    id: str
    action: str
    differences: list[Difference] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)
    #: its operation goes on in Azure, and nobody waited for it
    running: bool = False
    #: somebody else's, and left as it is
    foreign: bool = False
    #: seconds since the start of the run: began, ended
    began: float = 0
    ended: float = 0

    @property
    def removals(self) -> list[str]:
        """Paths of what an update removes from lists that are ours alone."""
        gone = [difference.path for difference in self.differences if difference.after is None and difference.path.endswith("]")]
        return gone if self.action == "update" else []


@dataclass
class Failure:
    """Why one resource is not what was declared."""

    handle: str
    id: str
    code: str
    message: str
    remedy: str
    correlation: str = ""

    def __str__(self) -> str:
        trace = f" (correlation id {self.correlation})" if self.correlation else ""
        return f"{self.handle} ({self.id}): {self.code}: {self.message}{trace} Remedy: {self.remedy}."

    @classmethod
    def of(cls, handle: str, identifier: str, error: Exception, timeout: float) -> Failure:
        """The failure that one of the :data:`EXPECTED` errors means."""
        match error:
            case ArmFailure():
                return cls(handle, identifier, error.code, error.message, remedy_for(error.code), error.correlation)
            case Refused():
                return cls(handle, identifier, error.code, error.message, error.remedy)
            case TimedOut():
                remedy = "run again to wait for the same operation, or raise timeout"
                return cls(handle, identifier, "TimedOut", f"Azure was still working on it after {timeout:.0f} s.", remedy)
        remedy = "look for an Azure policy that changes these paths, or declare the values that it sets"
        return cls(handle, identifier, "NotConverged", str(error), remedy)


def critical_path(resources: Mapping[str, Resource], outcomes: Mapping[str, Outcome]) -> float:
    """Seconds of the longest chain of dependent resources."""
    longest: dict[str, float] = {}

    def length(handle: str) -> float:
        if handle not in longest:
            outcome = outcomes.get(handle)
            own = outcome.ended - outcome.began if outcome else 0
            longest[handle] = own + max((length(needed) for needed in resources[handle].needs), default=0)
        return longest[handle]

    return round(max(map(length, resources), default=0), 3)
