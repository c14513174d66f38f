"""The actions of verify.yml and fleet_report.yml, as a playbook uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.modules import verify_report, verify_stamp

ROOT = Path(__file__).parents[2]
FOUND = {"check": "entrance", "evidence": "seen", "remedy": ""}
RESULTS = [{**FOUND, "family": "ipv4", "result": "pass"}, {**FOUND, "family": "ipv6", "result": "fail", "remedy": "look"}]


def run(folder: Path, tasks: Any, *words: str) -> str:
    """What a play with these tasks prints."""
    (folder / "inventory").write_text("westeurope\nnortheurope\n")
    play = [{"hosts": "westeurope", "connection": "local", "gather_facts": False, "tasks": tasks}]
    (folder / "play.yml").write_text(yaml.safe_dump(play))
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(folder / "inventory"), str(folder / "play.yml"), *words]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, 2), done.stdout + done.stderr
    return done.stdout


def test_examples(tmp_path: Path) -> None:
    output = run(tmp_path, [*yaml.safe_load(verify_stamp.EXAMPLES), *yaml.safe_load(verify_report.EXAMPLES)])
    assert "failed=0" in output and "entrance                                                pass  2001:db8:f::10 from probe: 200" in output, output


def report(results: list[dict[str, str]], time: str = "2026-11-24T14:00:00Z") -> str:
    return json.dumps({"time": time, "stamps": [{"stamp": "westeurope", "results": results}]})


def fleet(place: Path, *words: str, **options: Any) -> str:
    given = {"reports_from": [str(place / "slices")], "stamps": ["westeurope", "northeurope"], **options}
    return run(place, [{"dualstack.aks.verify_report": given, "register": "found"}, {"debug": {"var": "found"}}], *words)


def test_slices_are_merged_and_written(tmp_path: Path) -> None:
    for number, text in enumerate((report(RESULTS[:1]), report(RESULTS, "2026-11-24T15:00:00Z"))):
        (tmp_path / "slices" / str(number)).mkdir(parents=True)
        (tmp_path / "slices" / str(number) / "report.json").write_text(text)
    folder = tmp_path / "slices" / "all"
    # Once more: what it wrote itself is not a slice.
    for _ in range(2):
        output = fleet(tmp_path, "--check", folder=str(folder))
        assert '"missing_stamps": [\n            "northeurope"' in output and '"failed_stamps": [\n            "westeurope"' in output, output
    assert sorted(path.name for path in folder.iterdir()) == ["report.json", "report.md", "report.xml"]
    written = json.loads((folder / "report.json").read_text())
    assert (written["time"], [stamp["stamp"] for stamp in written["stamps"]]) == ("2026-11-24T15:00:00Z", ["westeurope", "northeurope"])


@pytest.mark.parametrize(("text", "message"), [("{", "report.json cannot be read"), ("{}", "report 1 is not a report.json of verify.yml")])
def test_what_is_no_report(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices" / "report.json").write_text(text)
    assert message in " ".join(fleet(tmp_path).split())
