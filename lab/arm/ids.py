"""Azure resource ids: reading them, and telling a resource from a collection and from an action."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

#: Names that Azure computes come from here, so that a lab made anew gives a resource the same principal id again.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "lab.dualstack.aks")


def stable_uuid(*parts: str) -> str:
    """A UUID that depends on ``parts`` alone, whatever their case."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(part.lower() for part in parts)))


@dataclass(frozen=True)
class ResourceId:
    """``scope/providers/namespace/type/name[/type/name...][/tail]``; a resource group and a subscription have no namespace."""

    scope: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    #: the last segment when there is one more than pairs: a collection ("subnets") or an action ("listKeys")
    tail: str = ""

    @property
    def type(self) -> str:
        """``Microsoft.Network/virtualNetworks/subnets``, as the client spelt it."""
        if not self.namespace:
            return "Microsoft.Resources/resourceGroups"
        return "/".join((self.namespace, *self.types))

    @property
    def name(self) -> str:
        return self.names[-1] if self.names else ""

    @property
    def parent(self) -> str:
        """The id one level up: the parent resource, or the scope."""
        if len(self.names) <= 1:
            return self.scope
        return ResourceId(self.scope, self.namespace, self.types[:-1], self.names[:-1]).text

    @property
    def text(self) -> str:
        if not self.namespace:
            return self.scope
        pairs = "/".join(f"{kind}/{name}" for kind, name in zip(self.types, self.names, strict=True))
        return f"{self.scope}/providers/{self.namespace}/{pairs}"

    @property
    def resource_group(self) -> str:
        """Name of the resource group, empty for what belongs to the subscription."""
        segments = self.scope.split("/")
        return segments[4] if len(segments) > 4 and segments[3].lower() == "resourcegroups" else ""

    @property
    def subscription(self) -> str:
        segments = self.scope.split("/")
        return segments[2] if len(segments) > 2 and segments[1].lower() == "subscriptions" else ""


def parse(path: str) -> ResourceId:
    """Read a path. Extension resources (a role assignment on a registry) have the registry's id as their scope."""
    segments = path.strip("/").split("/")
    lower = [segment.lower() for segment in segments]
    if "providers" not in lower:
        return ResourceId("/" + "/".join(segments), "", (), ())
    at = len(lower) - 1 - lower[::-1].index("providers")
    rest = segments[at + 2 :]
    return ResourceId(
        scope="/" + "/".join(segments[:at]) if at else "",
        namespace=segments[at + 1] if at + 1 < len(segments) else "",
        types=tuple(rest[0 : len(rest) // 2 * 2 : 2]),
        names=tuple(rest[1::2]),
        tail=rest[-1] if len(rest) % 2 else "",
    )
