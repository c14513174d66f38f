"""Report on all stamps. The documentation is in plugins/modules/verify_report.py."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import plain
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.formats import FORMATS, failures
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.merge import MalformedReport, merge

#: file -> its format
_FILES = {"report.json": "json", "report.xml": "junit", "report.md": "markdown"}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars or {})
        _, arguments = self.validate_argument_spec(
            argument_spec={
                "results": {"type": "dict"},
                "reports_from": {"type": "list", "elements": "path"},
                "stamps": {"type": "list", "elements": "str", "default": []},
                "folder": {"type": "path"},
            },
            mutually_exclusive=[["results", "reports_from"]],
            required_one_of=[["results", "reports_from"]],
        )
        folder = Path(arguments["folder"]) if arguments["folder"] else None
        if arguments["results"] is not None:
            results = plain(arguments["results"])
            time = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            found: dict[str, Any] = {
                "notes": [],
                "failed_stamps": [stamp for stamp, checks in results.items() if failures(checks)],
                "missing_stamps": [],
            }
        else:
            found = _merged(arguments["reports_from"], arguments["stamps"], folder)
            results, time = found.pop("results"), found.pop("time")
            # Ansible takes a result with the key failed for a failure.
            found |= {f"{name}_stamps": found.pop(name) for name in ("failed", "missing")}
        written = _write(folder, results, time)
        return result | found | {"changed": written, "stamps": list(results), "time": time, "table": FORMATS["console"](results, time)}


def _merged(folders: Sequence[str], stamps: Sequence[str], written: Path | None) -> dict[str, Any]:
    """The reports below some folders as one. What this task wrote itself earlier is not one of them."""
    paths = {path.resolve() for folder in folders for path in Path(folder).rglob("report.json")}
    if written:
        paths.discard((written / "report.json").resolve())
    reports = [_report(path) for path in sorted(paths)]
    try:
        return merge(reports, stamps)
    except MalformedReport as error:
        raise AnsibleActionFail(f"{error} In their order the reports are {', '.join(map(str, sorted(paths)))}.") from error


def _report(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnsibleActionFail(f"{path} cannot be read: {error}") from error


def _write(folder: Path | None, results: Mapping[str, Any], time: str) -> bool:
    """Write a file of each format; whether there was a folder to write them to. Reports are written in check mode too."""
    if folder is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for name, kind in _FILES.items():
        (folder / name).write_text(FORMATS[kind](results, time), encoding="utf-8")
    return True
