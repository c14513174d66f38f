"""Azure Resource Manager's own behaviour: what a write goes through, whichever service it is for.

A service (``network.py``, ``containerservice.py``, …) adds a :class:`Kind` for each of its types: what it computes and what follows
from a write. Shapes come from Microsoft's types (``schema``), refusals from ``rules``.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import time
import uuid
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import errors, ids, schema
from .store import Operation, Resource, Store

TERMINAL = {"Succeeded", "Failed", "Canceled"}


def merge(base: Any, change: Any) -> Any:
    """``change`` laid over ``base``; null removes (RFC 7386), lists are replaced."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return copy.deepcopy(change)
    result = dict(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(base.get(key), value)
    return result


@dataclass
class Caller:
    """Who sent a request: what the token says, and the client's User-Agent."""

    object_id: str
    client_id: str
    user_agent: str = ""


@dataclass
class Write:
    """A PUT or PATCH as rules and kinds see it: the body as it will be stored, beside what was there."""

    azure: Azure
    id: str
    type: str
    body: dict[str, Any]
    before: Resource | None
    caller: Caller
    #: a PATCH, or a PUT of a service that merges: what it does not mention stays
    partial: bool = False

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.setdefault("properties", {})
        return found

    @property
    def old_properties(self) -> dict[str, Any]:
        return self.before.properties if self.before else {}


class Kind:
    """What one resource type does beyond its shape. The defaults describe a plain tracked resource."""

    type: str = ""
    #: seconds that Azure takes, before the lab's time scale; 0: the write is done when it is answered
    seconds: float = 0
    delete_seconds: float = 0
    #: answers to an accepted long write: 201/200 with the body, or 202 without
    accepts_with_202 = False
    #: the answer to a write that made the resource
    created_status = 201
    #: a DELETE answers with what it deleted
    shows_deleted = False
    #: members that Azure's types do not name, and the service reads over
    overlooked: frozenset[str] = frozenset()
    has_provisioning_state = True
    has_etag = False
    #: an If-Match header is compared with the etag
    honours_if_match = False
    #: a PUT leaves what it does not mention (compute)
    partial_put = False
    #: property -> child collection: sent inline, stored as resources of their own
    inline_children: dict[str, str] = {}
    #: False: Azure makes these itself, clients only read them
    writable = True

    def busy_with(self, resource: ids.ResourceId) -> str:
        """Id of the resource that a write to ``resource`` keeps busy; writes under it are refused meanwhile."""
        return resource.text

    def defaults(self, write: Write) -> None:
        """Fill in what Azure adds to a body, before the rules look at it."""

    def accepted(self, write: Write, resource: Resource) -> None:
        """Values that are there as soon as the write is accepted."""

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> Awaitable[None] | None:
        """What is true once the operation has ended: computed values, and what Azure makes elsewhere."""
        return None

    def failed(self, resource: Resource, error: dict[str, Any]) -> None:
        """What a resource shows of the operation that failed."""

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        """The resource as Azure answers it."""
        return copy.deepcopy(resource.body)

    def leaving(self, azure: Azure, resource: Resource) -> None:
        """What is remembered of the resource before anything below it goes."""

    def deleted(self, azure: Azure, resource: Resource) -> Awaitable[None] | None:
        """What goes with the resource."""
        return None

    def action(self, azure: Azure, resource: Resource, name: str, body: dict[str, Any], caller: Caller) -> Any:
        """A POST on the resource. None: there is no such action."""
        return None

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        """A GET below the resource that is no resource of its own; ``name`` in lower case. None: there is no such view."""
        return None


@dataclass(frozen=True)
class Fate:
    """How an operation is to end instead of doing its work. ``InProgress``: it never does, as long as it has this fate."""

    status: str
    code: str = ""
    message: str = ""


KINDS: dict[str, Kind] = {}


def kind(cls: type[Kind]) -> type[Kind]:
    """Class decorator: this is how the lab serves ``cls.type``."""
    KINDS[cls.type.lower()] = cls()
    return cls


class Rules(Protocol):
    """Azure's semantic rules: the package ``rules``, handed in since it knows the services, which know this module."""

    def check_write(self, write: Write) -> None: ...

    def check_delete(self, azure: Azure, resource: Resource) -> None: ...

    def check_access(self, azure: Azure, caller: Caller, path: str, *, writing: bool) -> None: ...


#: what Azure counts in a region -> what it calls that, its limit
QUOTAS = {
    "cores": ("Total Regional vCPUs", 500),
    "standardDDSv5Family": ("Standard DDSv5 Family vCPUs", 500),
    "VirtualNetworks": ("Virtual Networks", 1000),
    "IPv4StandardSkuPublicIpAddresses": ("Public IPv4 Addresses - Standard", 1000),
    "IPv6StandardSkuPublicIpAddresses": ("Public IPv6 Addresses - Standard", 1000),
}


@dataclass
class Options:
    """What a lab was started with."""

    subscription: str = "00000000-0000-4000-8000-000000000001"
    tenant: str = "00000000-0000-4000-8000-000000000002"
    client: str = "00000000-0000-4000-8000-000000000003"
    client_object: str = "00000000-0000-4000-8000-000000000004"
    #: one second in Azure takes this many here
    time_scale: float = 0.02
    unregistered: list[str] = field(default_factory=list)
    #: what is counted -> its limit in each region, where that is not the one of QUOTAS
    quotas: dict[str, int] = field(default_factory=dict)
    any_version: bool = False
    kubernetes: bool = True


def _plain_location(text: Any) -> str:
    return str(text).replace(" ", "").lower()


class Azure:
    """One subscription."""

    def __init__(self, store: Store, options: Options, rules: Rules) -> None:
        self.store, self.options, self.rules = store, options, rules
        self.clusters: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        #: operation -> its fate, where one was ordered
        self.fates: dict[str, Fate] = {}
        for name in options.unregistered:
            self.store.save_fact(f"registration/{name.lower()}", "NotRegistered")
        if not self.store.facts.get("created"):
            self.store.save_fact("created", time.time())

    @property
    def subscription_id(self) -> str:
        return f"/subscriptions/{self.options.subscription}"

    def quota(self, name: str) -> int:
        return self.options.quotas.get(name, QUOTAS[name][1])

    def registration(self, namespace: str) -> str:
        found: str = self.store.facts.get(f"registration/{namespace.lower()}", "Registered")
        return found

    def kind_of(self, resource_type: str) -> Kind:
        found = KINDS.get(resource_type.lower())
        if found is None:
            namespace, _, name = resource_type.partition("/")
            raise errors.ArmError(
                404,
                "InvalidResourceType",
                f"The resource type '{name}' could not be found in the namespace '{namespace}' (the lab does not serve it).",
            )
        return found

    def get(self, resource: str) -> Resource:
        found = self.store.get(resource)
        if found is None:
            raise errors.NotFound(resource)
        return found

    def render(self, resource: Resource) -> dict[str, Any]:
        body = self.kind_of(resource.type).render(self, resource)
        return {"id": resource.id, "name": body.pop("name", resource.name), "type": resource.type} | body

    def spelt(self, path: str) -> str:
        """An id as Azure spells it, whatever case the client wrote: what is there has its own spelling, types have their kind's."""
        found = self.store.get(path)
        if found:
            return found.id
        parsed = ids.parse(path)
        if not parsed.subscription and not parsed.namespace:
            return ""
        if not parsed.namespace:
            return f"{self.subscription_id}/resourceGroups/{parsed.resource_group}" if parsed.resource_group else self.subscription_id
        namespace, *types = self.kind_of(parsed.type).type.split("/")
        if len(parsed.names) > 1:
            return f"{self.spelt(parsed.parent)}/{types[-1]}/{parsed.name}"
        return f"{self.spelt(parsed.scope)}/providers/{namespace}/{types[0]}/{parsed.name}"

    # Writes

    def check_scope(self, parsed: ids.ResourceId, *, writing: bool = False) -> None:
        """Subscription, provider, resource group and parent must be there."""
        if parsed.subscription and parsed.subscription.lower() != self.options.subscription.lower():
            raise errors.ArmError(404, "SubscriptionNotFound", f"The subscription '{parsed.subscription}' could not be found.")
        if parsed.resource_group:
            group = self.store.group_of(parsed.scope)
            if group is None:
                raise errors.GroupNotFound(parsed.resource_group)
            if writing and group.properties.get("provisioningState") == "Deleting":
                raise errors.ArmError(409, "ResourceGroupBeingDeleted", f"The resource group '{parsed.resource_group}' is being deleted.")

    def _check_parents(self, parsed: ids.ResourceId) -> None:
        if len(parsed.names) > 1 and not self.store.get(parsed.parent):
            raise errors.ParentNotFound(parsed.parent)
        if ids.parse(parsed.scope).names and not self.store.get(parsed.scope):
            raise errors.NotFound(parsed.scope)

    def check_locks(self, resource: str, *, deleting: bool) -> None:
        """A CanNotDelete lock on the resource or above it stops deletion; ReadOnly stops every write."""
        for lock in self.store.of_type("Microsoft.Authorization/locks"):
            scope = ids.parse(lock.id).scope
            level = lock.properties.get("level")
            covers = resource.lower() == scope.lower() or resource.lower().startswith(scope.lower() + "/")
            is_lock = ids.parse(resource).type.lower() == "microsoft.authorization/locks"
            if covers and not is_lock and (level == "ReadOnly" or (deleting and level == "CanNotDelete")):
                raise errors.ScopeLocked(resource, lock.id)

    def check_idle(self, served: Kind, parsed: ids.ResourceId) -> None:
        """Azure refuses a write while another one is changing the same resource, its parent or a sibling under it."""
        busy = served.busy_with(parsed).lower()
        for operation in self.store.operations.values():
            if operation.status == "InProgress":
                other = ids.parse(operation.resource)
                if KINDS[other.type.lower()].busy_with(other).lower() == busy:
                    raise errors.InProgress(operation.resource, operation.id)

    def write(
        self, path: str, body: dict[str, Any], api_version: str, caller: Caller, *, patch: bool = False, if_match: str = "", if_none_match: str = ""
    ) -> tuple[Resource, Operation | None, bool, schema.Checked]:
        """A PUT or PATCH. Returns the resource, the operation that now changes it (if any), whether it is new, and what was read."""
        parsed = ids.parse(path)
        served = self.kind_of(parsed.type)
        if not served.writable:
            raise errors.ArmError(405, "MethodNotAllowed", f"{served.type} cannot be written by clients of the lab.")
        before = self.store.get(path)
        if parsed.names:
            self.check_scope(parsed, writing=True)
        if parsed.namespace and self.registration(parsed.namespace) != "Registered":
            raise errors.NotRegistered(parsed.namespace)
        self._check_parents(parsed)
        if patch and before is None:
            raise errors.NotFound(path)
        self.check_locks(path, deleting=False)
        self.check_idle(served, parsed)
        if before and if_none_match == "*":
            raise errors.PreconditionFailed(path)
        if served.honours_if_match and if_match not in ("", "*") and if_match != (before.body.get("etag") if before else None):
            raise errors.PreconditionFailed(path)
        partial = patch or (served.partial_put and before is not None)
        old_location = str(before.body.get("location") or "") if before else ""
        if old_location and _plain_location(body.get("location") or old_location) != _plain_location(old_location):
            raise errors.ArmError(
                409, "InvalidResourceLocation", f"The resource '{path}' already exists in location '{old_location}'; it cannot be created elsewhere."
            )
        checked = schema.check(served.type, api_version, body, partial=partial, overlooked=served.overlooked)
        if checked.problems:
            raise errors.Malformed(checked.problems)
        wanted = merge(copy.deepcopy(before.body), checked.body) if partial and before else checked.body
        if old_location:
            wanted.setdefault("location", old_location)
        write = Write(self, self.spelt(path), before.type if before else served.type, wanted, before, caller, partial)
        served.defaults(write)
        self.rules.check_write(write)
        self._check_children(served, write)
        resource, operation = self._accept(served, write)
        return resource, operation, before is None, checked

    def _accept(self, served: Kind, write: Write) -> tuple[Resource, Operation | None]:
        before = write.before
        children = {name: write.properties.pop(name, None) for name in served.inline_children}
        resource = Resource(write.id, write.type, write.body, hidden=dict(before.hidden) if before else {})
        if before:
            for name in ("identity", "systemData"):
                if name in before.body:
                    resource.body.setdefault(name, copy.deepcopy(before.body[name]))
        if served.has_etag:
            resource.body["etag"] = f'W/"{uuid.uuid4()}"'
        served.accepted(write, resource)
        previous = copy.deepcopy(before.body) if before else None
        operation = None
        if served.seconds:
            operation = self._start("create" if before is None else "update", resource, served.seconds, previous)
        if served.has_provisioning_state:
            state = ("Creating" if before is None else "Updating") if operation else "Succeeded"
            resource.properties["provisioningState"] = state
        self.store.save(resource)
        for name, collection in served.inline_children.items():
            # A PUT of a virtual network without its subnets removes them.
            if not (write.partial and children[name] is None):
                self._replace_children(resource, collection, children[name] or [], write.caller)
        if operation is None:
            self._settle(served.finished(self, resource, previous))
            self.store.save(resource)
        return resource, operation

    def _check_children(self, served: Kind, write: Write) -> None:
        """What would refuse an inline child refuses the whole write, before any of it is stored."""
        for name, collection in served.inline_children.items():
            wanted = write.properties.get(name)
            if wanted is None and write.partial:
                continue
            for child in wanted or []:
                if not child.get("name"):
                    raise errors.ArmError(400, "InvalidRequestFormat", f"An item of '{name}' has no name.", target=name)
            names = {child["name"].lower() for child in wanted or []}
            for old in self.store.children(write.id, collection):
                if old.name.lower() not in names:
                    self.rules.check_delete(self, old)
            if write.before:
                for child in wanted or []:
                    self.rules.check_write(self._child_write(write.id, write.type, collection, child, write.caller))

    def _child_write(self, parent: str, parent_type: str, collection: str, child: dict[str, Any], caller: Caller) -> Write:
        path = f"{parent}/{collection}/{child['name']}"
        served = self.kind_of(f"{parent_type}/{collection}")
        before = self.store.get(path)
        body = {"properties": copy.deepcopy(child.get("properties") or {})}
        write = Write(self, before.id if before else path, served.type, body, before, caller)
        served.defaults(write)
        return write

    def _replace_children(self, parent: Resource, collection: str, wanted: list[dict[str, Any]], caller: Caller) -> None:
        names = {child["name"].lower() for child in wanted}
        for old in self.store.children(parent.id, collection):
            if old.name.lower() not in names:
                self.store.remove(old.id)
        for child in wanted:
            write = self._child_write(parent.id, parent.type, collection, child, caller)
            served, before = self.kind_of(write.type), write.before
            self.rules.check_write(write)
            resource = Resource(write.id, served.type, write.body, hidden=dict(before.hidden) if before else {})
            served.accepted(write, resource)
            resource.properties["provisioningState"] = "Succeeded"
            if served.has_etag:
                resource.body["etag"] = f'W/"{uuid.uuid4()}"'
            self._settle(served.finished(self, resource, before.body if before else None))
            self.store.save(resource)

    def make(self, path: str, body: dict[str, Any]) -> Resource:
        """Store a resource that Azure makes itself (a node resource group's): no checks, done at once."""
        served = self.kind_of(ids.parse(path).type)
        before = self.store.get(path)
        write = Write(self, before.id if before else path, served.type, copy.deepcopy(body), before, Caller("", "", "azure"))
        served.defaults(write)
        resource = Resource(write.id, served.type, write.body, hidden=dict(before.hidden) if before else {})
        if served.has_etag:
            resource.body["etag"] = f'W/"{uuid.uuid4()}"'
        served.accepted(write, resource)
        if served.has_provisioning_state:
            resource.properties["provisioningState"] = "Succeeded"
        self.store.save(resource)
        self._settle(served.finished(self, resource, before.body if before else None))
        return self.store.save(resource)

    # Deletions

    def delete(self, path: str, *, if_match: str = "") -> Operation | None:
        """A DELETE of a resource that is there. Returns the operation when it takes time."""
        resource = self.get(path)
        served = self.kind_of(resource.type)
        self.check_locks(resource.id, deleting=True)
        if resource.type.lower() != "microsoft.containerservice/managedclusters":
            self.check_idle(served, ids.parse(resource.id))
        if served.honours_if_match and if_match not in ("", "*") and if_match != resource.body.get("etag"):
            raise errors.PreconditionFailed(path)
        self.rules.check_delete(self, resource)
        if served.delete_seconds:
            operation = self._start("delete", resource, served.delete_seconds, None)
            if served.has_provisioning_state:
                resource.properties["provisioningState"] = "Deleting"
            self.store.save(resource)
            return operation
        self._settle(self.forget(resource))
        return None

    async def forget(self, resource: Resource) -> None:
        """Remove a resource with everything below it, deepest first."""
        below = self.store.below(resource.id)
        for operation in self.store.operations.values():
            if operation.status == "InProgress" and any(operation.resource.lower() == found.key for found in below):
                operation.status = "Canceled"
                self.store.save_operation(operation)
        for found in sorted([resource, *below], key=lambda item: -item.id.count("/")):
            if self.store.get(found.id):
                self.kind_of(found.type).leaving(self, found)
        for found in sorted([resource, *below], key=lambda item: -item.id.count("/")):
            if self.store.get(found.id):
                outcome = self.kind_of(found.type).deleted(self, found)
                if inspect.isawaitable(outcome):
                    await outcome
                self.store.remove(found.id)

    # Operations

    def _start(self, verb: str, resource: Resource, seconds: float, before: dict[str, Any] | None) -> Operation:
        for older in self.store.operations.values():
            if older.status == "InProgress" and older.resource.lower() == resource.key:
                older.status = "Canceled"
                self.store.save_operation(older)
        operation = Operation(str(uuid.uuid4()), resource.id, verb, time.time() + seconds * self.options.time_scale, before=before)
        resource.operation = operation.id
        self.store.save_operation(operation)
        self.start(self._run(operation))
        return operation

    def start_action(self, resource: Resource, seconds: float) -> Operation:
        """The operation of an action that does not touch the resource's own state."""
        operation = Operation(str(uuid.uuid4()), resource.id, "post", time.time() + seconds * self.options.time_scale)
        self.store.save_operation(operation)
        self.start(self._run(operation))
        return operation

    def resume(self) -> None:
        """Go on with what was under way when the lab stopped."""
        for operation in self.store.operations.values():
            if operation.status == "InProgress":
                self.start(self._run(operation))

    def start(self, work: Any) -> None:
        """Run a coroutine beside the requests, until it ends or the lab stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _settle(self, outcome: Awaitable[None] | None) -> None:
        if inspect.isawaitable(outcome):
            self.start(outcome)

    async def _run(self, operation: Operation) -> None:
        await asyncio.sleep(max(0.0, operation.due - time.time()))
        while (fate := self.fates.get(operation.id)) and fate.status == "InProgress":
            await asyncio.sleep(0.02)
        resource = self.store.get(operation.resource)
        if operation.status != "InProgress":
            return
        if resource is None:
            operation.status = "Canceled"
            self.store.save_operation(operation)
            return
        served = self.kind_of(resource.type)
        try:
            if fate:
                raise errors.ArmError(409, fate.code, fate.message)
            if operation.verb == "delete":
                await self.forget(resource)
            elif operation.verb != "post":
                outcome = served.finished(self, resource, operation.before)
                if inspect.isawaitable(outcome):
                    await outcome
        except errors.ArmError as error:
            operation.status, operation.error = fate.status if fate else "Failed", error.body()["error"]
        except Exception as error:  # an operation of the lab must end, and say why, whatever went wrong in it
            operation.status, operation.error = "Failed", {"code": "InternalServerError", "message": f"{type(error).__name__}: {error}"}
        else:
            operation.status = "Succeeded"
        if operation.verb == "post":
            self.store.save_operation(operation)
            return
        # The resource may have gone while it was being worked on: what is deleted stays deleted.
        if self.store.get(operation.resource) is resource and (operation.verb != "delete" or operation.error):
            resource.operation = ""
            if served.has_provisioning_state:
                resource.properties["provisioningState"] = operation.status
            if operation.error:
                served.failed(resource, operation.error)
            self.store.save(resource)
        self.store.save_operation(operation)

    def operation_status(self, identifier: str) -> Operation:
        found = self.store.operations.get(identifier)
        if found is None:
            raise errors.ArmError(404, "OperationNotFound", f"The operation '{identifier}' could not be found.")
        return found

    async def stop(self) -> None:
        """Drop the tasks under way; their operations are in the store and go on at the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
