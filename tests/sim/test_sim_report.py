"""Reports: whole, escaped, without anything from elsewhere, the same for the same results, readable on a phone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sim
from sim import sweep
from sim.errors import BadResult
from sim.report import write
from sim.result import Result
from tests.web.browser import browser, needs_chromium

SCENARIO = sim.Scenario(name="<b>calm & slow</b>", arrivals=8.0, selector="uniform", blocks=600)


class Structure(HTMLParser):
    """Tags opened and closed, images, and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        self.addresses += [found or "" for name, found in attrs if name in {"src", "href"}]


@pytest.fixture(scope="module")
def result() -> Result:
    return sim.run(SCENARIO)


def test_a_report_of_a_result(result: Result, tmp_path: Path) -> None:
    text = write(result, tmp_path / "new").read_text()
    seen = Structure()
    seen.feed(text)
    assert seen.tags.count("table") == 2
    assert len(seen.images) >= 6
    assert all((image["alt"] or "").strip() for image in seen.images)
    assert all(address.startswith("data:") for address in seen.addresses)
    assert "&lt;b&gt;calm &amp; slow&lt;/b&gt;" in text
    assert "<b>calm" not in text
    assert re.search(r"<th scope=\"row\">mean tips</th><td>1[5-9]", text)
    assert text == write(result, tmp_path / "again").read_text()


def test_several_results_stand_side_by_side(result: Result, tmp_path: Path) -> None:
    other = sim.run(SCENARIO.but(name="busy", arrivals=16.0))
    text = write([result, other], tmp_path, title="Two").read_text()
    assert '<th scope="col">busy</th>' in text
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
def test_a_browser_shows_it_without_asking_anybody(result: Result, tmp_path: Path) -> None:
    address = write(result, tmp_path).as_uri()
    with browser() as page:
        page.driver.set_window_size(390, 844)
        page.driver.get(address)
        sizes = page.driver.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth,"
            " [...document.images].filter(each => each.naturalWidth > 100).length, document.images.length]"
        )
        wide, shown, drawn, images = sizes
        assert wide <= shown
        assert drawn == images > 5
        assert page.complaints() == []
        assert [url for url in page.requests() if not url.startswith(("data:", "file:"))] == []
