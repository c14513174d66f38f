"""Actions that a task names: what is accepted, and all that is wrong at once."""

from __future__ import annotations

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import DeclarationError
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.posts import Post, posts_of

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers"
REGISTRY = f"{GROUP}/Microsoft.ContainerRegistry/registries/example"
UNKNOWN = f"{GROUP}/Microsoft.Example/things/one"


def test_the_version_is_that_of_the_type() -> None:
    [found] = posts_of({"nginx": {"id": REGISTRY, "action": "importImage", "body": {"mode": "Force"}}})
    assert found == Post("nginx", REGISTRY, "importImage", "2025-11-01", {"mode": "Force"})


def test_a_type_that_the_engine_does_not_know() -> None:
    [found] = posts_of({"one": {"id": UNKNOWN, "action": "start", "api_version": "2025-01-01"}})
    assert (found.api_version, found.body) == ("2025-01-01", {})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("text", "actions.bad: 'text' is not a mapping"),
        ({}, "actions.bad: it requires id and action"),
        ({"id": REGISTRY, "action": "importImage", "wait": True}, "actions.bad.wait: unknown key"),
        ({"id": REGISTRY, "action": True}, "actions.bad.action: true is not a text"),
        ({"id": REGISTRY, "action": "importImage", "body": 5}, "actions.bad.body: 5 is not a mapping"),
        ({"id": UNKNOWN, "action": "start"}, "does not know Microsoft.Example/things: set api_version"),
        ({"id": f"{GROUP}/Microsoft.Example", "action": "start"}, "ends before the name of a resource"),
    ],
)
def test_what_is_refused(entry: object, message: str) -> None:
    with pytest.raises(DeclarationError, match=r"actions\.good\.x: unknown key") as caught:
        posts_of({"bad": entry, "good": {"id": REGISTRY, "action": "importImage", "x": 1}})
    assert message in str(caught.value)
