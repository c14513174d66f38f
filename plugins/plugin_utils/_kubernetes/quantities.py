"""Kubernetes' quantities as numbers.

This file is private to the collection.

kubernetes.utils.parse_quantity does the same, and loads the whole client for it, which takes as long as many requests.
"""

from __future__ import annotations

import re

_FACTORS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text: str) -> float:
    """CPUs or bytes. Raises :class:`ValueError` for what is no quantity.

    Source: kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.
    """
    match = re.fullmatch(rf"(\d+(?:\.\d*)?|\.\d+)({'|'.join(_FACTORS)})", text)
    if match is None:
        raise ValueError(f"{text!r} is not a valid quantity")
    return float(match[1]) * _FACTORS[match[2]]
