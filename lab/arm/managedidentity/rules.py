"""What Microsoft.ManagedIdentity refuses."""

from __future__ import annotations

from .. import ids
from ..errors import ArmError
from ..kinds import Write
from ..rules import rule
from .kinds import CREDENTIAL


@rule("federated-credential-unique", CREDENTIAL, "learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations")
def issuer_and_subject_are_unique(write: Write) -> None:
    siblings = write.azure.store.children(ids.parse(write.id).parent, "federatedIdentityCredentials")
    for other in siblings:
        same = all(other.properties.get(name) == write.properties.get(name) for name in ("issuer", "subject"))
        if other.key != write.id.lower() and same:
            raise ArmError(409, "Conflict", f"Issuer and subject combination already exists for this managed identity: {other.name}.")
    if write.before is None and len(siblings) >= 20:
        raise ArmError(400, "TooManyFederatedIdentityCredentials", "An identity has 20 federated identity credentials at most.")
