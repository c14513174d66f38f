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

from ansible_collections.dualstack.aks.plugins.modules import plan_report, verify_report, verify_stamp

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
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "report.md", "report.xml"]
    written = json.loads((folder / "report.json").read_text())
    assert (written["time"], [stamp["stamp"] for stamp in written["stamps"]]) == ("2026-11-24T15:00:00Z", ["westeurope", "northeurope"])


def test_changes_since_the_last_report(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    register = {"stamps": {"westeurope": {"vnet": {"ipv4": "10.0.0.0/20"}}}}
    for number, outcome in enumerate(("pass", "fail", "fail")):
        if number == 2:
            (folder / "report.json").write_text("{")
        given = {"results": {"westeurope": [{**FOUND, "family": "ipv6", "result": outcome}]}, "folder": str(folder), "address_register": register}
        output = run(tmp_path, [{"dualstack.aks.verify_report": given, "register": "found"}, {"debug": {"var": "found.notes"}}])
        written = json.loads((folder / "report.json").read_text())
        page = (folder / "report.html").read_text()
        assert [change["kind"] for change in written["changes"]] == ["broke"] * (number == 1)
        assert bool(written["since"]) == (number == 1) == (">broke</td>" in page)
        # A stamp that could not be read has the addresses of the register.
        assert written["stamps"][0]["addresses"] == [{"kind": "vnet", "name": "vnet", "prefix": "10.0.0.0/20"}] and "10.0.0.0/20" in page
        assert ("is replaced, and changes since then are not reported" in output) == (number == 2), output


def test_a_plan_is_drawn_once(tmp_path: Path) -> None:
    tasks = [task for _ in range(2) for task in yaml.safe_load(plan_report.EXAMPLES)]
    output = run(tmp_path, tasks, "--check")
    assert "changed=1" in output and "failed=0" in output, output
    page = (tmp_path / "plan.html").read_text()
    assert "2 stamps, as the register holds them" in page and page.index(">westeurope<") < page.index(">northeurope<")
    (tmp_path / "plan.html").unlink()
    (tmp_path / "plan.html").mkdir()
    assert "The plan cannot be drawn to" in " ".join(run(tmp_path, tasks).split())


@pytest.mark.parametrize(("text", "message"), [("{", "report.json cannot be read"), ("{}", "report 1 is not a report.json of verify.yml")])
def test_what_is_no_report(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices" / "report.json").write_text(text)
    assert message in " ".join(fleet(tmp_path).split())
