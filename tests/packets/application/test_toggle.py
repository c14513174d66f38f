"""IPv6 on and off under load, killed anywhere, held, consented to; and IPv4 as it was.

The lab's own clients ask every public entrance each 100 ms and journal what changes; these tests read it together with what was published.
"""

from __future__ import annotations

import bisect
import time
from typing import Any

import pytest

from tests.harness import Lab, Run, until
from tests.sweep.cases import differences

#: what of site.yml switches, or leaves alone
SITE = ("site", "--tags", "ingress,dns")
OFF, ON = ("-e", "dualstack_ipv6=disabled"), ("-e", "dualstack_ipv6=enabled")
#: the tasks at which a stage begins
STAGES = {
    OFF: (
        "Hold IPv6 against",
        "Withdraw | Delete the records",
        "Switch off | Wait",
        "Drain | Wait for connections",
        "Remove | Delete the entrances",
    ),
    ON: ("Objects | Apply the objects", "Ask | Probe every listener", "Publish | Write the records"),
}


def toggle(lab: Lab, *words: str) -> Run:
    run = lab.playbook("toggle_ipv6", *words)
    assert run.code == 0, run.output
    return run


def watched(lab: Lab, since: int) -> dict[str, list[tuple[float, bool]]]:
    """IP version -> what the 100 ms clients saw: (when it changed, whether there was an answer)."""
    found: dict[str, list[tuple[float, bool]]] = {"ipv4": [], "ipv6": []}
    for entry in lab.entries(since):
        if entry["client"].startswith("lab-watch"):
            found["ipv6" if "[" in entry["path"] else "ipv4"].append((entry["time"], entry["status"] == 200))
    return {family: sorted(changes) for family, changes in found.items()}


def published(lab: Lab, since: int) -> list[tuple[float, bool]]:
    """When AAAA was in the public zone, as the journal has it: (when it changed, whether it was there)."""
    changes = []
    for entry in lab.entries(since):
        if "/dnszones/" in str(entry["path"]).lower() and "/aaaa/" in str(entry["path"]).lower() and entry["status"] in (200, 201):
            if entry["method"] == "PUT":
                changes.append((entry["time"], True))
            elif entry["method"] == "DELETE":
                changes.append((entry["time"] + entry["seconds"], False))
    return changes


def silent_while_published(lab: Lab, since: int, ipv6: bool, aaaa: bool) -> list[tuple[float, float]]:
    """Spans in which AAAA could be had and IPv6 did not answer; ``ipv6`` and ``aaaa`` are how it began."""
    answers, records = watched(lab, since)["ipv6"], published(lab, since)
    moments = sorted({moment for moment, _ in answers + records})

    def at(changes: list[tuple[float, bool]], begin: bool, moment: float) -> bool:
        position = bisect.bisect_right([when for when, _ in changes], moment)
        return changes[position - 1][1] if position else begin

    spans = zip(moments, [*moments[1:], time.time()], strict=True)
    return [span for span in spans if at(records, aaaa, span[0]) and not at(answers, ipv6, span[0])]


def failures_of_ipv4(lab: Lab, since: int) -> list[Any]:
    return [change for change in watched(lab, since)["ipv4"] if not change[1]]


def aaaa_exists(lab: Lab) -> bool:
    zone = f"{lab.group('shared')}/providers/Microsoft.Network/dnsZones/aks.example.org"
    return lab.call("GET", f"{zone}/AAAA/www.westeurope", "2018-05-01").status_code == 200


