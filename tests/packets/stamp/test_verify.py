"""verify.yml against a stamp with packets: healthy, with IPv6 cut off, repaired, and healthy again."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import yaml

from lab.packets import clients
from tests.harness import Lab, Run

GROUP = "nsg-example-westeurope-nodes"
RECORDS = "Microsoft.Network/{zones}/{zone}/{kind}/www.westeurope"
ZONES = {"dnsZones": ("aks.example.org", "2018-05-01"), "privateDnsZones": ("internal.example.org", "2024-06-01")}
PEER = "peer-of-vnet-example-westeurope"


def verify(lab: Lab, *arguments: str) -> tuple[Run, dict[tuple[str, str], dict[str, str]]]:
    """The run, and its results by check and family."""
    peer = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(clients.interpreter(lab.state.clients, PEER)),
        "probe_private": True,
    }
    inventory = lab.folder / "peer.yml"
    inventory.write_text(yaml.safe_dump({"probes": {"hosts": {PEER: peer}}}))
    folder = lab.folder / "report"
    run = lab.playbook("verify", "-i", str(inventory), "-e", f"verify_report_dir={folder}", "-e", "verify_timeout=7", *arguments)
    report = json.loads((folder / "report.json").read_text())
    return run, {(item["check"], item["family"]): item for item in report["stamps"][0]["results"]}


def records(lab: Lab, kind: str) -> list[dict[str, Any]]:
    base = f"{lab.group('shared')}/providers"
    paths = [(RECORDS.format(zones=zones, zone=zone, kind=kind), version) for zones, (zone, version) in ZONES.items()]
    return [lab.get(f"{base}/{path}", version) for path, version in paths]


def group(lab: Lab) -> str:
    return f"{lab.group()}/providers/Microsoft.Network/networkSecurityGroups/{GROUP}"


def deny_ipv6(lab: Lab) -> None:
    properties = {
        "access": "Deny",
        "direction": "Inbound",
        "priority": 150,
        "protocol": "Tcp",
        "sourceAddressPrefix": "2000::/3",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "80",
    }
    found = lab.get(group(lab))
    found["properties"]["securityRules"].append({"name": "no-web", "properties": properties})
    lab.put(group(lab), "2025-05-01", found)


def allow(lab: Lab, *ranges: str) -> None:
    """A NetworkPolicy that lets these in."""
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "partners", "namespace": "default"},
        "spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": cidr}} for cidr in ranges]}]},
    }
    path = lab.folder / "policy.json"
    path.write_text(json.dumps(manifest))
    lab.kubectl("apply", "-f", str(path))


def test_healthy(lab: Lab) -> None:
    before = len(lab.entries())
    run, found = verify(lab)
    assert run.code == 0, run.output
    assert {item["result"] for item in found.values()} == {"pass", "not applicable"}
    assert all(item["evidence"] for item in found.values())
    skipped = {(check, family) for check in ("applications", "network policies") for family in ("ipv4", "ipv6")} | {("hold", "ipv6")}
    assert {key for key, item in found.items() if item["result"] != "pass"} == skipped
    assert lab.our_writes(before) == []
    suite = ElementTree.parse(lab.folder / "report" / "report.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("westeurope", str(len(found)), "0", "5")
    assert "| entrance | **pass** 203.0.113.10 from" in (lab.folder / "report" / "report.md").read_text()
    stamp = json.loads((lab.folder / "report" / "report.json").read_text())["stamps"][0]
    assert {address["kind"] for address in stamp["addresses"]} == {"vnet", "subnet", "pods", "services"}
    assert stamp["drift"] == [] and stamp["topology"]["families"]["ipv6"]["address"] == "2001:db8:f::10"
    page = (lab.folder / "report" / "report.html").read_text()
    assert "<h1>westeurope passed</h1>" in page and "There is no earlier report" in page
    table = run.output.partition("Show the results")[2].partition("TASK")[0].splitlines()
    assert max(map(len, table[1:])) <= 100


def test_an_entrance_that_is_cut_off(lab: Lab) -> None:
    deny_ipv6(lab)
    allow(lab, "198.51.100.0/24")
    budget = {"spec": {"maxUnavailable": 2}}
    lab.kubectl("-n", "dualstack-ingress", "patch", "poddisruptionbudget", "entrance-ipv4", "--type=merge", "--patch", json.dumps(budget))
    four, six = records(lab, "A"), records(lab, "AAAA")
    before = len(lab.entries())
    run, found = verify(lab, "--check", "-e", "dns_repair=true")
    assert run.code == 2, run.output
    failed = {key for key, item in found.items() if item["result"] == "fail"}
    assert failed == {
        ("entrance", "ipv6"),
        ("public record", "ipv6"),
        ("private record", "ipv6"),
        ("security rules", "ipv4"),
        ("network policies", "ipv6"),
        # the rule in our group that denies IPv6 is nobody's declaration, and the disruption budget is ours
        ("as declared", "ipv6"),
        ("as declared", "ipv4"),
    }
    page = (lab.folder / "report" / "report.html").read_text()
    assert "<h1>westeurope failed</h1>" in page and "Compared with the report of" in page and ">broke</td>" in page
    assert found["as declared", "ipv4"]["evidence"] == "PodDisruptionBudget/entrance-ipv4 spec.maxUnavailable is 2, declared 1"
    assert "2001:db8:f::10 from" in found["entrance", "ipv6"]["evidence"]
    assert f"{GROUP}/no-web" in found["security rules", "ipv4"]["evidence"]
    assert "default/partners ingress 198.51.100.0/24" in found["network policies", "ipv6"]["evidence"]
    assert "would be withdrawn by this run" in found["public record", "ipv6"]["evidence"]
    assert lab.our_writes(before) == []
    assert (records(lab, "A"), records(lab, "AAAA")) == (four, six)


def test_the_record_of_a_silent_family_goes_when_told(lab: Lab) -> None:
    four = records(lab, "A")
    run, found = verify(lab, "-e", "dns_repair=true")
    assert run.code == 2, run.output
    assert "AAAA of www.westeurope.aks.example.org (public) and www.westeurope.internal.example.org (private) is withdrawn" in " ".join(
        run.output.split()
    )
    assert "withdrawn by this run" in found["private record", "ipv6"]["evidence"]
    assert records(lab, "AAAA") == [{}, {}]
    assert records(lab, "A") == four
    assert lab.as_client("ipv4-only", "getent", "ahostsv4", "www.westeurope.aks.example.org").code == 0


def test_what_is_mended_is_published_again(lab: Lab) -> None:
    allow(lab, "198.51.100.0/24", "2001:db8:1::/48")
    # The rule is not declared, so the role network takes it away.
    site = lab.playbook("site", "--tags", "network,ingress,dns")
    assert site.code == 0, site.output
    assert all(records(lab, "AAAA"))
    run, found = verify(lab)
    assert run.code == 0, run.output
    assert found["public answer", "ipv6"]["evidence"].endswith("resolves 2001:db8:f::10")
    lab.kubectl_text("delete", "networkpolicy", "partners", "--namespace", "default")
