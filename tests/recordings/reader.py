"""Recordings as scenarios: what a client asked Azure Resource Manager in one test, and what it answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from lab.arm import ids
from lab.supplies import go

MODULE = "github.com/Azure/azure-service-operator/v2@v2.18.0"
_HOST = "management.azure.com"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; bodies are read as JSON, and are None where there is none."""

    method: str
    path: str
    api_version: str
    body: Any
    status: int
    answer: Any

    @property
    def type(self) -> str:
        return ids.parse(self.path).type

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "PATCH", "DELETE")

    @property
    def code(self) -> str:
        """Azure's error code; empty where it accepted the request."""
        return error_code(self.status, self.answer)

    @property
    def is_settled(self) -> bool:
        """Whether the answer is a resource that nothing is changing."""
        return self.status in (200, 201) and isinstance(self.answer, dict) and not _is_changing(self.answer)


@dataclass(frozen=True)
class Scenario:
    name: str
    exchanges: list[Exchange]


def error_code(status: int, answer: Any) -> str:
    """The code of an answer that refuses, its status where it has none, empty for one that accepts."""
    if status < 400:
        return ""
    error = answer.get("error", answer) if isinstance(answer, dict) else {}
    return str(error.get("code") or status)


def _is_changing(value: Any) -> bool:
    """Whether the resource, or one within it, has a state other than Succeeded."""
    if isinstance(value, dict):
        return value.get("provisioningState", "Succeeded") != "Succeeded" or any(map(_is_changing, value.values()))
    return isinstance(value, list) and any(map(_is_changing, value))


def files() -> list[Path]:
    """The recordings, which Go downloads unless it has them. Raises :class:`lab.supplies.Missing` where there is no Go."""
    folder = go.module(MODULE)
    return sorted(folder.glob("internal/*/recordings/**/*.yaml"))


def read(path: Path) -> Scenario:
    """A recording in go-vcr's format (github.com/dnaeon/go-vcr, version 2), without what went elsewhere than to Resource Manager."""
    loaded = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return Scenario(path.stem, list(_exchanges(loaded["interactions"])))


def _exchanges(interactions: list[dict[str, Any]]) -> Iterator[Exchange]:
    for interaction in interactions:
        request, response = interaction["request"], interaction["response"]
        url = urlsplit(request["url"])
        if url.netloc == _HOST:
            version = parse_qs(url.query).get("api-version", [""])[0]
            yield Exchange(request["method"], url.path, version, _json(request["body"]), response["code"], _json(response["body"]))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
