"""What all tests share."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: The longest files start first; files that are not listed follow. At most two stamps have nodes at a time, and the lab that needs both places
#: starts before all others. Files of one folder share a lab, in the order that leaves it usable for the next.
_ORDER = (
    "test_tour",
    "test_running_cluster",
    # Without nodes, while the tour has both places; then those that take a place each.
    "test_examples",
    "test_pages_without_clusters",
    "test_guides",
    "test_first_pages",
    "test_toggle",
    "test_disturbances",
    "test_modes",
    "test_verify",
    "test_secrets",
    "test_packets",
    "test_killed",
    "test_site",
    "test_service_families",
    "test_restart",
    "test_empty_subscription",
    "test_assess",
    "test_foreign_changes",
    "test_options",
    "test_whole_life",
    "test_role_variables",
)


def lab_of(nodeid: str) -> str:
    """The file of a test, or its folder: the files of a folder below tests/e2e or tests/packets share a lab."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return str(path.parent if str(path.parent.parent) in ("tests/e2e", "tests/packets") else path)


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
