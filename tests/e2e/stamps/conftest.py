"""Two stamps for the files of this folder: their clusters have API servers and controllers, and no pod runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import Lab

#: westeurope's own IPv6 prefix, and a prefix that a security rule allows
PREFIX, OFFICE = "2001:db8:100::/40", "2001:db8:ffff:1::/64"


def office(source: str) -> dict[str, Any]:
    """A rule for IPv4 and IPv6."""
    return {"name": "office", "priority": 300, "protocol": "Tcp", "source": ["198.51.100.0/24", source], "destination_ports": ["443"]}


@pytest.fixture(scope="package")
def stamps() -> Iterator[Lab]:
    """Both planned and built by one run each."""
    with Lab() as lab:
        lab.set(dualstack_ipv6_prefix=PREFIX, network_security_rules=[office(OFFICE)])
        lab.register.write_text("dualstack_register: {}\n")
        planned = lab.playbook("plan", "-e", "plan_write=true", inventory="")
        assert planned.code == 0, planned.output
        run = lab.build(inventory="")
        assert set(run.recap) == {"westeurope", "northeurope"}
        yield lab
