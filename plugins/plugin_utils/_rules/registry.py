"""Rules of container registries.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._azure.images import IMAGE
from . import Answer, Chapter, Finding
from .existing import is_out_of_reach


@dataclass(frozen=True)
class Registry:
    """What is declared of a registry, and what Azure answered: ``registry`` itself, and ``name``, whether its name is available."""

    name: str
    existing_id: str
    images: Sequence[str]
    private_endpoint: bool
    answers: Mapping[str, Answer]


CHAPTER = Chapter[Registry]("registry")
rule = CHAPTER.rule


_PRIVATE_LINK = "https://learn.microsoft.com/azure/container-registry/container-registry-private-link"
_NAMES = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry"


@rule("use 5 to 50 letters and digits", _NAMES)
def registry_name(registry: Registry) -> Iterator[Finding]:
    """A registry name that Azure refuses."""
    if not re.fullmatch(r"[a-zA-Z0-9]{5,50}", registry.name):
        yield "registry_name", registry.name


@rule("choose another name, or set registry_existing_id", _NAMES)
def registry_name_taken(registry: Registry) -> Iterator[Finding]:
    """A registry name that somebody else uses: names are unique across Azure."""
    if not registry.answers["registry"].exists and not registry.answers["name"].body.get("nameAvailable", True):
        yield "registry_name", f"{registry.name} is already used by somebody else in Azure"


@rule("correct the id, or leave it empty to create a registry")
def existing_registry(registry: Registry) -> Iterator[Finding]:
    """An existing registry that Azure does not have."""
    if registry.existing_id and not registry.answers["registry"].exists:
        yield "registry_existing_id", f"{registry.existing_id} {registry.answers['registry'].absence}"


@rule("upgrade it (az acr update --sku Premium), or set registry_private_endpoint to false", _PRIVATE_LINK)
def existing_registry_sku(registry: Registry) -> Iterator[Finding]:
    """A private endpoint for an existing registry whose SKU does not support one."""
    sku = (registry.answers["registry"].body.get("sku") or {}).get("name")
    if registry.existing_id and registry.private_endpoint and sku and sku != "Premium":
        yield "registry_existing_id", f"{registry.existing_id} has the SKU {sku}, but private endpoints need Premium"


@rule("set registry_private_endpoint to true, or allow access from the stamp", _PRIVATE_LINK)
def existing_registry_reachable(registry: Registry) -> Iterator[Finding]:
    """An existing registry without public access, which the stamp cannot reach."""
    if registry.existing_id and is_out_of_reach(registry.answers["registry"]) and not registry.private_endpoint:
        yield "registry_existing_id", f"{registry.existing_id} has neither public access nor a private endpoint"


@rule(
    "write <registry>/<repository>[:<tag>]@sha256:<digest>, as `docker buildx imagetools inspect` prints it",
    "https://learn.microsoft.com/azure/container-registry/container-registry-import-images",
)
def registry_images(registry: Registry) -> Iterator[Finding]:
    """An image that is not pinned by digest: a tag may point to another image in the next run."""
    loose = [image for image in registry.images if not IMAGE.fullmatch(image)]
    if loose:
        yield "registry_images", f"{', '.join(loose)}: not pinned by digest"


@rule("import the images with `az acr import`, and empty registry_images")
def images_into_existing_registry(registry: Registry) -> Iterator[Finding]:
    """Images to import into an existing registry, which is never written."""
    if registry.images and registry.existing_id:
        yield "registry_images", f"{registry.existing_id} exists already and is never written"
