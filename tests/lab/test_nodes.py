"""What nodes need of the kernel."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from lab.kubernetes import nodes
from lab.state import CHECKOUT

#: takes every inotify instance that a user without rights may have, then asks whether a node has room
_EXHAUSTED = """
import ctypes, os
from lab.kubernetes import nodes
libc = ctypes.CDLL(None)
os.setuid(65534)
print(nodes.has_room(3))
while libc.inotify_init() >= 0:
    pass
print(nodes.has_room(1))
"""


def test_there_is_room_until_the_users_instances_are_used_up() -> None:
    if os.geteuid():
        # Another user's limit is what this uses up.
        pytest.fail("run the tests as root")
    run = subprocess.run([sys.executable, "-c", _EXHAUSTED], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["True", "False"], run.stderr


def test_a_node_without_room_says_what_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "has_room", lambda _number: False)
    with pytest.raises(nodes.NoRoom, match=r"5 nodes need 7 each. End other labs, or allow more: sysctl fs\.inotify\.max_user_instances=512"):
        asyncio.run(nodes.await_room(5, timeout=0))
