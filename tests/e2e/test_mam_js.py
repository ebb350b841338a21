"""The JavaScript MAM library that machines in the field carry, unmodified, through our node.

npm `@iota/mam.js` 1.6.3 publishes and reads channels of all three modes over the routes of the generation before.
It is installed into a cache outside the repository; without Node.js or a registry the tests are skipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tangle.protocol.serial import blake2b_256
from tests import npm
from tests.e2e.nodes import NodeProcess
from tests.tries import drawn

PACKAGE, VERSION = "@iota/mam.js", "1.6.3"
SETTINGS = {"min_pow_score": 100}
SIDE_KEY = "SALT9AND9VINEGAR"
PUBLISH = """
const { createChannel, createMessage, mamAttach, TrytesHelper } = require("@iota/mam.js");
const [url, seed, mode, sideKey, ...texts] = process.argv.slice(1);
(async () => {
  const state = createChannel(seed, 2, mode, sideKey || undefined);
  const sent = [];
  for (const text of texts) {
    const message = createMessage(state, TrytesHelper.fromAscii(text));
    const { messageId } = await mamAttach(url, message, "MY9MAM");
    sent.push({ root: message.root, address: message.address, messageId });
  }
  console.log(JSON.stringify({ sent, next: state.nextRoot }));
})().catch((error) => { console.error(error); process.exit(1); });
"""
READ = """
const { mamFetch, mamFetchAll, TrytesHelper } = require("@iota/mam.js");
const [url, root, mode, sideKey] = process.argv.slice(1);
(async () => {
  const found = await mamFetchAll(url, root, mode, sideKey || undefined);
  const one = await mamFetch(url, root, mode, sideKey || undefined);
  const text = (message) => TrytesHelper.toAscii(message);
  const all = found.map((m) => ({ text: text(m.message), root: m.root, tag: m.tag, next: m.nextRoot }));
  console.log(JSON.stringify({ all, one: one ? text(one.message) : null }));
})().catch((error) => { console.error(error); process.exit(1); });
"""
SEEDS = {"public": "A" * 81, "private": "B" * 81, "restricted": "C" * 81}
TEXTS = ["first reading", '{"pressure": 3.2}', "third reading", "fourth, of another tree"]


@pytest.fixture(scope="module")
def library() -> Path:
    """Where the library is installed."""
    try:
        return npm.installed(PACKAGE, VERSION)
    except npm.Unavailable as error:
        pytest.skip(str(error))


def publish(library: Path, node: NodeProcess, mode: str, *texts: str, seed: str | None = None) -> Any:
    return npm.run(library, PUBLISH, node.url, seed or SEEDS[mode], mode, side_key(mode), *texts)


def read(library: Path, node: NodeProcess, root: str, mode: str, key: str | None = None) -> Any:
    return npm.run(library, READ, node.url, root, mode, side_key(mode) if key is None else key)


def side_key(mode: str) -> str:
    return SIDE_KEY if mode == "restricted" else ""


SLOW = pytest.mark.slow


@drawn
@pytest.mark.parametrize(
    "mode", [pytest.param("public", marks=SLOW), pytest.param("private", marks=SLOW), "restricted"]
)
def test_it_publishes_and_reads_channels(library: Path, shared_node: NodeProcess, mode: str) -> None:
    told = publish(library, shared_node, mode, *TEXTS)
    sent = told["sent"]
    found = read(library, shared_node, sent[0]["root"], mode)
    assert [one["text"] for one in found["all"]] == TEXTS
    assert [one["root"] for one in found["all"]] == [one["root"] for one in sent]
    assert {one["tag"] for one in found["all"]} == {"MY9MAM"}
    assert found["all"][-1]["next"] == told["next"]
    assert found["one"] == TEXTS[0]
    later = read(library, shared_node, sent[2]["root"], mode)
    assert [one["text"] for one in later["all"]] == TEXTS[2:]
    assert read(library, shared_node, told["next"], mode) == {"all": [], "one": None}


def test_what_it_publishes_is_tagged_data_like_any_other(library: Path, shared_node: NodeProcess) -> None:
    (sent,) = publish(library, shared_node, "public", "seen", seed="D" * 81)["sent"]
    tag = "0x" + blake2b_256(sent["address"].encode()).hex()
    path = f"{shared_node.url}/api/tangle/v1/tags/{tag}/blocks?data=true"
    items = httpx.get(path, trust_env=False).json()["items"]
    assert [one["blockId"] for one in items] == ["0x" + sent["messageId"]]
    assert len(items[0]["data"]) > 2_000


def test_a_wrong_side_key_and_junk_bring_no_messages(library: Path, shared_node: NodeProcess) -> None:
    sent = publish(library, shared_node, "restricted", "closed", seed="E" * 81)["sent"]
    root = sent[0]["root"]
    assert read(library, shared_node, root, "restricted", "ANOTHER9KEY")["one"] is None
    index = blake2b_256(sent[0]["address"].encode()).hex()
    for data in ("", "00", "ff" * 5_000):
        payload = {"payload": {"type": 2, "index": index, "data": data}}
        answer = httpx.post(f"{shared_node.url}/api/v1/messages", json=payload, timeout=30, trust_env=False)
        assert answer.status_code == 201
    assert read(library, shared_node, root, "restricted")["one"] == "closed"