def ipv6_address(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = lab.network("publicIPAddresses/pip-example-westeurope-ipv6")
    return found


def test_off_and_on_under_load(lab: Lab) -> None:
    """IPv4 answers throughout; IPv6 answers from its first AAAA on, and as long as anybody may have it."""
    begin = len(lab.entries())
    assert aaaa_exists(lab)
    toggle(lab, *OFF)
    assert not aaaa_exists(lab)
    assert lab.as_client("ipv6-only", "curl", "-s", "-m", "2", f"http://[{ipv6_address(lab)['properties']['ipAddress']}]/").code != 0
    assert lab.as_client("ipv4-only", "curl", "-sf", "-m", "30", "http://www.westeurope.aks.example.org/").code == 0
    toggle(lab, *ON, "-e", "dns_ttl=3")
    assert aaaa_exists(lab)
    records = [entry for entry in lab.entries(begin) if entry["method"] == "PUT" and "/dnszones/aks.example.org/aaaa/" in entry["path"].lower()]
    assert [entry["body"]["properties"]["TTL"] for entry in records] == [2, 3]
    # The name server reads its zones again by a clock of its own.
    until(lambda: lab.as_client("ipv6-only", "curl", "-sf", "-m", "30", "http://www.westeurope.aks.example.org/").code == 0, within=10)
    assert failures_of_ipv4(lab, begin) == []
    assert silent_while_published(lab, begin, True, True) == []
    withdrawn = next(when for when, there in published(lab, begin) if not there)
    gone = next(when for when, answered in watched(lab, begin)["ipv6"] if not answered)
    assert gone - withdrawn > 3, "resolvers that still had AAAA were sent to an entrance that was gone"


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    assert toggle(lab, *ON).changed == 0


def test_check_mode_prints_the_stages_and_changes_nothing(lab: Lab) -> None:
    before = lab.end_state()
    run = toggle(lab, *OFF, "--check")
    for stage in ("1 AAAA: withdrawn", "2 resolvers: 3 s to forget it", "3 connections: 10 s at most until they end", "4 entrance: to be deleted"):
        assert stage in run.output
    assert differences(before, lab.end_state()) == ""


def test_ipv4_that_changed_meanwhile_is_named(lab: Lab) -> None:
    """Somebody changes an IPv4 object while IPv6 is switched off: the run fails and names it."""
    process = lab.start_playbook("toggle_ipv6", *OFF, "-e", "toggle_reason='ticket 4711'")
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if "Switch off | Wait" in line:
            lab.kubectl("-n", "dualstack-ingress", "label", "service", "entrance-ipv4", "somebody=else")
    code = process.wait()
    lab.kubectl("-n", "dualstack-ingress", "label", "service", "entrance-ipv4", "somebody-")
    assert code == 2, output
    assert "Service entrance-ipv4.labels.somebody is new: 'else'" in " ".join(output.split())


def test_a_hold_against_the_inventory(lab: Lab) -> None:
    """The previous test left a hold. site.yml respects and reports it; a toggle that agrees with the inventory ends it."""
    tag = ipv6_address(lab)["tags"]["dualstack-hold"]
    assert tag.startswith("disabled since 20") and tag.endswith("ticket 4711")
    site = lab.playbook(*SITE)
    assert site.code == 0 and "ticket 4711" in " ".join(site.output.split()), site.output
    assert not aaaa_exists(lab)
    assert ipv6_address(lab)["tags"]["dualstack-hold"] == tag
    toggle(lab, "-e", "ipv6=enabled")
    assert "dualstack-hold" not in ipv6_address(lab)["tags"]
    assert aaaa_exists(lab)


def test_a_desired_state_that_differs_is_reported_and_not_applied(lab: Lab) -> None:
    """Without consent site.yml leaves IPv6 as it is, with the command to change it; with consent it goes through the stages."""
    begin = len(lab.entries())
    lab.change(dualstack_ipv6="disabled")
    try:
        _left_until_consent(lab)
    finally:
        lab.change(dualstack_ipv6="enabled")
        site = lab.playbook(*SITE, "-e", "dualstack_ipv6_flip=true")
    assert site.code == 0, site.output
    assert aaaa_exists(lab)
    assert failures_of_ipv4(lab, begin) == []
    assert silent_while_published(lab, begin, True, True) == []


def _left_until_consent(lab: Lab) -> None:
    site = lab.playbook(*SITE)
    said = " ".join(site.output.split())
    assert site.code == 0 and site.changed == 0, site.output
    assert "IPv6 is enabled and the inventory declares it disabled" in said
    assert "toggle_ipv6 -e dualstack_ipv6=disabled --limit westeurope" in said
    assert aaaa_exists(lab)
    site = lab.playbook(*SITE, "-e", "dualstack_ipv6_flip=true")
    assert site.code == 0, site.output
    assert not aaaa_exists(lab)
    assert lab.playbook(*SITE).changed == 0


def test_killed_at_every_stage_and_resumed(lab: Lab) -> None:
    """Off and on, killed where each stage begins: a further run ends where an undisturbed one does, and nobody was sent into silence."""
    begin = len(lab.entries())
    for words, stages in STAGES.items():
        for stage in stages:
            kill_at(lab, stage, *words)
        toggle(lab, *words)
        assert aaaa_exists(lab) is (words == ON)
    assert failures_of_ipv4(lab, begin) == []
    assert silent_while_published(lab, begin, True, True) == []


def kill_at(lab: Lab, stage: str, *words: str) -> None:
    """Run the toggle and kill it, with all it started, half a second after it said that it begins a stage."""
    process = lab.start_playbook("toggle_ipv6", *words)
    assert process.stdout is not None
    line = next((line for line in process.stdout if line.startswith("TASK [") and stage in line), None)
    assert line, f"the run did not come to {stage}"
    time.sleep(0.5)
    lab.kill(process)


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "a desired state that is neither": ({"dualstack_ipv6": "on"}, "ingress_ipv6: 'on' is not one of enabled, disabled"),
    "nobody to ask": ({"dualstack_ipv6": "enabled", "probe_families": ["ipv4"]}, "no host of the inventory group probes has ipv6"),
    "no cluster": (
        {"dualstack_ipv6": "disabled", "ingress_cluster_id": "{group}/providers/Microsoft.ContainerService/managedClusters/none"},
        "Run the role aks first",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_before_anything_is_changed(lab: Lab, case: str) -> None:
    variables, remedy = REFUSALS[case]
    begin = len(lab.entries())
    run = lab.playbook("toggle_ipv6", *(word for name, value in variables.items() for word in ("-e", lab.extra(name, value))))
    assert run.code == 2, run.output
    assert remedy in " ".join(run.output.split()), run.output
    assert lab.our_writes(begin) == []
