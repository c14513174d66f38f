"""What one resource type does beyond its shape: the base of all kinds, and the registry that they are in."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import errors, ids, preconditions
from .store import Resource

if TYPE_CHECKING:
    from .azure import Azure


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
    #: the query of the request
    query: Mapping[str, str] = field(default_factory=dict)
    #: its properties before Azure's defaults
    sent: Mapping[str, Any] = field(default_factory=dict)

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
    #: members that Azure's types do not name, and the service ignores
    overlooked: frozenset[str] = frozenset()
    #: properties that previews have beyond the stored types
    previewed: tuple[str, ...] = ()
    has_provisioning_state = True
    #: the provisioning state of what is being made
    creating = "Creating"
    #: answers say who made it and who changed it last
    has_system_data = False
    has_etag = False
    #: an If-Match header is compared with the etag
    honours_if_match = False
    #: a PUT leaves what it does not mention (compute)
    partial_put = False
    #: property -> child collection: sent inline, stored as resources of their own
    inline_children: dict[str, str] = {}
    #: False: Azure makes these itself, clients only read them
    writable = True
    #: a DELETE is taken while another write is in progress, and cancels it
    delete_interrupts = False
    #: the refusal of a write while another one is in progress, made of the resource that is being changed and its operation
    refused_while_busy: Callable[[str, str], errors.ArmError] = errors.InProgress
    #: False: written while its group is being deleted, and deleted where there is no group
    needs_group = True
    #: types that a body may refer to only while nothing changes the resource
    awaited: tuple[str, ...] = ()
    #: False: no lock covers it
    lockable = True
    #: properties that are lists whose members clients read and write one by one as well
    member_lists: tuple[str, ...] = ()
    #: the same, read only and as whole lists
    shown_lists: tuple[str, ...] = ()

    def seconds_of(self, write: Write) -> float:
        """Seconds that Azure takes for this write, before the lab's time scale."""
        return self.seconds

    def busy_with(self, resource: ids.ResourceId) -> str:
        """Id of the resource that a write to ``resource`` keeps busy; writes under it are refused meanwhile."""
        return resource.text

    def defaults(self, write: Write) -> None:
        """Fill in what Azure adds to a body, before the rules look at it."""

    def accepted(self, write: Write, resource: Resource) -> None:
        """Set the values that exist as soon as the write is accepted."""

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> Awaitable[None] | None:
        """Set the values that an ended operation leaves, and create what Azure creates elsewhere."""
        return None

    def failed(self, azure: Azure, resource: Resource, error: dict[str, Any]) -> None:
        """Record the error of a failed operation in the resource."""

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        """The resource as Azure answers it."""
        return copy.deepcopy(resource.body)

    def render_member(self, name: str, item: dict[str, Any]) -> dict[str, Any]:
        """A member of the list ``name`` as Azure answers it by itself."""
        return item

    def complete(self, azure: Azure, resource: Resource, body: dict[str, Any], api_version: str) -> None:
        """Add to a rendered resource what a GET of it alone shows, by the api-version that was asked."""

    def leaving(self, azure: Azure, resource: Resource) -> None:
        """Save what outlives the resource, before anything below it is removed."""

    def deleted(self, azure: Azure, resource: Resource) -> Awaitable[None] | None:
        """Remove what Azure removes with the resource."""
        return None

    def action(self, azure: Azure, resource: Resource, name: str, body: dict[str, Any], caller: Caller) -> Any:
        """A POST on the resource. None: there is no such action."""
        return None

    def listed(self, azure: Azure, scope: str, query: Mapping[str, str]) -> list[Resource]:
        """The resources of this type that a GET of the collection at ``scope`` answers with. Raises when there is no such scope."""
        preconditions.check_scope(azure, ids.parse(scope))
        group = ids.parse(scope).resource_group
        if group and not azure.store.get(scope):
            raise errors.GroupNotFound(group)
        return [found for found in azure.store.of_type(self.type) if found.key.startswith(scope.lower() + "/")]

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        """A GET below the resource that is not for a resource of its own; ``name`` in lower case. None: there is no such view."""
        return None


KINDS: dict[str, Kind] = {}


def kind(cls: type[Kind]) -> type[Kind]:
    """Class decorator: the lab serves ``cls.type`` by this class."""
    KINDS[cls.type.lower()] = cls()
    return cls
