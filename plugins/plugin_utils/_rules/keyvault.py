"""Rules of key vaults.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import Answer, Chapter, Finding
from .existing import is_out_of_reach


@dataclass(frozen=True)
class Vault:
    """What is declared of a vault, and what Azure answered: ``vault`` itself, ``deleted``, the deleted vault of its name in the region, and
    ``name``, whether its name is available."""

    name: str
    existing_id: str
    on_deleted: str
    retention_days: int
    private_endpoint: bool
    answers: Mapping[str, Answer]


_ACCESS = "https://learn.microsoft.com/azure/key-vault/general/rbac-migration"
_NETWORK = "https://learn.microsoft.com/azure/key-vault/general/network-security"
_SOFT_DELETE = "https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview"

CHAPTER = Chapter[Vault]("keyvault")
rule = CHAPTER.rule


_NAMES = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftkeyvault"


@rule("use 3 to 24 letters, digits and single hyphens, starting with a letter", _NAMES)
def vault_name(vault: Vault) -> Iterator[Finding]:
    """A vault name that Azure refuses."""
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", vault.name) or "--" in vault.name:
        yield "keyvault_name", vault.name


@rule(
    "set keyvault_on_deleted: recover to restore the vault with its contents, or choose another name",
    _SOFT_DELETE,
)
def vault_deleted(vault: Vault) -> Iterator[Finding]:
    """A vault name that a deleted vault reserves until its retention ends."""
    if not vault.answers["vault"].exists and vault.answers["deleted"].exists and vault.on_deleted == "fail":
        yield "keyvault_name", f"a vault {vault.name} was deleted and its name is reserved"


@rule("choose another name, or set keyvault_existing_id", _NAMES)
def vault_name_taken(vault: Vault) -> Iterator[Finding]:
    """A vault name that somebody else uses: names are unique across Azure."""
    ours = vault.answers["vault"].exists or vault.answers["deleted"].exists
    if not ours and not vault.answers["name"].body.get("nameAvailable", True):
        yield "keyvault_name", f"{vault.name} is already used by somebody else in Azure"


@rule("correct the id, or leave it empty to create a vault")
def existing_vault(vault: Vault) -> Iterator[Finding]:
    """An existing vault that Azure does not have."""
    if vault.existing_id and not vault.answers["vault"].exists:
        yield "keyvault_existing_id", f"{vault.existing_id} {vault.answers['vault'].absence}"


@rule(
    "switch the vault to Azure RBAC (az keyvault update --enable-rbac-authorization true), after assigning roles to the holders of policies",
    _ACCESS,
)
def existing_vault_access(vault: Vault) -> Iterator[Finding]:
    """An existing vault that uses access policies: role assignments have no effect there."""
    found = vault.answers["vault"]
    if vault.existing_id and found.exists and not (found.body.get("properties") or {}).get("enableRbacAuthorization"):
        yield "keyvault_existing_id", f"{vault.existing_id} uses access policies, but the role grants access by role assignments"


@rule("set keyvault_private_endpoint to true, or allow access from the stamp", _NETWORK)
def existing_vault_reachable(vault: Vault) -> Iterator[Finding]:
    """An existing vault without public access, which the stamp cannot reach."""
    if vault.existing_id and is_out_of_reach(vault.answers["vault"]) and not vault.private_endpoint:
        yield "keyvault_existing_id", f"{vault.existing_id} has neither public access nor a private endpoint"


@rule("use 7 to 90 days", _SOFT_DELETE)
def vault_retention(vault: Vault) -> Iterator[Finding]:
    """A retention that Azure does not support."""
    if not 7 <= vault.retention_days <= 90:
        yield "keyvault_retention_days", f"{vault.retention_days}"


@rule("declare the live value, or choose another name", _SOFT_DELETE)
def vault_retention_fixed(vault: Vault) -> Iterator[Finding]:
    """A retention that differs from the live vault's: it is fixed at creation."""
    live = (vault.answers["vault"].body.get("properties") or {}).get("softDeleteRetentionInDays")
    if live is not None and not vault.existing_id and live != vault.retention_days:
        yield "keyvault_retention_days", f"the vault {vault.name} has {live} days; declared: {vault.retention_days}"
