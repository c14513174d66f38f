"""What is refused before IPv6 of a running stamp is switched on or off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.switching import CHAPTER, Switch

GROUP = "/subscriptions/s/resourceGroups/rg/providers"
ON = Switch(
    desired="enabled",
    cluster_id=f"{GROUP}/Microsoft.ContainerService/managedClusters/aks",
    problem="",
    cluster_families=("IPv4", "IPv6"),
    address_id=f"{GROUP}/Microsoft.Network/publicIPAddresses/pip",
    address_exists=True,
    probe_families=("ipv4", "ipv6"),
)
OFF = replace(ON, desired="disabled")
MISSING = f"{ON.cluster_id} does not exist. Run the role aks first."

#: the switch, what is changed in it -> rule and subject of each violation
CASES: list[tuple[Switch, dict[str, Any], list[tuple[str, str]]]] = [
    (ON, {}, []),
    (OFF, {}, []),
    (ON, {"cluster_families": ("IPv6", "IPv4")}, []),
    (ON, {"desired": "on"}, [("toggle_wish", "dualstack_ipv6")]),
    (ON, {"problem": MISSING, "cluster_families": ()}, [("toggle_cluster", "ingress_cluster_id")]),
    (OFF, {"problem": MISSING, "cluster_families": ()}, [("toggle_cluster", "ingress_cluster_id")]),
    (ON, {"cluster_families": ("IPv4",)}, [("toggle_families", "ingress_cluster_id")]),
    (ON, {"address_exists": False}, [("toggle_address", "ingress_entrance_ipv6_id")]),
    (OFF, {"address_exists": False}, []),
    (ON, {"probe_families": ("ipv4",)}, [("toggle_probe", "probes")]),
    (OFF, {"probe_families": ()}, []),
    (
        ON,
        {"problem": MISSING, "cluster_families": (), "address_exists": False, "probe_families": ()},
        [("toggle_cluster", "ingress_cluster_id"), ("toggle_address", "ingress_entrance_ipv6_id"), ("toggle_probe", "probes")],
    ),
]

#: the rules that a case breaks
FAILING = {rule for *_, expected in CASES for rule, _ in expected}


@pytest.mark.parametrize(("switch", "change", "expected"), CASES)
def test_rules(switch: Switch, change: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(found.rule, found.subject) for found in CHAPTER.violations(replace(switch, **change))] == expected


def test_an_ipv4_only_cluster_is_named_with_the_way_to_convert_it() -> None:
    (found,) = CHAPTER.violations(replace(ON, cluster_families=("IPv4",)))
    assert found.found == "aks has only IPv4"
    assert "upgrade_dual_stack.yml" in found.remedy and "cannot be undone" in found.remedy
