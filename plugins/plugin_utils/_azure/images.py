"""Images pinned by digest, and the request that imports one into a registry.

This file is private to the collection.
"""

from __future__ import annotations

import re
from typing import Any

#: <registry>/<repository>[:<tag>]@sha256:<digest>
IMAGE = re.compile(
    r"(?P<registry>[a-z0-9.-]+(?::[0-9]+)?)/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>\w[\w.-]*))?@(?P<digest>sha256:[0-9a-f]{64})"
)


def import_body(image: str) -> dict[str, Any]:
    """The body of ``importImage`` (learn.microsoft.com/rest/api/containerregistry/registries/import-image) for an image.

    Force, since a digest names the same image at every repetition. Raises :class:`ValueError` for an image that is not pinned by digest.
    """
    match = IMAGE.fullmatch(image)
    if not match:
        raise ValueError(f"{image!r} is not <registry>/<repository>[:<tag>]@sha256:<digest>.")
    target = {"targetTags": [f"{match['repository']}:{match['tag']}"]} if match["tag"] else {"untaggedTargetRepositories": [match["repository"]]}
    return {"source": {"registryUri": match["registry"], "sourceImage": f"{match['repository']}@{match['digest']}"}, "mode": "Force", **target}
