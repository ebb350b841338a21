"""A headless Chromium that shows a node's page, and what tests ask of it.

The browser is Debian's `chromium` with `chromium-driver`; selenium is given both paths, so that it looks for
nothing elsewhere. No name is resolved: whatever the page asked of another host would fail, and the log of requests
shows it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

WAIT_S = 30
LOOK_S = 0.05
WIDTH, HEIGHT = 1280, 800
_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_DRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (_BROWSER and _DRIVER),
    reason="needs Chromium and its driver: apt-get install chromium chromium-driver",
)
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    f"--window-size={WIDTH},{HEIGHT}",
)

T = TypeVar("T")


class Page:
    """The node's page in the browser; `tanglePage` is what the page offers to the console."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Load the page and wait until it follows the node."""
        self.driver.get(url)
        self.eventually(lambda: self.text("status") == "live", "the page is not live")

    def renew(self, url: str) -> None:
        """Leave whatever is shown, empty the logs, then `open`."""
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.open(url)

    def ask(self, expression: str, *arguments: Any) -> Any:
        """What a JavaScript expression says, with `page` as the parts of the page."""
        return self.driver.execute_script(f"const page = globalThis.tanglePage; return {expression};", *arguments)

    def find(self, name: str) -> WebElement:
        """The element with this id."""
        return self.driver.find_element(By.ID, name)

    def text(self, name: str) -> str:
        """What the element with this id says."""
        said: str = self.find(name).text
        return said

    def panel(self) -> str:
        """What the panel of the selected block says."""
        return self.text("details")

    def eventually(self, look: Callable[[], T], why: str) -> T:
        """What `look` finds as soon as it finds something."""
        deadline = time.monotonic() + WAIT_S
        while True:
            if found := look():
                return found
            assert time.monotonic() < deadline, f"{why}; the page says {self.state()}\n{self.panel()}"
            time.sleep(LOOK_S)

    def state(self) -> dict[str, Any]:
        """How far the page has come."""
        parts = ["last", "behind", "gaps", "repeats", "slices", "state"]
        members = ", ".join(f"{name}: page.source.{name}" for name in parts)
        state: dict[str, Any] = self.ask(f"({{{members}, blocks: page.tangle.blocks.length}})")
        return state

    def knows(self, block_id: bytes) -> bool:
        """Whether the page holds this block."""
        return bool(self.ask("page.tangle.byId.has(arguments[0])", hex_of(block_id)))

    def await_block(self, block_id: bytes) -> None:
        """Wait until the page holds this block."""
        self.eventually(lambda: self.knows(block_id), f"{hex_of(block_id)} does not appear")

    def await_event(self, number: int) -> None:
        """Wait until the page has taken in the event with this number."""
        self.eventually(lambda: self.ask("page.source.last") >= number, f"event {number} does not come")

    def pause(self, *block_ids: bytes) -> None:
        """Have the drawing stand still once these blocks are in sight."""
        in_sight = (
            "arguments[0].every((id) => ((px) => px > 20 && px < page.view.width - 20)"
            "(page.view.px(page.tangle.byId.get(id).x)))"
        )
        ids = [hex_of(block_id) for block_id in block_ids]
        self.eventually(lambda: self.ask(in_sight, ids), "the blocks do not come into sight")
        self.find("follow").click()
        self.settle()

    def settle(self) -> None:
        """Wait until what is drawn stands still and is all that there is to draw."""
        self.eventually(lambda: self.ask("page.picture.settled"), "the drawing does not come to rest")

    def place(self, block_id: bytes) -> tuple[int, int]:
        """Where in the window a block is drawn."""
        expression = (
            "((b, r) => [r.left + page.view.px(b.x), r.top + page.view.py(b.y)])"
            "(page.tangle.byId.get(arguments[0]), page.picture.canvas.getBoundingClientRect())"
        )
        x, y = self.ask(expression, hex_of(block_id))
        return round(x), round(y)

    def click_at(self, x: int, y: int) -> None:
        """Click with a real pointer."""
        action = ActionBuilder(self.driver)
        action.pointer_action.move_to_location(x, y)  # type: ignore[no-untyped-call]
        action.pointer_action.click()
        action.perform()

    def contrast(self, x: int, y: int) -> float:
        """How far what is drawn around a place of the window differs from the ground, on average."""
        ground, drawn = self.colour("ground"), self.colours_around(x, y)
        return sum(abs(a - b) for one in drawn for a, b in zip(one, ground, strict=True)) / len(drawn)

    def colours_around(self, x: int, y: int, reach: int = 3) -> list[tuple[int, int, int]]:
        """The colours drawn around a place of the window, pixel by pixel."""
        expression = (
            "((c, d, r) => [...c.getContext('2d').getImageData("
            "(arguments[0] - r.left - arguments[2]) * d, (arguments[1] - r.top - arguments[2]) * d,"
            " 2 * arguments[2] * d, 2 * arguments[2] * d).data])"
            "(page.picture.canvas, page.picture.density, page.picture.canvas.getBoundingClientRect())"
        )
        values = self.ask(expression, x, y, reach)
        return [(values[i], values[i + 1], values[i + 2]) for i in range(0, len(values), 4)]

    def colour(self, name: str) -> tuple[int, int, int]:
        """A colour of the style sheet."""
        text = self.ask("page.picture.theme[arguments[0]]", name).removeprefix("#")
        return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)

    def _log(self, name: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(name)  # type: ignore[no-untyped-call]
        return entries

    def complaints(self) -> list[str]:
        """What the console has said since the last time."""
        return [entry["message"] for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """The URLs asked for since the last time, event streams among them."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]


@contextmanager
def browser() -> Iterator[Page]:
    """A browser without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(_BROWSER)
    for argument in _ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(_DRIVER)))
    try:
        yield Page(driver)
    finally:
        driver.quit()


def hex_of(block_id: bytes) -> str:
    """The id as the page writes it."""
    return f"0x{block_id.hex()}"
