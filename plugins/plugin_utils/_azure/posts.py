"""POSTs that a task names under ``actions``, such as the import of an image.

This file is private to the collection.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._typed import Option
from .client import ArmClient
from .errors import ArmFailure, TimedOut
from .graph import entries_of
from .options import Options
from .outcomes import Failure
from .types import version_of
from .waiting import repeat

_ENTRY: Option = {"type": "dict", "options": {"id": {"required": True}, "action": {"required": True}, "body": {"type": "dict"}, "api_version": {}}}


@dataclass(frozen=True)
class Post:
    """One POST: ``action`` is the last segment of its path."""

    name: str
    id: str
    action: str
    api_version: str
    body: dict[str, Any] = field(default_factory=dict)


def posts_of(declared: Mapping[str, Any]) -> list[Post]:
    """The POSTs that a task names. Raises :class:`~.graph.DeclarationError` with all that is wrong."""
    return list(entries_of("actions", declared, _ENTRY, _post).values())


def _post(name: str, entry: Mapping[str, Any]) -> Post:
    version = entry.get("api_version") or version_of(entry["id"], entry["action"])
    return Post(name, entry["id"], entry["action"], version, dict(entry.get("body") or {}))


def send(client: ArmClient, posts: Sequence[Post], options: Options) -> list[Failure]:
    """Send them in parallel and wait for what they began."""
    with concurrent.futures.ThreadPoolExecutor(options.parallelism) as pool:
        return [failure for failure in pool.map(lambda post: _send(client, post, options), posts) if failure]


def _send(client: ArmClient, post: Post, options: Options) -> Failure | None:
    def attempt(_number: int) -> None:
        answer = client.begin(f"{post.id}/{post.action}", post.api_version, post.body)
        if options.wait:
            client.wait(answer, options.timeout, lambda seconds: options.progress(f"waiting for {post.action} {post.name}: {seconds:.0f} s"))

    try:
        repeat(attempt, options.timeout, lambda why: options.progress(f"{post.action} {post.name} is waiting: {why}"))
    except ArmFailure as error:
        return Failure.of(post.name, post.id, error, options.timeout)
    except TimedOut:
        message = f"Azure was still working on {post.action} after {options.timeout:.0f} s."
        return Failure(post.name, post.id, "TimedOut", message, "raise timeout, and run again")
    return None
