"""The collection where Python packages are missing: it loads, and says what to install."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.action import entrances_wait
from ansible_collections.dualstack.aks.plugins.plugin_utils import _libraries
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure import base


@pytest.fixture
def without_identity(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A second copy of the module, loaded where azure-identity is not installed."""
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    specification = importlib.util.spec_from_file_location("libraries_without_identity", _libraries.__file__)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_all_are_here() -> None:
    assert _libraries.MISSING == ""
    assert {name for name in _libraries.__all__ if not hasattr(_libraries, name)} == set()


def test_a_missing_package_is_named_with_the_way_out(without_identity: ModuleType) -> None:
    assert "azure.identity" in without_identity.MISSING
    assert without_identity.MISSING.endswith("Install the collection's requirements.txt where Ansible runs.")


def test_classes_can_still_be_derived(without_identity: ModuleType) -> None:
    policy: Any = without_identity.ManagedIdentityCredential

    class Derived(policy[Any, Any]):  # type: ignore[misc]  # what stands for a missing class has no type
        pass

    assert issubclass(Derived, without_identity.Absent)


@pytest.mark.parametrize(("module", "action"), [(base, base.CredentialAction), (entrances_wait, entrances_wait.ActionModule)])
def test_actions_say_it(module: ModuleType, action: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MISSING", "dualstack.aks lacks Python packages")
    with pytest.raises(AnsibleActionFail, match="lacks Python packages"):
        action.run(SimpleNamespace())
