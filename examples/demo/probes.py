#!/usr/bin/env python3
"""Inventory script: the clients of the lab that runs, as the group ``probes``; they ask the entrances for an answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.__main__ import inventory
from lab.state import State


def groups() -> dict[str, Any]:
    """What Ansible reads of a script: groups with their hosts, and the hosts' variables."""
    hosts = inventory(State.default())["probes"]["hosts"]
    found: dict[str, Any] = {"probes": {"hosts": sorted(hosts)}, "_meta": {"hostvars": hosts}}
    if not hosts:
        # Without packets no pod runs, so nothing rolls out.
        found["regions"] = {"vars": {"ingress_await_rollout": False}}
    return found


if __name__ == "__main__":
    print(json.dumps(groups()))
