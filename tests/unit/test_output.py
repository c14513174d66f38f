"""What a task shows: what a name says is secret is hidden, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import MASK, masked


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"windowsProfile": {"adminUsername": "a", "adminPassword": "b"}}, {"windowsProfile": {"adminUsername": "a", "adminPassword": MASK}}),
        ({"servicePrincipalProfile": {"clientId": "a", "secret": "b"}}, {"servicePrincipalProfile": {"clientId": "a", "secret": MASK}}),
        ({"properties": {"value": "a", "contentType": "b"}}, {"properties": {"value": MASK, "contentType": "b"}}),
        ({"properties": {"addressPrefix": {"value": "a"}}}, {"properties": {"addressPrefix": {"value": "a"}}}),
        ({"tokens": ["a", "b"], "secretValue": "c"}, {"tokens": [MASK, MASK], "secretValue": MASK}),
        ({"passwords": {"first": "a"}}, {"passwords": {"first": MASK}}),
        ({"secretUri": "a", "tokenUrl": "b", "secretId": "c"}, {"secretUri": "a", "tokenUrl": "b", "secretId": "c"}),
        # An add-on for secrets has settings that are none.
        (
            {"azureKeyvaultSecretsProvider": {"config": {"enableSecretRotation": "true", "rotationPollInterval": "2m"}}},
            {"azureKeyvaultSecretsProvider": {"config": {"enableSecretRotation": "true", "rotationPollInterval": "2m"}}},
        ),
        ({"secret": {"enabled": True, "count": 3, "name": None}}, {"secret": {"enabled": True, "count": 3, "name": None}}),
    ],
)
def test_masked(value: Any, expected: Any) -> None:
    assert masked(value) == expected
