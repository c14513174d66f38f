"""Which mode is advised, and that none is advised that is rejected."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrances import MODES
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.mode_advice import (
    EDGES,
    POLICIES,
    SYSTEMS,
    MalformedSituation,
    ingress_mode_advice,
)

BOTH = {"application_listens_ipv6": True}
ONLY_IPV6 = {"application_listens_ipv4": False, "application_listens_ipv6": True}

#: situation -> mode, the modes that are rejected, and a part of the reasons
ADVICE: list[tuple[dict[str, Any], str, list[str], str]] = [
    ({}, "nat64", ["nat46", "split", "native"], "no Service changes"),
    (BOTH, "nat64", ["native"], "1.06 times the CPU"),
    ({**BOTH, "services_dual_stack": True}, "native", [], "with one Service each"),
    ({**BOTH, "services_dual_stack": True, "services": 40, "kubernetes_version": "1.26.3"}, "split", ["native"], "40 in all"),
    ({"services_dual_stack": True}, "nat64", ["nat46", "split", "native"], "IPv6 entrance translates"),
    (ONLY_IPV6, "nat46", ["nat64", "split", "native"], "IPv4 entrance translates"),
    ({"long_lived_share": 0.9}, "nat64", ["nat46", "split", "native"], "most connections are kept"),
    ({"edge": "application_gateway"}, "nat64", ["nat46", "split", "native"], "only over IPv4"),
    ({"edge": "front_door"}, "nat64", ["nat46", "split", "native"], "answers both families itself"),
    ({"network_policy": "azure"}, "nat64", ["nat46", "split", "native"], "azure is not supported"),
    ({"node_os": ["Linux", "Windows"]}, "nat64", ["nat46", "split", "native"], "does not support Windows pools"),
]

#: situation -> what the message names
ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"color": "red"}, "unknown keys: color"),
    ({"kubernetes_version": "new"}, "'new'"),
    ({"network_policy": "istio"}, "'istio'"),
    ({"edge": "cdn"}, "'cdn'"),
    ({"node_os": ["Plan9"]}, "Plan9"),
    ({"node_os": []}, "node_os"),
    ({"services": -1}, "-1"),
    ({"services": True}, "True"),
    ({"long_lived_share": 2}, "between 0 and 1"),
    ({"long_lived_share": "half"}, "'half'"),
    ({"services_dual_stack": "yes"}, "'yes'"),
    ({"application_listens_ipv4": False}, "no client can reach the application"),
]


@pytest.mark.parametrize(("situation", "mode", "rejected", "reason"), ADVICE)
def test_advice(situation: dict[str, Any], mode: str, rejected: list[str], reason: str) -> None:
    advice = ingress_mode_advice(situation)
    assert (advice.mode, list(advice.rejected)) == (mode, rejected)
    assert any(reason in text for text in advice.reasons), advice.reasons


@pytest.mark.parametrize(("situation", "message"), ERRORS)
def test_malformed(situation: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedSituation, match=message):
        ingress_mode_advice(situation)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "kubernetes_version": st.sampled_from(["1.24", "1.26.9", "1.27", "v1.36.3"]),
            "node_os": st.lists(st.sampled_from(SYSTEMS), min_size=1, unique=True),
            "network_policy": st.sampled_from(POLICIES),
            "edge": st.sampled_from(EDGES),
            "services": st.integers(0, 1000),
            "long_lived_share": st.floats(0, 1),
            "services_dual_stack": st.booleans(),
            "application_listens_ipv4": st.booleans(),
            "application_listens_ipv6": st.booleans(),
        },
    ).filter(lambda said: said.get("application_listens_ipv4", True) or said.get("application_listens_ipv6", False))
)
def test_no_mode_is_advised_that_is_rejected(situation: dict[str, Any]) -> None:
    advice = ingress_mode_advice(situation)
    assert advice.mode in MODES and advice.mode not in advice.rejected
    assert advice.reasons and all(advice.rejected.values())
