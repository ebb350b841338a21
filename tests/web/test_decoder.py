"""The decoder of the page at `/channels`, in the browser that runs it: its primitives against the libraries that
the other implementation uses, and the whole of it against the vectors of docs/mam.md and every altered bit."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt
from nacl.signing import SigningKey

from tangle import mam
from tests.nodes import RunningNode
from tests.tries import drawn
from tests.web.browser import Page, needs_chromium

pytestmark = needs_chromium
VECTORS = [
    (version, one)
    for version in mam.VERSIONS
    for one in json.loads((Path(__file__).parents[1] / "vectors" / f"mam-v{version}.json").read_text())["channels"]
]
ORDER = 2**252 + 27742317777372353535851937790883648493
"""of the base point of Ed25519; RFC 8032, section 5.1"""
NOBODY = "77" * 32
_START = """
const hex = (b) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (x) => parseInt(x, 16));
const { blake2b } = await import("/web/blake2b.js");
const { sha512 } = await import("/web/sha512.js");
const { unmask } = await import("/web/xchacha.js");
const { verifies } = await import("/web/ed25519.js");
const { Access, Unreadable, unseal } = await import("/web/mam.js");
const { Reader } = await import("/web/reader.js");
"""


@pytest.fixture
def modules(window: Page, node: RunningNode) -> Iterator[Page]:
    """A page that may import the modules."""
    window.driver.get(f"{node.url}/channels")
    window.complaints()
    yield window
    assert window.complaints() == []


def ask(page: Page, script: str, given: Any) -> Any:
    """What a script returns that works with the page's modules on `given`."""
    body = f"(async () => {{ {_START} {script} }})().then(done, (error) => done(String(error)));"
    return page.driver.execute_async_script(f"const [given, done] = arguments; {body}", given)


def test_hashes(modules: Page) -> None:
    rng = random.Random(7)
    sizes = (0, 1, 63, 111, 112, 127, 128, 129, 255, 256, 257, 1_000, 33_000)
    cases = [
        (rng.randbytes(size), rng.randbytes(rng.choice((0, 32, 64))), rng.choice((24, 32, 64))) for size in sizes
    ]
    script = """return given.map(([data, key, size]) => [
        hex(blake2b(bytes(data), { person: "mam2 test", key: bytes(key), size })), hex(sha512(bytes(data)))]);"""
    found = ask(modules, script, [[data.hex(), key.hex(), size] for data, key, size in cases])
    for (data, key, size), (blake, sha) in zip(cases, found, strict=True):
        expected = hashlib.blake2b(data, key=key, person=b"mam2 test", digest_size=size).hexdigest()
        assert (blake, sha) == (expected, hashlib.sha512(data).hexdigest())


def test_masks(modules: Page) -> None:
    rng = random.Random(8)
    cases = []
    for size in (0, 1, 15, 16, 17, 63, 64, 65, 200, 32_000):
        plain, key, nonce, more = (rng.randbytes(count) for count in (size, 32, 24, rng.choice((0, 1, 16, 20))))
        sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(plain, more, nonce, key)
        altered = bytearray(sealed)
        altered[rng.randrange(len(altered))] ^= 1 << rng.randrange(8)
        cases += [(sealed, more, nonce, key, plain.hex()), (bytes(altered), more, nonce, key, None)]
        cases.append((sealed, more + b"x", nonce, key, None))
        cases.append((sealed, more, nonce, rng.randbytes(32), None))
    cases.append((b"short", b"", bytes(24), bytes(32), None))
    script = """return given.map(([sealed, more, nonce, key]) => {
        const plain = unmask(...[sealed, more, nonce, key].map(bytes));
        return plain && hex(plain); });"""
    found = ask(modules, script, [[part.hex() for part in case[:4]] for case in cases])
    assert found == [case[4] for case in cases]


def test_signatures(modules: Page) -> None:
    rng = random.Random(9)
    cases: list[tuple[bytes, bytes, bytes, bool]] = []
    for size in (0, 32, 32, 32, 200):
        key, message = SigningKey(rng.randbytes(32)), rng.randbytes(size)
        signature, public = key.sign(message).signature, bytes(key.verify_key)
        cases.append((signature, message, public, True))
        for place in (0, 31, 32, 40):
            altered = bytearray(signature)
            altered[place] ^= 1 << rng.randrange(8)
            cases.append((bytes(altered), message, public, False))
        cases.append((signature, message + b"x", public, False))
        cases.append((signature, message, bytes(SigningKey(rng.randbytes(32)).verify_key), False))
        larger = int.from_bytes(signature[32:], "little") + ORDER
        cases.append((signature[:32] + larger.to_bytes(32, "little"), message, public, False))
    # Of small order: the neutral point, with which anything would verify; and what is no point at all.
    neutral = (1).to_bytes(32, "little")
    cases += [(neutral + bytes(32), b"m", neutral, False), (bytes(64), b"m", bytes(32), False)]
    cases += [(bytes(64), b"m", b"\xff" * 32, False), (bytes(64), b"m", (2).to_bytes(32, "little"), False)]
    script = (
        "return given.map(([signature, message, key]) => verifies(bytes(signature), bytes(message), bytes(key)));"
    )
    found = ask(modules, script, [[part.hex() for part in case[:3]] for case in cases])
    assert found == [case[3] for case in cases]


READ = """
const reader = new Reader(given.mode, bytes(given.root), given.sideKey ? bytes(given.sideKey) : null);
const told = [];
for (const { address, data } of given.blocks) {
  for (const event of reader.take("0x" + address, bytes(data), address)) {
    told.push([event.type, Number(event.index), event.body ? hex(event.body) : ""]);
    if (event.type === "rekeyed") reader.rekey(bytes(given.newKeys.shift()));
  }
}
return told;
"""


