"""One request to Azure Resource Manager as handlers see it: the path is clean, the body is read, the caller is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .azure import Azure
from .kinds import Caller


@dataclass(frozen=True)
class Request:
    azure: Azure
    #: where clients reach the lab, such as https://localhost:10001
    endpoint: str
    method: str
    #: in the client's spelling, with single slashes and none at the end
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    caller: Caller
    #: its line in the journal; handlers add to it
    entry: dict[str, Any]
    #: path and query as they were sent
    target: str
