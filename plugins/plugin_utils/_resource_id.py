"""Azure resource ids from their parts.

This file is private to the collection.
"""

from __future__ import annotations

import re

#: type of a resource provider's registration in a subscription
PROVIDER = "Microsoft.Resources/providers"
_GROUP = "microsoft.resources/resourcegroups"
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def resource_id(name: str, resource_type: str, *, parent: str = "", subscription_id: str = "", resource_group: str = "") -> str:
    """The id of a resource.

    Either below ``parent`` (a resource's id; its child type or an extension such as a role assignment), or in a resource group of a
    subscription. ``Microsoft.Resources/resourceGroups`` needs the subscription alone. Raises :class:`ValueError` naming what is missing.
    """
    namespace, _unused, path = resource_type.partition("/")
    if not path:
        raise ValueError(f"{resource_type!r} is not a resource type: it must look like Microsoft.Network/virtualNetworks.")
    if not name:
        raise ValueError(f"The {path} needs a name.")
    if parent:
        if "/" in name:
            raise ValueError(f"{name!r} has a slash; with a parent, use only the last part of the name.")
        if is_child_of(parent, resource_type):
            return f"{parent.rstrip('/')}/{path.rpartition('/')[2]}/{name}"
        if resource_type.lower() == _GROUP and type_of(parent).endswith("/subscriptions"):
            return f"{parent.rstrip('/')}/resourceGroups/{name}"
        if "/" in path:
            raise ValueError(f"{name!r} of type {resource_type} cannot be in {parent}, which is of type {type_of(parent)}.")
        return f"{parent.rstrip('/')}/providers/{resource_type}/{name}"
    if not GUID.fullmatch(subscription_id):
        raise ValueError(f"subscription_id must be a GUID, not {subscription_id!r}: set dualstack_subscription_id, or AZURE_SUBSCRIPTION_ID.")
    scope = f"/subscriptions/{subscription_id}"
    if resource_type.lower() == _GROUP:
        return f"{scope}/resourceGroups/{name}"
    if not resource_group:
        raise ValueError(f"The {path} {name!r} needs a resource_group or a parent.")
    segments, names = path.split("/"), name.split("/")
    if len(segments) != len(names):
        raise ValueError(f"{name!r} must have {len(segments)} parts separated by slashes, one for each of {path}.")
    pairs = "/".join(f"{segment}/{part}" for segment, part in zip(segments, names, strict=True))
    return f"{scope}/resourceGroups/{resource_group}/providers/{namespace}/{pairs}"


def type_of(identifier: str) -> str:
    """The type of the resource, or of the collection, that an id names. Raises :class:`ValueError` for one that names neither.

    ``/subscriptions/<id>/locations`` is of type ``Microsoft.Resources/subscriptions/locations``, and
    ``/subscriptions/<id>/providers/<namespace>``, the registration of a provider, of type :data:`PROVIDER`.
    """
    segments = identifier.strip("/").split("/")
    lower = [segment.lower() for segment in segments]
    if "providers" not in lower:
        if len(segments) in (3, 4) and lower[2] == "resourcegroups":
            return "Microsoft.Resources/resourceGroups"
        return "/".join(["Microsoft.Resources", *segments[::2]])
    last = len(lower) - 1 - lower[::-1].index("providers")
    if last + 2 >= len(segments):
        if last == 2 and lower[0] == "subscriptions":
            return PROVIDER
        raise ValueError(f"{identifier!r} ends before the name of a resource.")
    return "/".join([segments[last + 1], *segments[last + 2 :: 2]])


def folded(name: object) -> str:
    """A name, an id, a region or an enumeration as Azure compares it: without case, and without the spaces of a region's display name."""
    return str(name).replace(" ", "").lower()


def is_child_of(parent: str, resource_type: str) -> bool:
    """Whether a resource of ``resource_type`` is a child (and not an extension) of the resource ``parent``."""
    return resource_type.lower().rpartition("/")[0] == type_of(parent).lower()
