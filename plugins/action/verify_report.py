# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
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
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.changes import changes
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.details import NOTHING, registered_addresses
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.formats import FORMATS, Details, Results, as_json, failures
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.merge import MalformedReport, Reported, merge, read_report
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.page import Report, report_page


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars or {})
        _unused, arguments = self.validate_argument_spec(
            argument_spec={
                "results": {"type": "dict"},
                "reports_from": {"type": "list", "elements": "path"},
                "stamps": {"type": "list", "elements": "str", "default": []},
                "details": {"type": "dict", "default": {}},
                "address_register": {"type": "dict", "default": {}},
                "folder": {"type": "path"},
            },
            mutually_exclusive=[["results", "reports_from"]],
            required_one_of=[["results", "reports_from"]],
        )
        folder = Path(arguments["folder"]) if arguments["folder"] else None
        if arguments["results"] is not None:
            results, details = plain(arguments["results"]), plain(arguments["details"])
            time = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            found: dict[str, Any] = {
                "notes": [],
                "failed_stamps": [stamp for stamp, checks in results.items() if failures(checks)],
                "missing_stamps": [],
            }
        else:
            found = _merged(arguments["reports_from"], arguments["stamps"], folder)
            results, details, time = found.pop("results"), found.pop("details"), found.pop("time")
            # Ansible takes a result with the key failed for a failure.
            found |= {f"{name}_stamps": found.pop(name) for name in ("failed", "missing")}
        if folder:
            known = {stamp: _completed(stamp, details.get(stamp) or {}, plain(arguments["address_register"])) for stamp in results}
            found["notes"] = [*found["notes"], *_write(folder, results, time, known)]
        return result | found | {"changed": folder is not None, "stamps": list(results), "time": time, "table": FORMATS["console"](results, time)}


def _merged(folders: Sequence[str], stamps: Sequence[str], written: Path | None) -> dict[str, Any]:
    """The reports below some folders as one. What this task wrote itself earlier is not one of them."""
    paths = {path.resolve() for folder in folders for path in Path(folder).rglob("report.json")}
    if written:
        paths.discard((written / "report.json").resolve())
    reports = [_report(path) for path in sorted(paths)]
    try:
        return merge(reports, stamps)
    except MalformedReport as error:
        raise AnsibleActionFail(f"{error} The reports, in order: {', '.join(map(str, sorted(paths)))}.") from error


def _report(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnsibleActionFail(f"{path} cannot be read: {error}") from error


def _completed(stamp: str, details: Mapping[str, Any], register: Mapping[str, Any]) -> dict[str, Any]:
    """The details of a stamp; the addresses of one that could not be read are the register's."""
    known = {**NOTHING, **details}
    return known | {"addresses": known["addresses"] or registered_addresses(register, stamp)}


def _write(folder: Path, results: Results, time: str, details: Details) -> list[str]:
    """Write a file of each format, in check mode too. Returns why changes since the last report are not shown; nothing when they are."""
    folder.mkdir(parents=True, exist_ok=True)
    notes: list[str] = []
    before: dict[str, Reported] = {}
    path = folder / "report.json"
    if path.exists():
        try:
            before = read_report(json.loads(path.read_text(encoding="utf-8")), str(path))
        except (ValueError, MalformedReport) as error:
            notes.append(f"{path} is replaced, and changes since then are not reported: {error}")
    last = max(before.values(), key=lambda reported: reported.rank, default=None)
    report = Report(time, results, details, last.text if last else "", changes(before, results, details) if last else [])
    texts = {
        "report.json": as_json(results, time, details, report.since, report.changes),
        "report.xml": FORMATS["junit"](results, time),
        "report.md": FORMATS["markdown"](results, time),
        "report.html": report_page(report),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return notes
