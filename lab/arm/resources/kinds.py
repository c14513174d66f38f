"""Resource groups."""

from __future__ import annotations

from ..kinds import Kind, kind

GROUP = "Microsoft.Resources/resourceGroups"


@kind
class ResourceGroup(Kind):
    type = GROUP
    delete_seconds = 10
    #: a second DELETE is accepted while the first is in progress
    delete_interrupts = True
