"""What clients get in the mode that the scenario is named after."""

from __future__ import annotations

import os

import pytest

from tests.clients import IPV4_CLIENT, IPV6_CLIENT, Answered
from tests.harness import Kubectl, Observer

testinfra_hosts = ["local://"]

#: mode -> client -> who answers it, and the family in which its entrance's proxies connect
MODES = {
    "nat46": {"ipv4-only": (Answered("both", "IPv6", IPV4_CLIENT), "IPv6"), "ipv6-only": (Answered("both", "IPv6", IPV6_CLIENT), "IPv6")},
    "split": {"ipv4-only": (Answered("web", "IPv4", IPV4_CLIENT), "IPv4"), "ipv6-only": (Answered("both", "IPv6", IPV6_CLIENT), "IPv6")},
    "native": {"ipv4-only": (Answered("both", "IPv4", IPV4_CLIENT), "IPv4"), "ipv6-only": (Answered("both", "IPv6", IPV6_CLIENT), "IPv6")},
}


@pytest.mark.parametrize("client", ["ipv4-only", "ipv6-only"])
def test_each_client_is_answered_in_its_own_family(stamp: Observer, client: str) -> None:
    answered, hop = MODES[os.environ["MOLECULE_SCENARIO_NAME"]][client]
    answered.check(stamp, client, hop)


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_each_entrance_has_one_family(kubectl: Kubectl, family: str) -> None:
    spec = kubectl("get", "service", f"entrance-{family.lower()}", "--namespace", "dualstack-ingress")["spec"]
    assert (spec["ipFamilyPolicy"], spec["ipFamilies"]) == ("SingleStack", [family])
