"""The page of a report as Chromium shows it: narrow and wide, light and dark, by keyboard alone, and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.page import plan_page, report_page
from tests.browser import Browser
from tests.unit.report_samples import register_of, report_of

#: WCAG 2.2: 1.4.3 for text, whatever its size, and 1.4.11 for what a picture is read by
TEXT, GRAPHICS = 4.5, 3.0
OPEN = "document.querySelectorAll('details').forEach(found => found.open = true)"

#: the class of every block whose content is wider than itself
OVERFLOWING = """[...document.querySelectorAll('body, body *')]
  .filter(found => !found.closest('details:not([open]) > div') && getComputedStyle(found).display === 'block')
  .filter(found => found.clientWidth > 1 && found.scrollWidth > found.clientWidth + 1)
  .map(found => `${found.localName}.${found.className}`)"""

#: every text with less contrast than it needs, and every line of a picture: what it says, and its contrast
CONTRAST = """(([text, graphics]) => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = color => channels(color).slice(0, 3).map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, place) => sum + value * [0.2126, 0.7152, 0.0722][place], 0);
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((first, second) => first - second);
    return (high + 0.05) / (low + 0.05);
  };
  const covers = color => color !== 'none' && (channels(color)[3] ?? 1) === 1;
  const ground = (node, x, y) => {
    for (const under of document.elementsFromPoint(x, y)) {
      if (under === node || node.contains(under)) continue;
      const style = getComputedStyle(under);
      const color = under instanceof SVGGeometryElement ? style.fill : style.backgroundColor;
      if (covers(color)) return color;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const found = [], faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, range = document.createRange();
    if (node.closest('details:not([open]) > div')) continue;
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (!walker.currentNode.data.trim() || box.width < 2 || box.right < 0 || node.closest('title, .hidden')) continue;
    const style = getComputedStyle(node), own = node instanceof SVGElement ? style.fill : style.color;
    const behind = covers(style.backgroundColor) ? style.backgroundColor : ground(node, box.x + box.width / 2, box.y + box.height / 2);
    found.push(walker.currentNode.data);
    if (contrast(own, behind) < text) faint.push([walker.currentNode.data.trim(), contrast(own, behind).toFixed(2)]);
  }
  for (const node of document.querySelectorAll('.range, .box, .ground, .arrow')) {
    if (node.closest('details:not([open])')) continue;
    const surface = getComputedStyle(node.matches('.arrow, .ground') ? document.body : node.closest('svg').querySelector('.ground, .box') ?? node);
    const behind = node.matches('.arrow, .ground') ? surface.backgroundColor : surface.fill;
    found.push(node.getAttribute('class'));
    if (contrast(getComputedStyle(node).stroke, behind) < graphics) faint.push([node.getAttribute('class'), getComputedStyle(node).stroke]);
  }
  return {found: found.length, faint};
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    texts = {"one": report_page(report_of(1, broken=1)), "many": report_page(report_of(50, broken=2)), "plan": plan_page(register_of(3), [])}
    found = {name: folder / f"{name}.html" for name in texts}
    for name, text in texts.items():
        found[name].write_text(text)
    return found


#: page, width and colour scheme; colours do not depend on how many stamps there are, so the large page is not shown in all ways
VIEWS = [("one", width, scheme) for width in (360, 1440) for scheme in ("light", "dark")]
VIEWS += [(name, width, scheme) for name in ("many", "plan") for width, scheme in ((360, "light"), (1440, "dark"))]


@pytest.mark.parametrize(("name", "width", "scheme"), VIEWS)
def test_the_page_fits_and_can_be_read(browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str) -> None:
    browser.open(pages[name], width, scheme)
    if name != "many":
        browser.evaluate(OPEN)
    height = browser.evaluate("document.documentElement.scrollHeight")
    browser.resize(width, height)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(OVERFLOWING) == []
    told: dict[str, Any] = browser.evaluate(f"({CONTRAST})([{TEXT}, {GRAPHICS}])")
    assert told["found"] > 100
    assert told["faint"] == []
    assert browser.messages == []
    assert browser.requests == [pages[name].as_uri()]


WRONG = """<body style="background: #fff"><p style="color: #999">faint</p><div style="width: 2000px">wide</div>
<svg><rect class="ground" fill="#fff" stroke="#000" width="99" height="99"/><rect class="range" fill="#eee" stroke="#ddd" width="50" height="50"/>
<text x="9" y="20" fill="#aaa">pale</text></svg><script>console.log("said")</script><img src="missing.png">"""


def test_what_is_wrong_is_found(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text(WRONG)
    browser.open(page, 360)
    assert browser.evaluate("document.documentElement.scrollWidth") == 2008
    assert browser.evaluate(OVERFLOWING) == ["body."]
    told = browser.evaluate(f"({CONTRAST})([{TEXT}, {GRAPHICS}])")
    assert told["faint"] == [["faint", "2.85"], ["pale", "2.00"], ["range", "rgb(221, 221, 221)"]]
    assert sorted(browser.messages) == ["Failed to load resource: net::ERR_FILE_NOT_FOUND", "['said']"]
    assert browser.requests == [page.as_uri(), (tmp_path / "missing.png").as_uri()]


def test_everything_is_reached_by_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["plan"], 1440)
    wanted = browser.evaluate("document.querySelectorAll('a[href], summary').length")
    seen = []
    for _ in range(wanted):
        browser.press("Tab", 9)
        name, outline, left = browser.evaluate(
            "(found => [found.textContent.trim(), getComputedStyle(found).outlineStyle, found.getBoundingClientRect().left])(document.activeElement)"
        )
        assert outline == "solid" and left >= 0, name
        seen.append(name)
    assert seen[0] == "Skip to the content" and len(seen) == wanted
    assert browser.evaluate("document.activeElement.matches('summary') && !document.activeElement.parentElement.open")
    browser.press("Enter", 13)
    assert browser.evaluate("document.activeElement.parentElement.open")


def test_a_link_opens_the_stamp(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["many"], 1440)
    assert not browser.evaluate("document.getElementById('stamp-2').parentElement.open")
    browser.evaluate("document.querySelector('a[href=\"#stamp-2\"]').click()")
    assert browser.evaluate("new Promise(done => setTimeout(() => done(document.getElementById('stamp-2').parentElement.open), 50))")


def test_paper(browser: Browser, pages: dict[str, Path]) -> None:
    # A4 without the margins that the page asks for, in CSS pixels
    browser.open(pages["plan"], round((210 - 28) / 25.4 * 96))
    closed = browser.evaluate("[...document.querySelectorAll('details > div')].filter(found => found.checkVisibility()).length")
    browser.print_view()
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    printed = "[...document.querySelectorAll('details > div')].filter(found => found.getBoundingClientRect().height > 100).length"
    assert (closed, browser.evaluate(printed)) == (0, 3)
    found = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", browser.paper())
    assert len(found) >= 2 and {(round(float(width)), round(float(height))) for width, height in found} == {(595, 842)}
