"""The Kubernetes versions that a region offers."""

from __future__ import annotations

from typing import Any

#: Versions that this lab has binaries of; AKS takes both spellings.
VERSIONS = {"1.36": "1.36.3", "1.36.3": "1.36.3"}


def upgrades_of(version: str) -> list[dict[str, Any]]:
    """The versions after one, as upgrade profiles list them."""
    order = sorted(set(VERSIONS.values()), key=lambda text: [int(part) for part in text.split(".")])
    return [{"kubernetesVersion": later} for later in order[order.index(version) + 1 :]] if version in order else []