@pytest.mark.parametrize(("version", "vector"), VECTORS, ids=range(len(VECTORS)))
def test_vectors(modules: Page, version: int, vector: Any) -> None:
    mode = mam.Mode.named(vector["mode"])
    chosen = bytes.fromhex(vector["sideKey"]) or None
    channel = mam.Channel(bytes.fromhex(vector["seed"]), mode, vector["height"], chosen, version=version)
    # The first of those whom a rekey message of the vectors names is named in all of them.
    subscribers = [message["rekeyFor"][0] for message in vector["messages"] if "rekeyFor" in message]
    new_keys: list[str] = []
    reader = mam.Reader(channel.access(), new_side_key=mam.opener(bytes.fromhex((subscribers or [NOBODY])[0])))
    for block in vector["blocks"]:
        before = reader.access
        reader.take(bytes.fromhex(block["address"]), bytes.fromhex(block["data"]))
        after = reader.access
        if before is not None and after is not None and before.side_key != after.side_key:
            assert after.side_key is not None
            new_keys.append(after.side_key.hex())
    given = {
        "mode": int(mode),
        "root": vector["roots"][0],
        "sideKey": (channel.access().side_key or b"").hex(),
        "blocks": vector["blocks"],
        "newKeys": new_keys,
    }
    expected = [
        ["rekeyed", index, ""] if "rekeyFor" in message else ["message", index, message["body"]]
        for index, message in enumerate(vector["messages"])
    ]
    assert ask(modules, READ, given) == expected


def test_every_altered_bit_is_refused(modules: Page) -> None:
    sealed = mam.Channel(b"b" * 32, mam.Mode.PUBLIC, 1).write(b"body", mam.Position())
    data = sealed.parts[0]
    script = """const access = new Access(0, bytes(given.root), null);
        const told = {};
        for (let bit = 0; bit < 4 * given.data.length; bit += 1) {
          const altered = bytes(given.data);
          altered[bit >> 3] ^= 1 << (bit & 7);
          let code = "taken";
          try {
            unseal(access, altered);
          } catch (error) {
            if (!(error instanceof Unreadable)) throw error;
            code = error.code;
          }
          told[code] = (told[code] ?? 0) + 1;
        }
        return [unseal(access, bytes(given.data)).index.toString(), told];"""
    index, told = ask(modules, script, {"root": sealed.address.hex(), "data": data.hex()})
    assert (index, told) == ("0", {"not_a_message": 7, "mask_invalid": 8 * len(data) - 7})


@drawn
@pytest.mark.parametrize("seed", range(3))
def test_order_junk_and_copies_change_nothing(modules: Page, seed: int) -> None:
    rng = random.Random(seed)
    channel, position, parts = mam.Channel(b"o" * 32, mam.Mode.PRIVATE, 2), mam.Position(), []
    bodies = [b"reading %d" % n for n in range(11)]
    bodies[5] = bytes(70_000)
    for body in bodies:
        sealed = channel.write(body, position)
        parts += [(sealed.address, data) for data in sealed.parts]
        position = sealed.following
    mixed = parts + rng.sample(parts, 4) + [(address, rng.randbytes(300)) for address, _ in parts]
    mixed = [part for _, part in sorted(enumerate(mixed), key=lambda pair: pair[0] + rng.random() * 3)]
    given = {
        "mode": 1,
        "root": channel.root(0).hex(),
        "blocks": [{"address": address.hex(), "data": data.hex()} for address, data in mixed],
        "newKeys": [],
    }
    told = [one for one in ask(modules, READ, given) if one[0] == "message"]
    reader, expected = mam.Reader(channel.access()), []
    for address, data in mixed:
        events = reader.take(address, data)
        expected += [["message", one.index, one.body.hex()] for one in events if isinstance(one, mam.Message)]
    assert told == expected, seed


def test_a_side_key_is_taken_only_if_the_writer_commits_to_it(modules: Page) -> None:
    channel = mam.Channel(b"r" * 32, mam.Mode.RESTRICTED, 2)
    rekey = channel.rekey([mam.public_key_of(b"p" * 32)], mam.Position())
    after = channel.write(b"after", rekey.following)
    script = """const reader = new Reader(2, bytes(given.root), bytes(given.first));
        reader.take("0x" + given.rekey[0], bytes(given.rekey[1]), "");
        const tried = given.keys.map((key) => reader.rekey(bytes(key)));
        const events = reader.take("0x" + given.after[0], bytes(given.after[1]), "");
        return [tried, events.map((event) => event.type)];"""
    first, second = (channel.side_key(at) or b"" for at in (None, 0))
    given = {
        "root": channel.root(0).hex(),
        "first": first.hex(),
        "keys": [bytes(32).hex(), first.hex(), second.hex()],
        "rekey": [rekey.address.hex(), rekey.parts[0].hex()],
        "after": [after.address.hex(), after.parts[0].hex()],
    }
    assert ask(modules, script, given) == [[False, False, True], ["message"]]


def test_the_id_of_a_network(modules: Page) -> None:
    script = """const { networkId } = await import("/web/mam.js");
        return given.map((name) => networkId(name).toString());"""
    names = ["tangle-local", "ä", ""]
    expected = [
        str(int.from_bytes(hashlib.blake2b(n.encode(), digest_size=32).digest()[:8], "little")) for n in names
    ]
    assert ask(modules, script, names) == expected
