"""Reports: whole, escaped, without anything from elsewhere, the same for the same results, readable on a phone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tangle import sim
from tangle.sim import sweep
from tangle.sim.errors import BadResult
from tangle.sim.lab.report import write
from tangle.sim.result import Result
from tests.web.browser import browser, needs_chromium

SCENARIO = sim.Scenario(name="<b>calm & slow</b>", arrivals=8.0, selector="uniform", blocks=600)


class Structure(HTMLParser):
    """Tags opened, drawings, ids, and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.drawings: list[dict[str, str | None]] = []
        self.ids: list[str | None] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "svg":
            self.drawings.append(dict(attrs))
        self.ids += [found for name, found in attrs if name == "id"]
        self.addresses += [found or "" for name, found in attrs if name in {"src", "href", "xlink:href"}]


@pytest.fixture(scope="module")
def result() -> Result:
    return sim.run(SCENARIO)


@pytest.fixture(scope="module")
def report(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(result, tmp_path_factory.mktemp("report") / "new")


def test_a_report_of_a_result(result: Result, report: Path, tmp_path: Path) -> None:
    text = report.read_text()
    seen = Structure()
    seen.feed(text)
    assert seen.tags.count("table") == 2
    assert len(seen.drawings) >= 6
    assert all((each["aria-label"] or "").strip() for each in seen.drawings)
    assert len(seen.ids) == len(set(seen.ids)), "no two figures share an id"
    assert all(address.startswith(("data:", "#")) for address in seen.addresses)
    assert {address.removeprefix("#") for address in seen.addresses if address[0] == "#"} <= set(seen.ids)
    assert "&lt;b&gt;calm &amp; slow&lt;/b&gt;" in text
    assert "<b>calm" not in text
    assert re.search(r"<th scope=\"row\">mean tips</th><td>1[5-9]", text)
    assert text == write(result, tmp_path / "again").read_text()


def test_several_results_stand_side_by_side(result: Result, tmp_path: Path) -> None:
    other = sim.run(SCENARIO.but(name="busy", arrivals=16.0))
    text = write([result, other], tmp_path, title="Two").read_text()
    assert '<th scope="col">busy</th><th scope="col">expected</th>' in text
    assert re.search(r'<th scope="row">mean tips</th><td>1[5-9][.\d]* \(1', text)
    assert "<h1>Two</h1>" in text
    with pytest.raises(BadResult, match="at least one"):
        write([], tmp_path)


def test_a_report_of_a_sweep(tmp_path: Path) -> None:
    base = SCENARIO.but(name="rates", selector="weighted", blocks=400)
    swept = sweep.run(sweep.Sweep(base, {"alpha": [0.01, 1.0], "parents": [2, 3]}, repeats=2), workers=1)
    text = write(swept, tmp_path).read_text()
    assert "8 of 8 runs are done" in text
    assert "mean tips over alpha" in text
    assert re.search(r'<tr><th scope="row">0.01</th><td>3</td>', text)


@needs_chromium
def test_a_browser_shows_it_without_asking_anybody(report: Path) -> None:
    address = report.as_uri()
    with browser() as page:
        page.driver.set_window_size(390, 844)
        grounds = {}
        for ground in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": ground}
            page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            page.driver.get(address)
            wide, shown, sizes, grounds[ground] = page.driver.execute_script(
                "const root = document.documentElement, drawings = [...document.querySelectorAll('figure svg')];"
                "return [root.scrollWidth, root.clientWidth, drawings.map(each => each.clientWidth),"
                " [getComputedStyle(document.body).backgroundColor,"
                "  getComputedStyle(drawings[0].querySelector('path')).fill]]"
            )
            assert wide <= shown, "only tables and figures are moved sideways"
            assert len(sizes) > 5
            assert min(sizes) > 500, "letters stay legible"
            assert grounds[ground][0] == grounds[ground][1], "a figure lies on the ground of its page"
        assert grounds["light"] != grounds["dark"]
        assert page.complaints() == []
        assert [url for url in page.requests() if not url.startswith(("data:", "file:"))] == []
