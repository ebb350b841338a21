"""The page at `/channels` in a real browser: channels written by `mam`, read by the page's own decoder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By

from tangle import mam
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.tagged_data import TaggedData
from tests.nodes import RunningNode, running_node
from tests.tries import drawn
from tests.web.browser import Page, needs_chromium

pytestmark = needs_chromium
MODES = ["public", "private", "restricted"]
SIDE_KEY = b"k" * 32


class Writer:
    """A channel whose messages go to a node."""

    def __init__(
        self, node: RunningNode, mode: str, seed: bytes, height: int = 1, side_key: bytes | None = None
    ) -> None:
        self.node = node
        self.channel = mam.Channel(seed, mam.Mode.named(mode), height, side_key)
        self.position = mam.Position()

    @property
    def root(self) -> bytes:
        return self.channel.root(0)

    def seal(self, body: Any) -> mam.Sealed:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        sealed = self.channel.write(text, self.position)
        self.position = sealed.following
        return sealed

    def post(self, sealed: mam.Sealed) -> None:
        for part in sealed.parts:
            self.node.attach(TaggedData(sealed.address, part))

    def write(self, body: Any) -> None:
        self.post(self.seal(body))


def enter(page: Page, root: bytes, mode: str, side_key: bytes | None = None) -> None:
    """Fill in the way into a channel and follow it."""
    for name, value in (("root", root), ("side-key", side_key)):
        if name == "side-key":
            page.driver.find_elements(By.NAME, "mode")[MODES.index(mode)].click()
        if value is not None:
            page.find(name).clear()
            page.find(name).send_keys(value.hex())
    page.find("go").click()


def rows(page: Page) -> list[tuple[str, str, str]]:
    """State, index and text of the messages shown, the oldest first."""
    script = """return [...document.querySelectorAll("#messages > li")].reverse().map((row) =>
        [row.dataset.state, row.dataset.index, row.querySelector(".body")?.textContent ?? ""])"""
    return [tuple(row) for row in page.driver.execute_script(script)]


def until(page: Page, count: int, state: str = "live") -> list[tuple[str, str, str]]:
    """The rows once there are `count` of them."""

    def look() -> bool:
        return len(rows(page)) == count and page.text("status") == state

    wait(page, look, f"{count} rows and {state}")
    return rows(page)


def wait(page: Page, look: Any, why: str) -> None:
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline, f"{why}: {page.text('status')}, {rows(page)}, {page.text('notice')}"
        time.sleep(0.05)


@pytest.fixture
def channels(window: Page, node: RunningNode) -> Page:
    """The page, freshly loaded, with nothing in its logs."""
    window.driver.get("about:blank")
    window.complaints()
    window.requests()
    window.driver.get(f"{node.url}/channels")
    return window


@drawn
@pytest.mark.parametrize("mode", MODES)
def test_history_and_news_are_shown_verified_and_in_order(channels: Page, node: RunningNode, mode: str) -> None:
    side_key = SIDE_KEY if mode == "restricted" else None
    writer = Writer(node, mode, bytes([MODES.index(mode)]) * 32, side_key=side_key)
    for number in range(5):
        writer.write({"reading": number})
    enter(channels, writer.root, mode, side_key)
    until(channels, 5)
    for number in range(5, 9):
        writer.write({"reading": number})
        until(channels, number + 1)
    assert rows(channels) == [("verified", str(number), f"reading{number}") for number in range(9)]
    assert "none between them is missing" in channels.text("verdict-text")
    asked = channels.requests()
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(node.url).netloc}
    secrets = [] if mode == "public" else [writer.root.hex(), SIDE_KEY.hex()]
    assert not [url for url in (*asked, channels.driver.current_url) for key in secrets if key in url]
    assert channels.complaints() == []


def test_numbers_are_plotted_over_the_time_that_bodies_tell(channels: Page, node: RunningNode) -> None:
    writer = Writer(node, "public", b"n" * 32, height=3)
    for minute in range(8):
        engine = {"temp": 60 + minute, "label": "hot", "on": True}
        writer.write({"at": f"2026-11-21T10:{minute:02d}:00Z", "bar": 3 - minute / 4, "engine": engine})
    writer.write(b"no JSON")
    writer.write(b"17.5")
    enter(channels, writer.root, "public")
    until(channels, 10)
    expression = """Object.fromEntries([...globalThis.channelPage.fields.fields].map(([name, field]) =>
        [name, field.points]))"""
    channels.eventually(lambda: len(channels.driver.find_elements(By.CSS_SELECTOR, ".field")) == 3, "no plots")
    points = channels.driver.execute_script(f"return {expression}")
    assert points.keys() == {"bar", "engine.temp", "value"}
    assert [value for _, value in points["bar"]] == [3 - minute / 4 for minute in range(8)]
    assert points["bar"][1][0] - points["bar"][0][0] == 60_000
    lines = channels.driver.find_elements(By.CSS_SELECTOR, ".field .line")
    assert len((lines[0].get_attribute("points") or "").split()) == 8
    assert channels.driver.find_element(By.CSS_SELECTOR, "[data-field='engine.temp'] output").text == "67"


def test_a_long_body_and_an_empty_one_and_markup_stay_what_they_are(channels: Page, node: RunningNode) -> None:
    writer = Writer(node, "private", b"l" * 32)
    writer.write(b"<b>not markup</b>")
    writer.write(b"")
    writer.write(bytes([255]) * 70_000)
    enter(channels, writer.root, "private")
    shown = [text for _, _, text in until(channels, 3)]
    assert shown == ["<b>not markup</b>", "empty", "70,000 bytes that are no text"]


def test_what_is_no_key_is_refused_with_the_reason(channels: Page) -> None:
    channels.find("root").send_keys("0x12")
    channels.find("go").click()
    assert "32 bytes" in channels.text("root-wrong")
    channels.find("root").clear()
    enter(channels, b"r" * 32, "restricted")
    assert "Here are none" in channels.text("side-key-wrong")
    assert channels.text("status") == "no channel open"


def test_a_wrong_side_key_and_junk_are_told_apart(channels: Page, node: RunningNode) -> None:
    writer = Writer(node, "restricted", b"w" * 32, side_key=SIDE_KEY)
    writer.write(b"closed")
    enter(channels, writer.root, "restricted", b"x" * 32)
    channels.eventually(
        lambda: "a wrong side key leads to another address" in channels.text("notice"), "no notice"
    )
    address = b"j" * 32
    for number in range(3):
        node.attach(TaggedData(address, b"\x02" + bytes(300 + number)))
    enter(channels, address, "public")
    channels.eventually(lambda: "none is a message of this channel" in channels.text("notice"), "no notice")
    assert "3" in channels.text("counts")


def test_forks_gaps_and_altered_messages_are_shown(channels: Page, node: RunningNode) -> None:
    writer = Writer(node, "public", b"f" * 32, height=3)
    sealed = [writer.seal({"n": number}) for number in range(5)]
    twin = Writer(node, "public", b"f" * 32, height=3)
    others = [twin.seal({"other": number}) for number in range(2)]
    altered = bytearray(sealed[0].parts[0])
    altered[60] ^= 1
    node.attach(TaggedData(writer.root, bytes(altered)))
    for number in (0, 1, 3, 4):
        writer.post(sealed[number])
    twin.post(others[1])
    enter(channels, writer.root, "public")
    until(channels, 3)
    assert [row[:2] for row in rows(channels)] == [("verified", "0"), ("verified", "1"), ("fork", "1")]
    wait(channels, lambda: len(rows(channels)) == 6, "the gap is not given up")
    assert [row[:2] for row in rows(channels)[3:]] == [("gap", "2"), ("verified", "3"), ("verified", "4")]
    writer.post(sealed[2])
    assert until(channels, 7)[-1] == ("verified", "2", "n2")
    assert "two messages with one index" in channels.text("verdict-text")
    assert "not masked with this key, or altered" in channels.text("counts")


def test_a_new_side_key_ends_reading_until_it_is_entered(channels: Page, node: RunningNode) -> None:
    writer = Writer(node, "restricted", b"c" * 32, height=2, side_key=SIDE_KEY)
    writer.write(b"before")
    rekey = writer.channel.rekey([mam.public_key_of(b"p" * 32)], writer.position)
    writer.position = rekey.following
    writer.post(rekey)
    enter(channels, writer.root, "restricted", SIDE_KEY)
    until(channels, 2, "side key changed")
    writer.write(b"after")
    enter(channels, writer.root, "restricted", b"z" * 32)
    channels.eventually(lambda: channels.text("status") == "side key refused", "the wrong key is taken")
    assert "commits to" in channels.text("side-key-wrong")
    assert len(rows(channels)) == 2
    body = mam.unseal(writer.channel.access(), rekey.address, rekey.parts[0]).body
    new_key = mam.opener(b"p" * 32)(1, body[32:])
    enter(channels, writer.root, "restricted", new_key)
    assert until(channels, 3)[-1] == ("verified", "2", "after")


def test_what_was_written_for_another_network_is_no_message(channels: Page, node: RunningNode) -> None:
    writer = Writer(node, "public", b"y" * 32, height=2)
    writer.channel.network = 7
    writer.write(b"of another network")
    writer.channel.network = 0
    writer.write(b"of none")
    name = node.get("/api/core/v2/info")["protocol"]["networkName"]
    writer.channel.network = ProtocolParameters(network_name=name).network_id
    writer.write(b"of this one")
    enter(channels, writer.root, "public")
    wait(channels, lambda: len(rows(channels)) == 3, "the gap is not given up")
    assert [row[:2] for row in rows(channels)] == [("gap", "0"), ("verified", "1"), ("verified", "2")]
    assert "written for another network" in channels.text("counts")


def test_the_pages_lead_to_each_other_and_a_public_channel_has_a_link(channels: Page, node: RunningNode) -> None:
    writer = Writer(node, "public", b"u" * 32)
    writer.write(b"linked")
    channels.driver.get(f"{node.url}/channels#{writer.root.hex()}")
    channels.driver.refresh()
    until(channels, 1)
    assert channels.driver.find_element(By.LINK_TEXT, "Tangle").get_attribute("href") == f"{node.url}/"
    channels.driver.get(node.url)
    assert channels.driver.find_element(By.LINK_TEXT, "Channels").get_attribute("href") == f"{node.url}/channels"


def test_a_node_that_was_away_costs_no_message(window: Page, tmp_path: Path) -> None:
    with running_node(tmp_path / "data") as node:
        writer = Writer(node, "private", b"a" * 32)
        writer.write(b"first")
        window.driver.get(f"{node.url}/channels")
        enter(window, writer.root, "private")
        until(window, 1)
        port = urlsplit(node.url).port
    wait(window, lambda: window.text("status") == "node not reached", "it is not noticed that the node is away")
    with running_node(tmp_path / "data", port=port) as node:
        writer.node = node
        writer.write(b"second")
        writer.write(b"third")
        assert [text for _, _, text in until(window, 3)] == ["first", "second", "third"]
