"""Long-running operations: begun by a write, a deletion or an action, ended after the time that Azure takes, resumed after a restart."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import errors
from .store import Operation, Resource

if TYPE_CHECKING:
    from .azure import Azure


@dataclass(frozen=True)
class ForcedEnd:
    """How an operation ends instead of doing its work. ``InProgress``: it does not end as long as this is in force."""

    status: str
    code: str = ""
    message: str = ""


class Operations:
    """The operations of one subscription, and the coroutines that run beside its requests."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self.tasks: set[asyncio.Task[None]] = set()
        #: operation -> its end, where a fault decides that
        self.forced: dict[str, ForcedEnd] = {}

    def begin(self, verb: str, resource: Resource, seconds: float, before: dict[str, Any] | None) -> Operation:
        """The operation that changes a resource for so many seconds of Azure's; one that is changing it already is canceled."""
        for older in self._azure.store.operations.values():
            if older.status == "InProgress" and older.resource.lower() == resource.key:
                self._cancel(older)
        operation = self._begin(verb, resource, seconds, before)
        resource.operation = operation.id
        return operation

    def begin_action(self, resource: Resource, seconds: float) -> Operation:
        """The operation of an action that does not touch the resource's own state."""
        return self._begin("post", resource, seconds, None)

    def _begin(self, verb: str, resource: Resource, seconds: float, before: dict[str, Any] | None) -> Operation:
        operation = Operation(str(uuid.uuid4()), resource.id, verb, time.time() + seconds * self._azure.options.time_scale, before=before)
        self._azure.store.save_operation(operation)
        self.run(self._end(operation))
        return operation

    def _cancel(self, operation: Operation) -> None:
        operation.status = "Canceled"
        self._azure.store.save_operation(operation)

    def cancel_below(self, resources: list[Resource]) -> None:
        """Cancel what is changing one of these."""
        for operation in self._azure.store.operations.values():
            if operation.status == "InProgress" and any(operation.resource.lower() == found.key for found in resources):
                self._cancel(operation)

    def get(self, identifier: str) -> Operation:
        found = self._azure.store.operations.get(identifier)
        if found is None:
            raise errors.ArmError(404, "OperationNotFound", f"The operation '{identifier}' could not be found.")
        return found

    def resume(self) -> None:
        """Continue the operations that were in progress when the lab stopped."""
        for operation in self._azure.store.operations.values():
            if operation.status == "InProgress":
                self.run(self._end(operation))

    def run(self, work: Any) -> None:
        """Run a coroutine beside the requests, until it ends or the lab stops."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def settle(self, outcome: Awaitable[None] | None) -> None:
        """Run what a kind returned, where that is a coroutine."""
        if inspect.isawaitable(outcome):
            self.run(outcome)

    async def stop(self) -> None:
        """Drop the tasks; their operations are in the store and continue at the next start."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _end(self, operation: Operation) -> None:
        azure = self._azure
        await asyncio.sleep(max(0.0, operation.due - time.time()))
        while (forced := self.forced.get(operation.id)) and forced.status == "InProgress":
            await asyncio.sleep(0.02)
        resource = azure.store.get(operation.resource)
        if operation.status != "InProgress":
            return
        if resource is None:
            self._cancel(operation)
            return
        served = azure.kind_of(resource.type)
        status, problem = "Succeeded", None
        try:
            if forced:
                raise errors.ArmError(409, forced.code, forced.message)
            if operation.verb == "delete":
                await azure.forget(resource)
            elif operation.verb != "post":
                outcome = served.finished(azure, resource, operation.before)
                if inspect.isawaitable(outcome):
                    await outcome
        except errors.ArmError as error:
            status, problem = forced.status if forced else error.outcome, error.body()["error"]
        except Exception as error:  # an operation of the lab must end, with the reason, whatever went wrong in it
            status, problem = "Failed", {"code": "InternalServerError", "message": f"{type(error).__name__}: {error}"}
        if operation.status != "InProgress":
            # A deletion has canceled it meanwhile.
            return
        operation.status, operation.error = status, problem
        if operation.verb == "post":
            azure.store.save_operation(operation)
            return
        # The resource may have been deleted meanwhile: what is deleted stays deleted.
        if azure.store.get(operation.resource) is resource and (operation.verb != "delete" or operation.error):
            resource.operation = ""
            if served.has_provisioning_state:
                resource.properties["provisioningState"] = operation.status
            if operation.error:
                served.failed(azure, resource, operation.error)
            azure.store.save(resource)
        azure.store.save_operation(operation)
