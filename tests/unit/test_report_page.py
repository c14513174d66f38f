"""The page of a report: what is drawn of the addresses, what has changed, and that nothing gets out of its place."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.address_map import (
    SIDE,
    Range,
    Rectangle,
    blocks,
    count,
    pictures,
    place,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.changes import changes
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.details import NOTHING, details
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.merge import MalformedReport, merge, read_report
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.page import Report, plan_page, report_page
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.results import results
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.topology import topology
from tests.unit.report_samples import breaking, facts_of, names_of, register_of, report_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: block, prefix -> its rectangle
PLACES = [
    ("10.0.0.0/8", "10.0.0.0/8", (0, 0, 320, 320)),
    ("10.0.0.0/8", "10.0.0.0/9", (0, 0, 160, 320)),
    ("10.0.0.0/8", "10.128.0.0/9", (160, 0, 160, 320)),
    ("10.0.0.0/8", "10.64.0.0/10", (0, 160, 160, 160)),
    ("10.0.0.0/8", "10.192.0.0/10", (160, 160, 160, 160)),
    ("10.0.0.0/8", "10.1.0.0/16", (0, 20, 20, 20)),
    ("2001:db8::/32", "2001:db8:8000::/34", (160, 0, 160, 160)),
    ("2001:db8::/56", "2001:db8:0:1::/64", (0, 20, 20, 20)),
]


def of(text: str) -> Network:
    return ipaddress.ip_network(text)


@pytest.mark.parametrize(("block", "prefix", "expected"), PLACES)
def test_places(block: str, prefix: str, expected: tuple[float, ...]) -> None:
    assert place(of(block), of(prefix)) == Rectangle(*expected)


def prefixes(block: str, longest: int) -> st.SearchStrategy[Network]:
    outer = ipaddress.IPv4Network(block)

    def one(length: int, number: int) -> Network:
        step = number % (1 << (length - outer.prefixlen))
        return ipaddress.IPv4Network((int(outer.network_address) + (step << (32 - length)), length))

    return st.builds(one, st.integers(outer.prefixlen, longest), st.integers(0, 1 << 16))


@given(prefixes("10.0.0.0/16", 26), prefixes("10.0.0.0/16", 26))
def test_areas_are_to_scale_and_lie_as_their_ranges_do(one: Network, other: Network) -> None:
    block = of("10.0.0.0/16")
    first, second = place(block, one), place(block, other)
    assert first.width * first.height == SIDE * SIDE / (1 << (one.prefixlen - block.prefixlen))
    assert first.overlaps(second) == one.overlaps(other)


def ranges(*texts: str) -> list[Range]:
    return [Range("westeurope", "subnet", f"subnet-{number}", of(text), number, f"subnet-{number}") for number, text in enumerate(texts, 1)]


#: a block and what lies in it -> the blocks of its pictures
READABLE = {
    "a /16 with many /24": ("10.0.0.0/16", [f"10.0.{number}.0/24" for number in range(256)], ["10.0.0.0/16"]),
    "a /16 with small ones": (
        "10.0.0.0/16",
        ["10.0.0.0/24", "10.0.1.0/26", "10.0.1.64/28", "10.0.1.80/29"],
        ["10.0.0.0/16", "10.0.1.0/25"],
    ),
    "a /48 with /64 side by side": ("fd00:0:1::/48", ["fd00:0:1::/64", "fd00:0:1:1::/64", "fd00:0:1:2::/64"], ["fd00:0:1::/48", "fd00:0:1::/60"]),
    "a /48 with /64 far apart": ("fd00:0:1::/48", ["fd00:0:1::/64", "fd00:0:1:8000::/64", "fd00:0:1:4000::/64"], ["fd00:0:1::/48"]),
    "a /56 as planned": ("fd00:0:1::/56", ["fd00:0:1::/64", "fd00:0:1:80::/64", "fd00:0:1:40::/64"], ["fd00:0:1::/56"]),
    "nothing": ("10.0.0.0/16", [], ["10.0.0.0/16"]),
    "the block itself": ("10.0.0.0/16", ["10.0.0.0/16"], ["10.0.0.0/16"]),
    "a range twice": ("10.0.0.0/16", ["10.0.0.0/30", "10.0.0.0/30"], ["10.0.0.0/16"]),
}


@pytest.mark.parametrize("case", READABLE)
def test_every_range_has_its_number_or_name_in_some_picture(case: str) -> None:
    block, texts, drawn = READABLE[case]
    found = list(pictures(of(block), ranges(*texts)))
    assert [str(picture.block) for picture in found] == drawn
    named = {word for picture in found for cell in picture.cells if cell.text for word in cell.text.text.removeprefix("subnet-").split(", ")}
    assert named == {str(number) for number, _ in enumerate(texts, 1)}
    for picture in found:
        for cell in picture.cells:
            assert cell.place.x + cell.place.width <= SIDE and cell.place.y + cell.place.height <= SIDE


def test_numbers_do_not_cover_each_other() -> None:
    found = next(pictures(of("fd00:0:1::/48"), ranges(*(f"fd00:0:1:{number:x}::/64" for number in range(0, 65536, 8192)))))
    boxes = [Rectangle(cell.text.x - 4, cell.text.y - 5, 8, 10) for cell in found.cells if cell.text]
    assert len(boxes) == 8 and all(cell.dot for cell in found.cells)
    assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[number + 1 :])


def test_a_small_range_in_another_one_has_its_number() -> None:
    found = next(pictures(of("10.0.0.0/16"), ranges("10.0.0.0/16", "10.0.128.0/29")))
    assert [cell.text.text if cell.text else "" for cell in found.cells] == ["", "2"]


def test_the_scale_is_said() -> None:
    first, second = pictures(of("10.0.0.0/16"), ranges("10.0.0.0/24", "10.0.1.0/26", "10.0.1.64/28"))
    assert first.scale == "65,536 addresses. A square of the grid is a /20, 4,096 addresses."
    assert second.scale == "128 addresses. A square of the grid is a /29, 8 addresses. 512 times as large as in the picture of 10.0.0.0/16."
    (third,) = pictures(of("fd00:0:1::/48"), ranges("fd00:0:1::/64"))
    assert third.scale == "65,536 subnets (/64). A square of the grid is a /52, 4,096 subnets (/64). A dot is too small to draw."


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("10.0.0.0/32", "1 address"),
        ("10.0.0.0/20", "4,096 addresses"),
        ("fd00::/64", "1 subnet (/64)"),
        ("fd00::/48", "65,536 subnets (/64)"),
        ("fd00::/8", "2^56 subnets (/64)"),
        ("fd00::/108", "1,048,576 addresses"),
    ],
)
def test_sizes(prefix: str, expected: str) -> None:
    assert count(of(prefix)) == expected


#: networks -> the blocks that they are drawn in
BLOCKS = [
    (["10.0.0.0/20", "10.128.0.0/16", "10.192.0.0/20"], ["10.0.0.0/8"]),
    (["10.0.0.0/20", "10.128.0.0/16", "172.16.0.0/20", "192.168.0.0/24"], ["10.0.0.0/8", "172.16.0.0/20", "192.168.0.0/24"]),
    (["10.0.0.0/8", "10.1.0.0/16"], ["10.0.0.0/8"]),
    (["10.1.0.0/16"], ["10.1.0.0/16"]),
    (["fd00:0:1::/56", "fd00:0:1:100::/64", "fd00:0:1:200::/108", "fd77:0:1::/56"], ["fd00:0:1::/52", "fd77:0:1::/56"]),
    ([], []),
]


@pytest.mark.parametrize(("networks", "expected"), BLOCKS)
def test_what_lies_far_apart_is_drawn_apart(networks: list[str], expected: list[str]) -> None:
    assert [str(block) for block in blocks(map(of, networks))] == expected


@given(st.sets(st.one_of(prefixes("10.0.0.0/16", 26), prefixes("192.168.0.0/20", 28)), min_size=1, max_size=12))
def test_every_network_is_in_exactly_one_block(networks: set[Network]) -> None:
    found = blocks(networks)
    for network in networks:
        holding = [block for block in found if block.supernet_of(network)]  # type: ignore[arg-type]  # all are IPv4
        assert len(holding) == 1


def test_details() -> None:
    register = register_of(1)["stamps"]["westeurope"]
    facts = facts_of("westeurope", register, 10)
    found = details(facts)
    assert {address["prefix"] for address in found["addresses"]} == {prefix for families in register.values() for prefix in families.values()}
    assert [address["kind"] for address in found["addresses"][:3]] == ["vnet", "vnet", "subnet"]
    assert found["drift"] == []
    about = found["topology"]
    assert (about["mode"], about["nodes"], about["names"], about["applications"]) == (
        "nat64",
        2,
        {"public": "www.westeurope.aks.example.org"},
        ["apps/shop"],
    )
    assert about["families"]["ipv6"] == {
        "absent": "",
        "records": {"public": ["2001:db8:f::a"], "private": []},
        "address": "2001:db8:f::a",
        "listeners": ["http 80", "tls 443 shop.example.org"],
        "pods": 2,
        "upstream": "ipv4",
        "outbound": ["2001:db8:f:1::/124"],
        "nodes": 2,
    }


def test_drift_is_told_value_by_value() -> None:
    facts = facts_of("westeurope", register_of(1)["stamps"]["westeurope"], 10)
    breaking(facts)
    rule, budget = details(facts)["drift"]
    assert (rule["resource"], rule["path"], rule["declared"], rule["families"]) == (
        "networkSecurityGroups/nsg",
        "properties.securityRules[no-web]",
        "absent",
        ["ipv6"],
    )
    assert (budget["actual"], budget["declared"], budget["families"]) == ("2", "1", ["ipv4"])


def test_a_check_of_drift_points_to_the_list() -> None:
    page = report_page(report_of(1, broken=1))
    assert page.count('1 difference, see <a href="#drift">Drift</a>') == 4
    assert 'data-label="Property">spec.maxUnavailable</td>' in page


def test_nothing_is_known_of_a_stamp_that_could_not_be_read() -> None:
    assert details({"stamp": "westeurope", "problem": "the credentials have expired"}) == NOTHING


def held(facts: dict[str, Any]) -> None:
    facts["resources"]["ipv6"]["body"]["tags"] = {"dualstack-hold": "disabled since 2026-11-24T11:00:00Z: provider trouble"}


def native(facts: dict[str, Any]) -> None:
    facts["mode"] = "native"


def existing(facts: dict[str, Any]) -> None:
    facts["upstream"], facts["running_ingress"] = "ingress", ["ipv4"]


#: what is changed -> titles of the boxes, results of the entrances, labels at arrows
PATHS: dict[str, tuple[Callable[[dict[str, Any]], None], list[str], list[str], list[str]]] = {
    "translated": (lambda facts: None, ["Applications, reached over IPv4"], ["pass", "pass"], ["to IPv4"]),
    "broken": (breaking, ["Applications, reached over IPv4"], ["pass", "fail"], ["to IPv4"]),
    "native": (native, ["Applications, IPv4", "Applications, IPv6"], ["pass", "pass"], []),
    "held": (held, ["Applications, reached over IPv4"], ["pass", "not applicable"], []),
    "behind an ingress": (existing, ["Running ingress, reached over IPv4"], ["not applicable", "pass"], ["to IPv4"]),
}


@pytest.mark.parametrize("case", PATHS)
def test_paths(case: str) -> None:
    change, applications, entrances, labels = PATHS[case]
    facts = facts_of("westeurope", register_of(1)["stamps"]["westeurope"], 10)
    change(facts)
    found = topology(details(facts)["topology"], results(facts))
    titles = [box.title for box in found.boxes]
    assert titles[:2] + titles[2:4] + titles[-2:] == ["IPv4 clients", "IPv6 clients", "A record", "AAAA record", "Nodes", "Nodes"]
    assert titles[8:-2] == applications
    assert [box.result for box in found.boxes if box.title == "Entrance"] == entrances
    assert [arrow.label for arrow in found.arrows if arrow.label and arrow.label != "out"] == labels
    for number, one in enumerate(found.boxes):
        first = Rectangle(one.x, one.y, one.width, one.height)
        assert one.y + one.height <= found.height
        assert not any(first.overlaps(Rectangle(other.x, other.y, other.width, other.height)) for other in found.boxes[number + 1 :])
        assert all(len(line) <= (22 if one.width < 200 else 46) for line in one.lines)


PASS = {"check": "entrance", "family": "ipv6", "result": "pass", "evidence": "seen", "remedy": ""}
FAIL = {**PASS, "result": "fail", "remedy": "look"}
RANGE = {"kind": "subnet", "name": "nodes", "prefix": "10.0.0.0/22"}
#: a stamp's result and addresses, before and after -> the changes
CHANGES: dict[str, tuple[dict[str, str], list[Any], dict[str, str], list[Any], list[str]]] = {
    "nothing": (PASS, [RANGE], PASS, [RANGE], []),
    "broke": (PASS, [], FAIL, [], ["broke entrance: pass: seen > fail: seen"]),
    "mended": (FAIL, [], PASS, [], ["mended entrance: fail: seen > pass: seen"]),
    "not applicable any more": (
        {**PASS, "result": "not applicable"},
        [],
        PASS,
        [],
        ["other result entrance: not applicable: seen > pass: seen"],
    ),
    "seen otherwise": (PASS, [], {**PASS, "evidence": "again"}, [], ["other evidence entrance: pass: seen > pass: again"]),
    "a new range": (PASS, [RANGE], PASS, [RANGE, {**RANGE, "name": "more", "prefix": "10.0.4.0/24"}], ["added address:  > more 10.0.4.0/24"]),
    "a range less": (PASS, [RANGE, {**RANGE, "name": "less"}], PASS, [RANGE], ["gone address: less 10.0.0.0/22 > "]),
    "a stamp that could not be read": (PASS, [RANGE], FAIL, [], ["broke entrance: pass: seen > fail: seen"]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_changes(case: str) -> None:
    before, known, after, found, expected = CHANGES[case]
    last = read_report({"time": "2026-11-29T06:00:00Z", "stamps": [{"stamp": "a", "results": [before], "addresses": known}]}, "it")
    told = changes(last, {"a": [after]}, {"a": {"addresses": found}})
    assert [f"{change['kind']} {change['subject']}: {change['before']} > {change['after']}" for change in told] == expected


def test_stamps_that_come_and_go() -> None:
    last = read_report({"time": "2026-11-29T06:00:00Z", "stamps": [{"stamp": "old", "results": [PASS]}]}, "it")
    told = changes(last, {"new": [PASS]}, {})
    assert [(change["kind"], change["stamp"]) for change in told] == [("added", "new"), ("gone", "old")]


STAMP: dict[str, Any] = {"stamp": "a", "results": [PASS]}


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"addresses": {}}, "addresses"),
        ({"addresses": ["10.0.0.0/8"]}, "addresses"),
        ({"addresses": [{**RANGE, "prefix": "10.0.0.1/8"}]}, "addresses"),
        ({"addresses": [{**RANGE, "kind": "moon"}]}, "addresses"),
        ({"drift": [{"resource": "x"}]}, "drift"),
        ({"topology": {"mode": "nat64"}}, "topology"),
        ({"topology": {**details(facts_of("a", register_of(1)["stamps"]["westeurope"], 1))["topology"], "families": []}}, "topology"),
    ],
)
def test_details_that_are_no_details(more: dict[str, Any], what: str) -> None:
    with pytest.raises(MalformedReport, match=f"the {what} of a are not those of verify.yml"):
        read_report({"time": "2026-11-29T06:00:00Z", "stamps": [{**STAMP, **more}]}, "it")


def test_details_survive_the_merge() -> None:
    report = report_of(2)
    slices = [
        {"time": f"2026-11-30T0{number}:00:00Z", "stamps": [{"stamp": stamp, "results": report.results[stamp], **report.details[stamp]}]}
        for number, stamp in enumerate(report.results)
    ]
    found = merge(slices, names_of(3))
    assert found["details"] == report.details
    page = report_page(Report(found["time"], found["results"], found["details"]))
    assert "not reported" in page and page.count('class="topology"') == 2


def test_reports_of_older_releases_are_drawn_without_what_they_lack() -> None:
    page = report_page(Report("", {"a": [FAIL]}, {}))
    assert "<h1>a failed</h1>" in page and "There is no earlier report" in page and "No addresses are known" in page
    assert "Not compared with the inventory: a" in page and "as declared." not in page


@pytest.mark.parametrize(
    ("number", "broken", "title"),
    [(1, 0, "westeurope passed"), (1, 1, "westeurope failed"), (3, 0, "All 3 stamps passed"), (50, 2, "2 of 50 stamps failed")],
)
def test_titles(number: int, broken: int, title: str) -> None:
    page = report_page(report_of(number, broken=broken))
    assert f"<h1>{title}</h1>" in page
    assert ("What to do" in page) == bool(broken)


def test_fifty_stamps() -> None:
    report = report_of(50, broken=2)
    report_page(report_of(1))
    # Seconds of the processor: other tests run beside this one.
    started = time.process_time()
    page = report_page(report)
    assert time.process_time() - started < 2
    assert len(page.encode()) < 2_000_000
    started = time.process_time()
    plan = plan_page(register_of(50), [])
    assert time.process_time() - started < 2
    assert len(plan.encode()) < 2_000_000
    # Each stamp has its number in the pictures of what is too small in the picture of all.
    for square in ("10.0.0.0/14", "10.192.0.0/14"):
        drawn = page[: page.index(f'<span class="address">{square}</span>')].rpartition("<svg")[2]
        assert [int(found) for found in re.findall(r">(\d+)</text>", drawn)] == list(range(1, 51))


HOSTILE = "<script>alert(1)</script>\"'&{{ 917*911 }}\x00\u202e"


#: what the page compares, and does not only show
COMPARED = ("result", "family", "families", "kind", "prefix", "upstream")


def hostile(value: Any) -> Any:
    """Every text with markup at its end, but for what is compared."""
    if isinstance(value, dict):
        return {name: item if name in COMPARED else hostile(item) for name, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


def markup_in(page: str) -> list[str]:
    return [word for word in ("<script", "alert(1)</", "835387", "\x00", "\u202e", "\"'&") if word in page]


def test_nothing_that_is_shown_is_markup() -> None:
    report = report_of(2, broken=1)
    known = {f"{stamp}{HOSTILE}": hostile(found) for stamp, found in report.details.items()}
    for stamp, about in report.details.items():
        families = about["topology"]["families"]
        known[f"{stamp}{HOSTILE}"]["topology"]["families"] = {family: hostile(found) for family, found in families.items()}
    found = {f"{stamp}{HOSTILE}": hostile(list(items)) for stamp, items in report.results.items()}
    page = report_page(Report(HOSTILE, found, known, HOSTILE, hostile(list(report.changes))))
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 100
    assert markup_in(page) == []


def test_markup_is_found() -> None:
    assert markup_in(f"<p>{HOSTILE}</p>") == ["<script", "alert(1)</", "\x00", "\u202e", "\"'&"]


def test_a_plan_with_markup() -> None:
    register = {"stamps": {HOSTILE: {"vnet": {"ipv4": "10.0.0.0/16"}, HOSTILE: {"ipv4": "10.0.0.0/24"}}}}
    page = plan_page(register, [HOSTILE])
    assert "&lt;script&gt;" in page and markup_in(page) == []


@pytest.mark.parametrize("page", [report_page(report_of(3, broken=1)), plan_page(register_of(3), [])], ids=["report", "plan"])
def test_nothing_is_loaded(page: str) -> None:
    assert re.findall(r"""(?:src|srcset|data|action|poster)\s*=|@import|url\(|<script|\son\w+\s*=|https?:""", page) == []
    assert {link for link in re.findall(r'href="([^"]*)"', page) if not link.startswith("#")} == {"data:,"}
    targets = set(re.findall(r'id="([^"]*)"', page))
    assert {link[1:] for link in re.findall(r'href="(#[^"]*)"', page)} <= targets
    assert "default-src 'none'" in page


def test_a_plan_shows_what_is_retired() -> None:
    register = {
        "stamps": {"westeurope": {"vnet": {"ipv4": ["10.0.0.0/20", "10.9.0.0/24"], "ipv6": "fd00:0:1::/56"}, "nodes": {"ipv4": "10.0.0.0/22"}}},
        "retired": {"westeurope": {"old": {"ipv4": "10.0.4.0/24"}}, "gone": {"vnet": {"ipv4": "10.1.0.0/20"}}},
    }
    page = plan_page(register, ["westeurope"])
    assert "2 stamps, as the register holds them" in page
    assert 'class="range retired"' in page and "old (retired)" in page and "10.9.0.0/24" in page


def test_commands_are_code() -> None:
    page = report_page(
        Report("", {"a": [{**FAIL, "remedy": "run ansible-playbook dualstack.aks.verify --limit a -e dns_repair=true, which withdraws it"}]}, {})
    )
    assert "run <code>ansible-playbook dualstack.aks.verify <span>--limit</span> a <span>-e</span> dns_repair=true</code>, which" in page
