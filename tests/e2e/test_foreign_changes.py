"""What somebody else did to a stamp's resources: what stays, what is told, what is restored, and what a deletion stops at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.arm.store import Store
from lab.state import CHECKOUT
from tests.harness import AZURE_TAGS, Lab, until

PUBLISH = str(CHECKOUT / "tests" / "sweep" / "records.yml")
VNET = "virtualNetworks/vnet-example-westeurope"
NETWORK = "2025-05-01"
DNS = "2018-05-01"


@pytest.fixture(scope="module")
def built() -> Iterator[Lab]:
    """The stamp's resources, without a cluster behind them."""
    with Lab("--no-kubernetes") as lab:
        lab.build("--tags", AZURE_TAGS)
        yield lab


def change(lab: Lab, path: str, alter: dict[str, Any]) -> None:
    """As the portal does: what was read, with some properties changed."""
    body = lab.network(path)
    body["tags"] = body.get("tags", {}) | alter.pop("tags", {})
    body["properties"] |= alter
    lab.put(
        f"{lab.group()}/providers/Microsoft.Network/{path}",
        NETWORK,
        {key: body[key] for key in ("location", "tags", "properties", "sku") if key in body},
    )


def delete(lab: Lab, path: str, version: str) -> None:
    assert lab.call("DELETE", path, version).status_code in (200, 202, 204)
    until(lambda: not lab.get(path, version))


def test_what_is_declared_is_told_and_restored_and_the_rest_stays(built: Lab) -> None:
    nsg = "networkSecurityGroups/nsg-example-westeurope-nodes"
    change(built, nsg, {"tags": {"environment": "theirs", "owner": "them"}, "flushConnection": True})
    told = built.playbook("verify")
    assert "tags.environment is theirs, declared" in told.output
    assert "tags.owner" not in told.output

    diff = built.playbook("site", "--tags", "network", "--check", "--diff")
    assert diff.code == 0, diff.output
    assert "-tags.environment: theirs" in diff.output
    assert "tags.owner" not in diff.output
    restored = built.playbook("site", "--tags", "network")
    assert restored.code == 0, restored.output
    after = built.network(nsg)
    assert after["tags"]["environment"] == "sample"
    assert after["tags"]["owner"] == "them"
    assert after["properties"]["flushConnection"] is True


def test_a_record_that_became_an_alias_gets_its_records_back(built: Lab) -> None:
    """Azure takes records or the resource that a record set is an alias of, not both."""
    publish = ("ansible-playbook", "-i", str(built.inventories / "westeurope.yml"), PUBLISH)
    record = f"{built.group('shared')}/providers/Microsoft.Network/dnsZones/aks.example.org/AAAA/www.westeurope"
    assert built.run(*publish).code == 0
    published = built.get(record, DNS)
    address = built.network("publicIPAddresses/pip-example-westeurope-ipv6")["id"]
    built.put(record, DNS, {"properties": {"TTL": 60, "metadata": published["properties"]["metadata"], "targetResource": {"id": address}}})
    checked = built.run(*publish, "--check", "--diff")
    assert checked.code == 0 and "properties.targetResource" in checked.output, checked.output
    run = built.run(*publish)
    assert run.code == 0, run.output
    restored = built.get(record, DNS)
    assert restored["properties"] == published["properties"]
    assert built.run(*publish).changed == 0


def test_records_of_others(built: Lab) -> None:
    """They are refused, taken over only with dns_take_over, and never deleted; a record of a family that we do not publish stays."""
    records = f"{built.group('shared')}/providers/Microsoft.Network/dnsZones/aks.example.org"
    a, aaaa = f"{records}/A/www.westeurope", f"{records}/AAAA/www.westeurope"
    for record in (a, aaaa):
        delete(built, record, DNS)
    built.put(a, DNS, {"properties": {"TTL": 60, "ARecords": [{"ipv4Address": "192.0.2.7"}]}})
    theirs = built.get(a, DNS)
    refused = built.playbook("site", "--tags", "dns", "--check")
    assert refused.code == 2
    assert (
        "www.westeurope in aks.example.org has A records whose metadata lack managed-by=dualstack.aks and dualstack-stamp=westeurope"
        in refused.output
    )
    assert "dns_take_over: true" in refused.output

    publish = ("ansible-playbook", "-i", str(built.inventories / "westeurope.yml"), PUBLISH)
    assert "NotOurs" in built.run(*publish).output
    assert built.get(a, DNS) == theirs
    beside = built.run(*publish, "-e", '{"dns_answered": ["ipv6"]}')
    assert beside.code == 0, beside.output
    assert built.get(a, DNS) == theirs
    assert built.playbook("site", "--tags", "dns", "--check", "-e", '{"dns_families": ["ipv6"]}').code == 0

    handed = built.run(*publish, "-e", "dns_take_over=true")
    assert (handed.code, handed.changed) == (0, 1), handed.output
    assert built.get(a, DNS)["properties"]["ARecords"] == [{"ipv4Address": "203.0.113.10"}]


