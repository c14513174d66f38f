"""What all tests share."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: What begins first; all others follow. Stamps with nodes may be two at a time: two workers begin with them, and the third has what needs none
#: until one of the two ends. The lab with two stamps comes before all. Files of one folder share a lab, and are in the order in which they leave
#: it usable.
_ORDER = (
    "test_tour",
    "test_running_cluster",
    "test_pages",
    "test_toggle",
    "test_disturbances",
    "test_modes",
    "test_site",
    "test_service_families",
    "test_restart",
    "test_killed",
    "test_empty_subscription",
    "test_verify",
    "test_secrets",
    "test_packets",
    "test_assess",
    "test_foreign_changes",
    "test_options",
    "test_whole_life",
)


def lab_of(nodeid: str) -> str:
    """The file of a test, or its folder: the files of a folder below tests/e2e share a lab."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return str(path.parent if path.parent.parent == PurePosixPath("tests/e2e") else path)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _ORDER.index(item.path.stem) if item.path.stem in _ORDER else len(_ORDER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The scheduler of ``--dist loadfile``, by labs instead of files."""
    if config.getoption("dist") != "loadfile":
        return None
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = lab_of
    return scheduler


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests have measured (``record_property("measured", …)``), whichever worker ran them."""
    reports = [report for found in terminalreporter.stats.values() for report in found if getattr(report, "when", "") == "call"]
    lines = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)
