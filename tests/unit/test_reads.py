"""What azure_resources_info returns of a list."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import only

PROVIDER = {
    "id": "/subscriptions/one/providers/Microsoft.Network",
    "namespace": "Microsoft.Network",
    "resourceTypes": [{"resourceType": "virtualNetworks"}],
}


@pytest.mark.parametrize(
    ("attributes", "body", "expected"),
    [
        ([], {"value": [PROVIDER]}, {"value": [PROVIDER]}),
        (["namespace"], {"value": [PROVIDER]}, {"value": [{"namespace": "Microsoft.Network"}]}),
        (["namespace", "absent"], {"value": [PROVIDER, {}]}, {"value": [{"namespace": "Microsoft.Network"}, {}]}),
        (["namespace"], {}, {"value": []}),
        (["namespace"], {"value": None}, {"value": []}),
    ],
)
def test_only(attributes: list[str], body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert only(attributes, body) == expected