def test_what_is_not_ours_is_refused_before_anything_is_written(built: Lab) -> None:
    """Every resource of the stamp loses its tags. The group and what zones are about are used as they are."""
    store, group = Store(built.state.store), f"{built.group().lower()}/"
    tagged = [found for key, found in store.resources.items() if key.startswith(group) and "managed-by" in found.body.get("tags", {})]
    newest = {"Microsoft.ContainerService": "2026-05-01", "Microsoft.ContainerRegistry": "2025-11-01", "Microsoft.KeyVault": "2026-02-01"}
    newest |= {"Microsoft.ManagedIdentity": "2024-11-30", "Microsoft.OperationalInsights": "2026-03-01"}

    def give_to(stamp: str) -> None:
        for found in tagged:
            version = "2024-06-01" if "/privateDnsZones" in found.type else newest.get(found.type.partition("/")[0], NETWORK)
            built.put(found.id, version, {"tags": {**found.body["tags"], "dualstack-stamp": stamp}}, method="PATCH")

    give_to("northeurope")
    before = len(built.entries())
    refused = built.playbook("site", "--tags", AZURE_TAGS, "--check")
    assert refused.code == 2
    unnamed = [found.id for found in tagged if "/privateDnsZones" not in found.type and f"{found.id} exists, but its tags lack" not in refused.output]
    assert unnamed == [], refused.output
    assert built.our_writes(before) == []
    give_to("westeurope")
    assert built.playbook("site", "--tags", AZURE_TAGS).changed == 0


def test_what_others_made_under_another_name_is_taken_as_it_is(built: Lab) -> None:
    """Azure has one assignment of a principal, role and scope, and one link of a zone to a network."""
    registry = built.get(f"{built.group()}/providers/Microsoft.ContainerRegistry/registries", "2025-11-01")["value"][0]["id"]
    found = {
        f"{registry}/providers/Microsoft.Authorization/roleAssignments": ("2022-04-01", "00000000-0000-4000-8000-0000000000aa"),
        f"{built.group('shared')}/providers/Microsoft.Network/privateDnsZones/internal.example.org/virtualNetworkLinks": ("2024-06-01", "hub"),
    }
    for collection, (version, name) in found.items():
        [ours] = [item for item in built.get(collection, version)["value"] if item["id"].lower().startswith(f"{collection.lower()}/")]
        delete(built, ours["id"], version)
        built.put(f"{collection}/{name}", version, {key: ours[key] for key in ("location", "properties") if key in ours})
    before = len(built.entries())
    for arguments in (["--check"], []):
        run = built.playbook("site", "--tags", "registry,dns", *arguments)
        assert (run.code, run.changed) == (0, 0), run.output
    assert built.our_writes(before) == []
    for collection, (version, name) in found.items():
        delete(built, f"{collection}/{name}", version)
    assert built.playbook("site", "--tags", "registry,dns").changed > 0


def test_a_policy_that_keeps_its_value_is_named_on_every_run_and_not_called_changed(built: Lab) -> None:
    built.set(dualstack_tags={"environment": "other"})
    for _ in range(2):
        assert built.lab("fault", "policy", "--method", "PUT", "--path", f"*/{VNET}").code == 0
        run = built.playbook("site", "--tags", "network")
        assert run.code == 2
        assert "NotConverged: Azure accepted the write, but kept other values: tags.environment is 'changed by a policy'" in run.output
    built.set()
    assert built.playbook("site", "--tags", "network").code == 0


def test_a_deletion_stops_at_what_it_does_not_know(built: Lab) -> None:
    subnet = f"{VNET}/subnets/theirs"
    path = f"{built.group()}/providers/Microsoft.Network/{subnet}"
    built.put(path, NETWORK, {"properties": {"addressPrefixes": ["10.0.24.0/24"]}})
    stopped = built.playbook("destroy", "-e", "destroy_confirm=westeurope")
    assert stopped.code == 2
    assert "NotEmpty: it contains resources that this run did not create: Microsoft.Network/virtualNetworks/subnets theirs" in stopped.output
    assert built.network(subnet)["properties"]["addressPrefix"] == "10.0.24.0/24"

    assert built.call("DELETE", path, NETWORK).status_code in (200, 202)
    record = f"{built.group('shared')}/providers/Microsoft.Network/dnsZones/aks.example.org/A/www.westeurope"
    built.put(record, DNS, {"properties": {"TTL": 60, "ARecords": [{"ipv4Address": "192.0.2.7"}]}})
    done = built.playbook("destroy", "-e", "destroy_confirm=westeurope")
    assert done.code == 0, done.output
    assert "A/www.westeurope): not deleted because it lacks managed-by=dualstack.aks" in done.output
    assert built.get(record, DNS)["properties"]["ARecords"] == [{"ipv4Address": "192.0.2.7"}]
    left = [key for key in Store(built.state.store).resources if built.group().lower() in key]
    assert left == []
