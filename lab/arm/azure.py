"""Azure Resource Manager's own behaviour: what a write or a deletion goes through, whichever service it is for.

Shapes come from Microsoft's types (``schema``), refusals from ``rules``, what a type computes and what follows from a write from its
:class:`~lab.arm.kinds.Kind`.
"""

from __future__ import annotations

import copy
import inspect
import time
import uuid
from collections.abc import Mapping
from typing import Any

from . import errors, ids, preconditions, rules, schema
from .kinds import KINDS, Caller, Kind, Write
from .operations import Operations
from .options import FAMILY_QUOTA, QUOTAS, Options
from .store import Operation, Resource, Store


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


def _system_data(write: Write) -> dict[str, Any]:
    """Who made a resource and who changed it last (learn.microsoft.com/rest/api/resources/resources#systemdata)."""
    stamp = {"By": write.caller.object_id, "ByType": "Application", "At": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    made = {f"created{name}": value for name, value in stamp.items()}
    kept = (write.before.body.get("systemData") or {}) if write.before else {}
    return made | kept | {f"lastModified{name}": value for name, value in stamp.items()}


def _without_previews(served: Kind, body: dict[str, Any], api_version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A body of a preview without the properties that the stored types lack, and those."""
    properties = body.get("properties")
    if not isinstance(properties, dict) or not api_version.endswith("-preview"):
        return body, {}
    previewed = {name: value for name, value in properties.items() if name in served.previewed}
    return body | {"properties": {name: value for name, value in properties.items() if name not in previewed}}, previewed


def plain_location(text: Any) -> str:
    """A region as Azure compares it: it has two spellings, West Europe and westeurope."""
    return str(text).replace(" ", "").lower()


class Azure:
    """One subscription."""

    def __init__(self, store: Store, options: Options) -> None:
        self.store, self.options = store, options
        self.operations = Operations(self)
        #: the real clusters behind managed clusters, where the lab runs any
        self.clusters: Any = None
        for name in options.unregistered:
            self.store.save_fact(f"registration/{name.lower()}", "NotRegistered")
        if not self.store.facts.get("created"):
            self.store.save_fact("created", time.time())

    @property
    def subscription_id(self) -> str:
        return f"/subscriptions/{self.options.subscription}"

    def quota(self, name: str) -> int:
        return self.options.quotas.get(name, QUOTAS.get(name, ("", FAMILY_QUOTA))[1])

    def usage(self, name: str, count: int) -> dict[str, Any]:
        """What a list of usages has for one quota."""
        localized = QUOTAS[name][0] if name in QUOTAS else f"{name} vCPUs"
        return {"name": {"value": name, "localizedValue": localized}, "currentValue": count, "limit": self.quota(name), "unit": "Count"}

    def registration(self, namespace: str) -> str:
        found: str = self.store.facts.get(f"registration/{namespace.lower()}", "Registered")
        return found

    def kind_of(self, resource_type: str) -> Kind:
        found = KINDS.get(resource_type.lower())
        if found is None:
            raise errors.NotServed(resource_type)
        return found

    def get(self, resource: str) -> Resource:
        found = self.store.get(resource)
        if found is None:
            raise errors.NotFound(resource)
        return found

    def render(self, resource: Resource, *, api_version: str = "") -> dict[str, Any]:
        """The resource as Azure answers it; with ``api_version`` as the answer to a GET of it alone."""
        served = self.kind_of(resource.type)
        body = served.render(self, resource)
        if api_version:
            served.complete(self, resource, body, api_version)
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

    def write(
        self,
        path: str,
        body: dict[str, Any],
        api_version: str,
        caller: Caller,
        *,
        patch: bool = False,
        if_match: str = "",
        if_none_match: str = "",
        query: Mapping[str, str] | None = None,
    ) -> tuple[Resource, Operation | None, bool, schema.Checked]:
        """A PUT or PATCH. Returns the resource, the operation that now changes it (if any), whether it is new, and what was read."""
        parsed = ids.parse(path)
        served = self.kind_of(parsed.type)
        if not served.writable:
            raise errors.ArmError(405, "MethodNotAllowed", f"{served.type} cannot be written by clients of the lab.")
        before = self.store.get(path)
        if parsed.names:
            preconditions.check_scope(self, parsed, writing=served.needs_group)
        if parsed.namespace and self.registration(parsed.namespace) != "Registered":
            raise errors.NotRegistered(parsed.namespace)
        preconditions.check_parents(self, parsed)
        if patch and before is None:
            raise errors.NotFound(path)
        preconditions.check_locks(self, path, deleting=False)
        preconditions.check_idle(self, served, parsed)
        if before and if_none_match == "*":
            raise errors.PreconditionFailed(path)
        if served.honours_if_match and if_match not in ("", "*") and if_match != (before.body.get("etag") if before else None):
            raise errors.PreconditionFailed(path)
        partial = patch or (served.partial_put and before is not None)
        old_location = str(before.body.get("location") or "") if before else ""
        if old_location and plain_location(body.get("location") or old_location) != plain_location(old_location):
            raise errors.ArmError(
                409, "InvalidResourceLocation", f"The resource '{path}' already exists in location '{old_location}'; it cannot be created elsewhere."
            )
        body, previewed = _without_previews(served, body, api_version)
        checked = schema.check(served.type, api_version, body, partial=partial, overlooked=served.overlooked)
        if checked.problems:
            raise errors.Malformed(checked.problems)
        if previewed:
            checked.body.setdefault("properties", {}).update(previewed)
        wanted = merge(copy.deepcopy(before.body), checked.body) if partial and before else checked.body
        if old_location:
            wanted.setdefault("location", old_location)
        write = Write(
            self,
            self.spelt(path),
            before.type if before else served.type,
            wanted,
            before,
            caller,
            partial,
            query or {},
            copy.deepcopy(wanted.get("properties") or {}),
        )
        served.defaults(write)
        preconditions.check_references(self, served, write.id, write.properties)
        rules.check_write(write)
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
        if served.has_system_data:
            resource.body["systemData"] = _system_data(write)
        seconds = served.seconds_of(write)
        served.accepted(write, resource)
        previous = copy.deepcopy(before.body) if before else None
        operation = None
        if seconds:
            operation = self.operations.begin("create" if before is None else "update", resource, seconds, previous)
        if served.has_provisioning_state:
            state = (served.creating if before is None else "Updating") if operation else "Succeeded"
            resource.properties["provisioningState"] = state
        self.store.save(resource)
        for name, collection in served.inline_children.items():
            # A PUT of a virtual network without its subnets removes them.
            if not (write.partial and children[name] is None):
                self._replace_children(resource, collection, children[name] or [], write.caller)
        if operation is None:
            self.operations.settle(served.finished(self, resource, previous))
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
                    rules.check_delete(self, old)
            if write.before:
                for child in wanted or []:
                    rules.check_write(self._child_write(write.id, write.type, collection, child, write.caller))

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
            rules.check_write(write)
            resource = Resource(write.id, served.type, write.body, hidden=dict(before.hidden) if before else {})
            served.accepted(write, resource)
            resource.properties["provisioningState"] = "Succeeded"
            if served.has_etag:
                resource.body["etag"] = f'W/"{uuid.uuid4()}"'
            self.operations.settle(served.finished(self, resource, before.body if before else None))
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
        self.operations.settle(served.finished(self, resource, before.body if before else None))
        return self.store.save(resource)

    def delete(self, path: str, *, if_match: str = "") -> Operation | None:
        """A DELETE of a resource that is there. Returns the operation when it takes time."""
        resource = self.get(path)
        served = self.kind_of(resource.type)
        preconditions.check_locks(self, resource.id, deleting=True)
        if not served.delete_interrupts:
            preconditions.check_idle(self, served, ids.parse(resource.id))
        if served.honours_if_match and if_match not in ("", "*") and if_match != resource.body.get("etag"):
            raise errors.PreconditionFailed(path)
        rules.check_delete(self, resource)
        if served.delete_seconds:
            operation = self.operations.begin("delete", resource, served.delete_seconds, None)
            if served.has_provisioning_state:
                resource.properties["provisioningState"] = "Deleting"
            self.store.save(resource)
            return operation
        self.operations.settle(self.forget(resource))
        return None

    async def forget(self, resource: Resource) -> None:
        """Remove a resource with everything below it, deepest first."""
        below = self.store.below(resource.id)
        self.operations.cancel_below(below)
        for found in sorted([resource, *below], key=lambda item: -item.id.count("/")):
            if self.store.get(found.id):
                self.kind_of(found.type).leaving(self, found)
        for found in sorted([resource, *below], key=lambda item: -item.id.count("/")):
            if self.store.get(found.id):
                outcome = self.kind_of(found.type).deleted(self, found)
                if inspect.isawaitable(outcome):
                    await outcome
                self.store.remove(found.id)
