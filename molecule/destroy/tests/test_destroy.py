"""The stamp is gone: resources, records, nodes; only its vault's name is reserved."""

from __future__ import annotations

from lab.arm.store import Store
from tests.harness import Observer

testinfra_hosts = ["local://"]


def test_azure_stores_nothing_of_it(stamp: Observer) -> None:
    assert [key for key in Store(stamp.state.store).resources if "northeurope" in key] == []
    assert stamp.get(stamp.group("northeurope"), "2025-04-01") == {}


def test_what_stamps_share_is_left(stamp: Observer) -> None:
    zone = stamp.get(f"{stamp.group('shared')}/providers/Microsoft.Network/dnsZones/aks.example.org", "2018-05-01")
    assert zone["name"] == "aks.example.org"


def test_no_control_plane_is_left(stamp: Observer) -> None:
    assert "aks-example-northeurope" not in stamp.state.kubeconfigs()


def test_the_name_of_its_vault_is_reserved(stamp: Observer) -> None:
    assert len(Store(stamp.state.store).deleted_vaults) == 1
