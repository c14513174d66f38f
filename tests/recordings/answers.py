"""Two answers for one resource, Azure's and the lab's: which properties both have, and which of those have the same value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ABSENT = object()
_GUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
#: kinds of text whose values no two subscriptions share
_DRAWN = (
    _GUID,
    re.compile(r'(W/)?"?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"?', re.IGNORECASE),
    re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?)?"),
    re.compile(r"/.*"),
    re.compile(r"v?\d+\.\d+(\.\d+)?"),
    re.compile(r"ns\d-\d\d\.azure-dns\.(com|net|org|info)\.?"),
    # of clusters: their host, the issuer of their tokens, their uid, the image of their nodes
    re.compile(r"[a-z0-9-]+-[a-z0-9]{8}(\.portal)?\.hcp\.[a-z0-9]+\.azmk8s\.io"),
    re.compile(r"https://[a-z0-9]+\.oic\.prod-aks\.azure\.com/.*"),
    re.compile(r"[0-9a-f]{24}"),
    re.compile(r"AKSUbuntu-\d{4}gen2containerd-\d{6}\.\d\d\.\d"),
    re.compile(r"AKSAzureLinux-V3gen2-\d{6}\.\d\d\.\d"),
)
#: an id, an etag, what Azure draws, and who sent the request
_DRAWN_NAMES = frozenset({"id", "etag", "ipprefix", "internalid", "createdby", "createdbytype", "lastmodifiedby", "lastmodifiedbytype"})


@dataclass(frozen=True)
class Property:
    """One leaf of Azure's answer: its path, with ``[]`` for an item of a list and ``{}`` for a name that is an id, and both values."""

    path: str
    azure: Any
    lab: Any

    @property
    def present(self) -> bool:
        return self.lab is not _ABSENT

    @property
    def equal(self) -> bool:
        name = self.path.rpartition(".")[2].lower()
        if self.azure == self.lab or (name in _DRAWN_NAMES and self.present):
            return True
        return isinstance(self.azure, str) and isinstance(self.lab, str) and _are_alike(self.azure, self.lab)

    @property
    def is_guid(self) -> bool:
        return all(isinstance(value, str) and _GUID.fullmatch(value) for value in (self.azure, self.lab))


def compare(azure: Any, lab: Any, path: str = "") -> Iterator[Property]:
    """The leaves of Azure's answer beside the lab's. A null of Azure's is as good as absent."""
    if isinstance(azure, dict) and azure:
        found = {name.lower(): value for name, value in lab.items()} if isinstance(lab, dict) else {}
        for name, value in azure.items():
            if value is not None:
                here = "{}" if name.startswith("/") else name
                yield from compare(value, found.get(name.lower(), _ABSENT), f"{path}.{here}".lstrip("."))
    elif isinstance(azure, list) and azure:
        for item, other in _pairs(azure, lab if isinstance(lab, list) else []):
            yield from compare(item, other, f"{path}[]")
    else:
        yield Property(path, azure, lab)


def _pairs(azure: list[Any], lab: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Each item with the lab's of the same name or id, or at the same place."""
    for name in ("name", "id"):
        if all(isinstance(item, dict) and item.get(name) for item in (*azure, *lab)):
            theirs, ours = ({str(item[name]).lower(): item for item in items} for items in (lab, azure))
            # What Azure named itself has another name in the lab.
            others = iter([theirs[key] for key in theirs.keys() - ours.keys()] if name == "id" else [])
            yield from ((item, theirs[key] if key in theirs else next(others, _ABSENT)) for key, item in ours.items())
            return
    yield from ((item, lab[at] if at < len(lab) else _ABSENT) for at, item in enumerate(azure))


def _are_alike(one: str, other: str) -> bool:
    addresses = _address(one), _address(other)
    if all(addresses):
        # The same address in another text is one that a client gave, spelt otherwise than by Azure.
        return addresses[0] != addresses[1]
    return any(form.fullmatch(one) and form.fullmatch(other) for form in _DRAWN)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
