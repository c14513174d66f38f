"""The role ingress rendered in this process, with core's own loader and templar, as a run renders it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLE = Path(__file__).parents[1] / "roles" / "ingress"


class Rendering:
    """The role's variables with some of the inventory's over its defaults."""

    def __init__(self, **variables: Any) -> None:
        loader = DataLoader()
        found: dict[str, Any] = {"inventory_hostname": "westeurope", "ansible_search_path": [str(ROLE)], "role_path": str(ROLE)}
        for name in ("defaults", "vars"):
            found |= loader.load_from_file(str(ROLE / name / "main.yml"), trusted_as_template=True)
        self._templar = Templar(loader, found | {"dualstack_subscription_id": "00000000-0000-4000-8000-000000000001"} | variables)

    def __getitem__(self, name: str) -> Any:
        return self._templar.template(self._templar.available_variables[name])
