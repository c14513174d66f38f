"""Kubernetes' quantities, compared with its own client's reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils import parse_quantity

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.quantities import quantity


@given(st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", fullmatch=True))
def test_a_quantity_is_what_kubernetes_client_reads(text: str) -> None:
    assert quantity(text) == pytest.approx(float(parse_quantity(text)))


@pytest.mark.parametrize("text", ["", "m", "much", "256 Mi", "256MB", "-1", "1,5", "0x10"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid quantity"):
        quantity(text)
