"""What goes wrong between the engine and Azure, and what a user can do about it.

This file is private to the collection.
"""

from __future__ import annotations

#: Azure is busy with the resource, its parent or what it depends on: the write is repeated until the timeout.
_BUSY = {
    "AnotherOperationInProgress",
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    "OperationPreempted",
    "ReferencedResourceNotProvisioned",
    "ResourceGroupBeingDeleted",
    "RetryableError",
}
_BUSY_WORDS = ("in progress", "is being", "provisioning state is")

_REMEDIES = {
    "AuthorizationFailed": "grant the credentials the role that the message names, on the scope it names",
    "ExpiredAuthenticationToken": "run again: each task gets its own token; if it fails again, check this machine's clock",
    "InvalidAuthenticationToken": "check the tenant, the client id and the secret",
    "InvalidResponse": "check whether a proxy answers instead of Azure, and run again",
    "LinkedAuthorizationFailed": "also grant the credentials access to the linked resource",
    "MissingSubscriptionRegistration": "register the provider (az provider register), or set network_register_providers: true",
    "QuotaExceeded": "request more quota, or use smaller or fewer nodes",
    "ResourceGroupNotFound": "run the role network, or use an existing resource group",
    "ResourceNotFound": "check the id",
    "ScopeLocked": "remove the lock that the message names, or leave the resource as it is; locks are never removed for you",
    "SubscriptionNotFound": "check dualstack_subscription_id, and that the credentials can read it",
}


class ArmFailure(Exception):
    """An answer of Azure that is an error: its HTTP status (0 where no answer came), code, message and correlation id."""

    def __init__(self, status: int, code: str, message: str, correlation: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.correlation = status, code, message, correlation


class StatusUnknown(ArmFailure):
    """The status of an operation cannot be read; the operation itself may go on."""


class TimedOut(Exception):
    """An operation that did not end within the configured time; it goes on in Azure."""


class NotConverged(Exception):
    """After a write the resource has other values than the declared ones."""


class Refused(Exception):
    """The engine does not do this: code, message and remedy, as of an error of Azure's."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code, self.message, self.remedy = code, message, remedy


def remedy_for(code: str) -> str:
    """What a user can do about an error of Azure's."""
    return _REMEDIES.get(code, "see Azure's message")


def is_busy(failure: ArmFailure) -> bool:
    """Whether Azure asks to try again later."""
    return failure.status == 409 and (failure.code in _BUSY or any(word in failure.message.lower() for word in _BUSY_WORDS))
