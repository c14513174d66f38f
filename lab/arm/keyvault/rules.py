"""What Microsoft.KeyVault refuses."""

from __future__ import annotations

import re

from .. import ids
from ..errors import ArmError
from ..kinds import Write
from ..network.rules.shared import check_only_ipv4
from ..rules import rule
from .kinds import VAULT

_VAULT = "learn.microsoft.com/azure/key-vault/general/soft-delete-overview"


@rule("vault-ip-rules", VAULT, "learn.microsoft.com/azure/key-vault/general/network-security")
def vault_ip_rules_are_ipv4(write: Write) -> None:
    check_only_ipv4((write.properties.get("networkAcls") or {}).get("ipRules") or [], "networkAcls.ipRules")


@rule("vault-name", VAULT, "learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates")
def vault_name(write: Write) -> None:
    name = ids.parse(write.id).name
    if not re.fullmatch(r"[a-zA-Z](?:[a-zA-Z0-9]|-(?!-)){1,22}[a-zA-Z0-9]", name):
        raise ArmError(400, "VaultNameNotValid", f"The vault name '{name}' must be 3 to 24 letters, digits and single hyphens, a letter first.")


@rule("vault-soft-deleted", VAULT, _VAULT)
def soft_deleted_name_is_taken(write: Write) -> None:
    name = ids.parse(write.id).name
    deleted = write.azure.store.deleted_vaults.get(name.lower())
    if write.before is None and deleted and write.properties.get("createMode") != "recover":
        raise ArmError(409, "ConflictError", f"A vault with the same name '{name}' already exists in deleted state. You need to recover or purge it.")


@rule("vault-purge-protection", VAULT, _VAULT)
def purge_protection_stays(write: Write) -> None:
    if write.properties.get("enablePurgeProtection") is False:
        raise ArmError(400, "BadRequest", 'The property "enablePurgeProtection" cannot be set to false. Enabling it is irreversible.')
    if write.old_properties.get("enablePurgeProtection") and not write.properties.get("enablePurgeProtection"):
        write.properties["enablePurgeProtection"] = True


@rule("vault-retention", VAULT, _VAULT)
def retention(write: Write) -> None:
    days = write.properties["softDeleteRetentionInDays"]
    if not 7 <= days <= 90:
        raise ArmError(400, "BadRequest", f"softDeleteRetentionInDays {days} is out of range: 7 to 90.")
    if write.before and days != write.old_properties["softDeleteRetentionInDays"]:
        raise ArmError(400, "BadRequest", "softDeleteRetentionInDays has been set already and it can't be modified.")
