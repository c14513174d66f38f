"""What all kinds of Microsoft.Network have in common."""

from __future__ import annotations

from ... import ids
from ...kinds import Kind, Write
from ...store import Resource


class NetworkKind(Kind):
    """All of Microsoft.Network has etags and short asynchronous writes, nearly all a resourceGuid."""

    seconds = 2
    delete_seconds = 4
    has_etag = True
    honours_if_match = True

    def accepted(self, write: Write, resource: Resource) -> None:
        resource.properties.setdefault("resourceGuid", ids.stable_uuid(resource.id))
