"""Registry and vault: closed, private, filled; and the bodies that we sent."""

from __future__ import annotations

from tests.harness import OURS, Observer

testinfra_hosts = ["local://"]


def test_registry(stamp: Observer) -> None:
    registry = stamp.get(f"{stamp.group()}/providers/Microsoft.ContainerRegistry/registries", "2025-11-01")["value"][0]
    properties = registry["properties"]
    assert (registry["sku"]["name"], properties["adminUserEnabled"], properties["publicNetworkAccess"]) == ("Premium", False, "Disabled")
    assert (properties["zoneRedundancy"], properties["dataEndpointEnabled"]) == ("Enabled", True)


def test_images_are_imported_by_digest_once(stamp: Observer) -> None:
    ours = f"{stamp.group()}/".lower()
    imports = [entry["body"] for entry in stamp.entries() if entry["path"].endswith("/importImage") and ours in entry["path"].lower()]
    assert [body["source"]["registryUri"] for body in imports] == ["ghcr.io"]
    repository, _, digest = imports[0]["source"]["sourceImage"].partition("@")
    assert (repository, digest.partition(":")[0]) == ("nginx/nginx-unprivileged", "sha256")
    assert imports[0]["targetTags"] == ["nginx/nginx-unprivileged:1.30.5-alpine"]


def test_vault(stamp: Observer) -> None:
    properties = stamp.get(f"{stamp.group()}/providers/Microsoft.KeyVault/vaults", "2026-02-01")["value"][0]["properties"]
    assert (properties["enableRbacAuthorization"], properties["enablePurgeProtection"], properties["publicNetworkAccess"]) == (True, True, "Disabled")


def test_private_endpoints(stamp: Observer) -> None:
    endpoints = stamp.network("privateEndpoints")["value"]
    groups = sorted(endpoint["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0] for endpoint in endpoints)
    assert groups == ["registry", "vault"]


def test_our_bodies_fit_the_stored_types(stamp: Observer) -> None:
    ours = [entry for entry in stamp.entries() if entry["client"].startswith(OURS) and entry["method"] == "PUT"]
    assert ours
    assert [entry for entry in ours if entry.get("ignored")] == []
    assert {entry["schema"] for entry in ours if entry["status"] < 300} == {"stored"}
