# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Draw the address plan. The documentation is in plugins/modules/plan_report.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import plain
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.page import plan_page


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars or {})
        _unused, arguments = self.validate_argument_spec(
            argument_spec={
                "address_register": {"type": "dict", "required": True},
                "stamps": {"type": "list", "elements": "str", "default": []},
                "path": {"type": "path", "required": True},
            }
        )
        path = Path(arguments["path"])
        page = plan_page(plain(arguments["address_register"]), arguments["stamps"])
        try:
            changed = not path.exists() or path.read_text(encoding="utf-8") != page
            if changed:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(page, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AnsibleActionFail(f"The plan cannot be drawn to {path}: {error}") from error
        return result | {"changed": changed, "path": str(path)}
