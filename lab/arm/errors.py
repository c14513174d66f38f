"""Azure's errors: each one carries Azure's HTTP status, code and message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .schema import Problem


class ArmError(Exception):
    """An answer with Azure's error body, ``{"error": {"code", "message", "target", "details"}}``."""

    #: how an operation ends that raises it
    outcome = "Failed"

    def __init__(self, status: int, code: str, message: str, *, target: str = "", details: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.target, self.details = status, code, message, target, details
        #: id of the rule that refuses the request; empty where none of ``rules`` does
        self.rule = ""

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        if self.details:
            error["details"] = [{"code": item.code, "target": item.target, "message": item.message} for item in self.details]
        return {"error": error}


class OperationCanceled(ArmError):
    """What ends an operation as canceled."""

    outcome = "Canceled"


class NotFound(ArmError):
    def __init__(self, resource: str) -> None:
        super().__init__(404, "ResourceNotFound", f"The Resource '{resource}' was not found.")


class NotServed(ArmError):
    """What Azure answers for a type that it does not have."""

    def __init__(self, resource_type: str) -> None:
        namespace, _, name = resource_type.partition("/")
        super().__init__(
            404, "InvalidResourceType", f"The resource type '{name}' could not be found in the namespace '{namespace}' (the lab does not serve it)."
        )


class GroupNotFound(ArmError):
    def __init__(self, group: str) -> None:
        super().__init__(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


class ParentNotFound(ArmError):
    def __init__(self, parent: str) -> None:
        super().__init__(
            404, "ParentResourceNotFound", f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found."
        )


class Malformed(ArmError):
    """A body that is refused for its shape. The codes of Microsoft.Network's parser are in the details only."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        if first.code in ("MissingJsonReferenceId", "DuplicateResourceName"):
            super().__init__(400, "InvalidRequestFormat", "Cannot parse the request.", details=problems)
        else:
            super().__init__(400, first.code, first.message, target=first.target, details=problems)


class InvalidReference(ArmError):
    def __init__(self, missing: str, user: str) -> None:
        super().__init__(400, "InvalidResourceReference", f"Resource {missing} referenced by resource {user} was not found.")


class ReferenceNotFound(ArmError):
    """What NAT gateways and public addresses say instead."""

    def __init__(self, missing: str) -> None:
        super().__init__(404, "NotFound", f"Resource {missing} not found.")


class InProgress(ArmError):
    def __init__(self, resource: str, operation: str) -> None:
        super().__init__(
            409, "AnotherOperationInProgress", f"Another operation on this or dependent resource is in progress: {resource}, operation {operation}."
        )


class Retryable(ArmError):
    """Microsoft.Network's other way of saying so: of routes and peerings, and of what a body refers to."""

    def __init__(self, resource: str, operation: str) -> None:
        detail = Problem("RetryableErrorDueToAnotherOperation", "", f"Operation ({operation}) is updating resource {resource}.")
        super().__init__(429, "RetryableError", "A retryable error occurred.", details=[detail])


class NotProvisioned(ArmError):
    def __init__(self, used: str, user: str) -> None:
        message = f"Cannot proceed with operation because resource {used} used by resource {user} is not in Succeeded state."
        detail = Problem("ReferencedResourceNotProvisioned", "", message)
        super().__init__(429, "RetryableError", "A retryable error occurred.", details=[detail])


class PreconditionFailed(ArmError):
    def __init__(self, resource: str) -> None:
        super().__init__(412, "PreconditionFailed", f"Precondition failed: the etag in the if-match header does not match the etag of {resource}.")


class ScopeLocked(ArmError):
    def __init__(self, scope: str, lock: str) -> None:
        super().__init__(
            409, "ScopeLocked", f"The scope '{scope}' cannot perform the operation because following scope(s) are locked: '{lock}'. Remove the lock."
        )


class NotRegistered(ArmError):
    def __init__(self, namespace: str) -> None:
        super().__init__(409, "MissingSubscriptionRegistration", f"The subscription is not registered to use namespace '{namespace}'.")
