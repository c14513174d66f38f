"""Where each cloud is, and what of the roles follows from it."""

from __future__ import annotations

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.credentials import Cloud, CredentialError, cloud_of
from tests.rendering import Site

#: learn.microsoft.com/azure/china/resources-developer-guide, …/azure-government/compare-azure-government-global-azure
CLOUDS = {
    "AzureCloud": ("https://management.azure.com", "https://management.azure.com/.default", "https://login.microsoftonline.com"),
    "AzureUSGovernment": (
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net/.default",
        "https://login.microsoftonline.us",
    ),
    "AzureChinaCloud": (
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn/.default",
        "https://login.partner.microsoftonline.cn",
    ),
}
#: learn.microsoft.com/azure/private-link/private-endpoint-dns
ZONES = {
    "AzureCloud": ("privatelink.azurecr.io", "privatelink.vaultcore.azure.net"),
    "AzureUSGovernment": ("privatelink.azurecr.us", "privatelink.vaultcore.usgovcloudapi.net"),
    "AzureChinaCloud": ("privatelink.azurecr.cn", "privatelink.vaultcore.azure.cn"),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_a_named_cloud(name: str) -> None:
    endpoint, scope, authority = CLOUDS[name]
    found = cloud_of(name)
    assert found == Cloud(name, found.endpoint, scope, authority)
    assert found.endpoint.rstrip("/") == endpoint


@pytest.mark.parametrize("name", ["azurecloud", "http://localhost", ""])
def test_a_cloud_that_is_none(name: str) -> None:
    with pytest.raises(CredentialError, match="neither AzureCloud, AzureChinaCloud, AzureUSGovernment nor an https URL"):
        cloud_of(name)


@pytest.mark.parametrize("by", ["variable", "environment"])
@pytest.mark.parametrize("cloud", ZONES)
def test_private_zones_follow_the_cloud(monkeypatch: pytest.MonkeyPatch, cloud: str, by: str) -> None:
    monkeypatch.setenv("AZURE_CLOUD_ENVIRONMENT", cloud if by == "environment" else "AzureCloud")
    resources = Site(**({"dualstack_cloud": cloud} if by == "variable" else {})).resources()
    zones = tuple(resources[f"{role}/resources.yml"]["zone"]["id"].rpartition("/")[2] for role in ("registry", "keyvault"))
    assert zones == ZONES[cloud]
