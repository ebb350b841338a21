"""What is fuzzed: blocks in both forms, all routes of a node, parts of channels, and books and files on a disk."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as unmask
from nacl.exceptions import CryptoError

from tangle.cli.wallet import file as wallet
from tangle.client.channels.book import ChannelBook
from tangle.errors import BrokenRule, TangleError
from tangle.machines.customer import Said
from tangle.mam import Channel, Event, Invitation, Mode, Position, Reader, Rejected
from tangle.mam.message import mask
from tangle.parties.seed import read_keys as party_keys
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Fields
from tangle.service.directory import read_keys as node_keys
from tangle.service.settings import Settings
from tests.fuzz.fuzzing import Target
from tests.fuzz.mutations import changed_bytes, changed_json, changed_text
from tests.networks import Key

VECTORS = Path(__file__).parents[1] / "vectors" / "iota-sdk-blocks.json"
PARAMETERS = ProtocolParameters(network_name="tangle-test", min_pow_score=0)
NONCE = slice(1, 25)
"""of a part: the version comes before it"""
READER = Key.named("reader")
BOOK_COLUMNS = {
    "channel": ("id", "layout", "seed", "mode", "height", "side_key", "next_index", "rekeyed_at"),
    "outbox": ("message", "part", "address", "data", "block_id"),
    "subscribers": ("public_key",),
}


def _answer(error: TangleError) -> str:
    """Which rule was broken; without the place in a list, which would be a new answer each time."""
    field = error.field if isinstance(error, BrokenRule) else ""
    return _plain(f"{error.code} {field}")


def _plain(text: str) -> str:
    """Without its figures, each of which would be a new answer."""
    return "".join(letter for letter in text if not letter.isdigit())[:120]


def _examples() -> list[Any]:
    examples: list[Any] = orjson.loads(VECTORS.read_bytes())
    return [example["block"] for example in examples]


def _block_bytes() -> Iterator[bytes]:
    for example in _examples():
        yield Block.from_json(Fields(example)).encoded


def _checked(block: Block) -> str:
    assert Block.decode(block.encoded).encoded == block.encoded
    assert Block.from_json(Fields(orjson.loads(orjson.dumps(block.to_json())))).encoded == block.encoded
    check_block(block, PARAMETERS)
    return f"right {type(block.payload).__name__}"


def _try_block(data: bytes) -> str:
    try:
        block = Block.decode(data)
        assert block.encoded == data
        return _checked(block)
    except TangleError as error:
        return _answer(error)


def _try_json(data: bytes) -> str:
    try:
        tree = orjson.loads(data)
    except ValueError:
        return "no JSON"
    if not isinstance(tree, dict):
        return "no object"
    try:
        return _checked(Block.from_json(Fields(tree)))
    except TangleError as error:
        return _answer(error)


BLOCKS = Target("blocks", _block_bytes, changed_bytes, _try_block)
JSON = Target("json", lambda: (orjson.dumps(example) for example in _examples()), changed_json, _try_json)


def _channel(mode: Mode) -> Channel:
    return Channel(b"seed".ljust(32, b"."), mode, 2)


def _parts() -> Iterator[bytes]:
    """Parts after a byte that tells whose they are; one of a long message, and what lets a subscriber in, too."""
    for mode in Mode:
        channel, position = _channel(mode), Position()
        for body in (b"", b"3.2 bar", bytes(40_000)):
            sealed = channel.write(body, position)
            yield from (bytes((mode,)) + part for part in sealed.parts)
            position = sealed.following


def _changed_part(data: bytes, rng: random.Random) -> bytes:
    """Mostly what is below the mask is changed and masked again, as only a writer or a reader can."""
    mode = data[0] if data[0] in tuple(Mode) else Mode.PUBLIC
    access = _channel(Mode(mode)).access(Position())
    if rng.random() < 0.8:
        try:
            plain = unmask(data[1 + NONCE.stop :], data[1:2], data[2 : 1 + NONCE.stop], access.mask_key)
        except CryptoError:
            return bytes((mode,)) + changed_bytes(data[1:], rng)
        return bytes((mode,)) + mask(access, changed_bytes(plain, rng))
    return bytes((mode,)) + changed_bytes(data[1:], rng)


def _try_part(data: bytes) -> str:
    access = _channel(Mode(data[0])).access(Position())
    reader = Reader(access)
    events = reader.take(access.address, data[1:], b"source")
    with suppress(TangleError):
        Invitation.decode(data[1:])
    return " ".join(_named(event) for event in events) or "waits"


def _named(event: Event) -> str:
    return _plain(f"{event.error.code} {event.error}") if isinstance(event, Rejected) else type(event).__name__


CHANNELS = Target("channels", _parts, _changed_part, _try_part)


@cache
def _book() -> bytes:
    """The file of a channel's writer, with messages that wait and a subscriber."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "book"
        book = ChannelBook.create(path, _channel(Mode.RESTRICTED))
        book.reserve([b"3.2 bar"])
        book.rekey(granted=[READER.public])
        book.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()


def _damages() -> Iterator[bytes]:
    """What happens to a book: columns that hold something else, and bytes of its file that do."""
    for table, columns in BOOK_COLUMNS.items():
        yield from (orjson.dumps([{"table": table, "column": column, "value": 7}]) for column in columns)
    yield orjson.dumps([{"at": 100, "bytes": "0x0d"}])


def _try_book(data: bytes) -> str:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "book"
        path.write_bytes(_book())
        try:
            for damage in orjson.loads(data):
                _damage(path, damage)
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError, sqlite3.Error):
            return "no damage"
        try:
            with closing(ChannelBook.open(path)) as book:
                book.reserve([b"another"])
                return f"opens, {len(book.outgoing())} to send"
        except TangleError as error:
            return _plain(f"{error.code} {str(error).replace(str(path), '')}")


def _damage(path: Path, damage: dict[str, Any]) -> None:
    if "at" in damage:
        at, new = int(damage["at"]), bytes.fromhex(damage["bytes"][2:])
        whole = bytearray(path.read_bytes())
        whole[at % len(whole) : at % len(whole) + len(new)] = new
        path.write_bytes(whole)
        return
    table, column, value = damage["table"], damage["column"], damage["value"]
    if column not in BOOK_COLUMNS[table]:
        raise KeyError(column)
    if isinstance(value, str) and value.startswith("0x"):
        value = bytes.fromhex(value[2:])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        connection.commit()


BOOKS = Target("books", _damages, changed_json, _try_book)


FILES: tuple[tuple[bytes, Callable[[Path], object]], ...] = (
    (orjson.dumps({"order": "00" * 32, "deposit": "", "stop": ""}), Said.read),
    (orjson.dumps({"version": 1, "mnemonic": "zoo " * 24}), wallet.load),
    (
        orjson.dumps({"version": 1, "sealed": {"kdf": "argon2id", "salt": "00" * 16, "box": "00" * 64}}),
        wallet.load,
    ),
    (
        orjson.dumps({"coordinatorSeeds": ["00" * 32], "supplyMnemonic": " ".join(["zoo"] * 23 + ["vote"])}),
        node_keys,
    ),
    (b"00" * 32, party_keys),
    (b'port = 14265\nnetwork_name = "plant"\n', lambda path: Settings.load(data=path.parent)),
)
NAMES = ("state", "wallet", "wallet", "keys.json", "seed", "tangle.toml")


def _files() -> Iterator[bytes]:
    yield from (bytes((number,)) + content for number, (content, _) in enumerate(FILES))


def _changed_file(data: bytes, rng: random.Random) -> bytes:
    number, content = data[:1], data[1:]
    return number + (changed_json if content.startswith(b"{") else changed_bytes)(content, rng)


def _try_file(data: bytes) -> str:
    number = data[0]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / NAMES[number]
        path.write_bytes(data[1:])
        path.chmod(0o600)
        try:
            FILES[number][1](path.parent if NAMES[number] == "keys.json" else path)
        except TangleError as error:
            return _plain(f"{number} {error.code} {str(error).replace(name, '')}")
    return f"{number} read"


SMALL_FILES = Target("files", _files, _changed_file, _try_file)
TARGETS = (BLOCKS, JSON, CHANNELS, BOOKS, SMALL_FILES)
"""those that need no node"""


def routes(http: httpx.Client) -> Target:
    """All routes that a node's description names, with parameters and bodies changed.

    No answer may be a failure of the node: a status from 500 on, but for 503 with the seconds to wait. Refusals
    are in the node's own form.
    """
    described = http.get("/openapi.json").json()

    def seeds() -> Iterator[bytes]:
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                yield orjson.dumps(_request(method, path, operation))

    def attempt(data: bytes) -> str:
        try:
            request = orjson.loads(data)
            method, path = str(request["method"]).upper(), str(request["path"])
            for name, value in request["parts"].items():
                path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
            query = {str(name): str(value) for name, value in request["query"].items()}
            content = orjson.dumps(request["body"]) if request["body"] is not None else b""
        except (ValueError, KeyError, TypeError, AttributeError):
            return "no request"
        if method not in {"GET", "POST", "PUT", "DELETE", "HEAD"} or not path.isascii() or not path.isprintable():
            return "no request"
        return _sent(http, method, path, query, content)

    return Target("routes", seeds, _changed_request, attempt)


def _request(method: str, path: str, operation: Any) -> dict[str, Any]:
    parameters = operation.get("parameters", [])

    def example(parameter: Any) -> object:
        schema = parameter.get("schema", {})
        return parameter.get("example", schema.get("example", schema.get("default", "0x" + "00" * 32)))

    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "method": method,
        "path": path,
        "parts": {one["name"]: example(one) for one in parameters if one["in"] == "path"},
        "query": {one["name"]: example(one) for one in parameters if one["in"] == "query"},
        "body": body.get("example", {}) if method == "post" else None,
    }


def _changed_request(data: bytes, rng: random.Random) -> bytes:
    """One of its parts is changed; most often parameters leave, for many exclude one another."""
    request = orjson.loads(data)
    query = request.get("query")
    if isinstance(query, dict) and query and rng.random() < 0.6:
        for name in rng.sample(list(query), rng.randrange(len(query) + 1)):
            if rng.random() < 0.5:
                del query[name]
            else:
                query[name] = changed_text(str(query[name]), rng)
        return orjson.dumps(request)
    if request.get("body") and rng.random() < 0.6:
        request["body"] = orjson.loads(_tree(changed_json(orjson.dumps(request["body"]), rng)))
        return orjson.dumps(request)
    parts = request.get("parts")
    if isinstance(parts, dict) and parts:
        name = rng.choice(list(parts))
        parts[name] = changed_text(str(parts[name]), rng)
    return orjson.dumps(request)


def _tree(data: bytes) -> bytes:
    try:
        orjson.loads(data)
    except ValueError:
        return b"null"
    return data


def _sent(http: httpx.Client, method: str, path: str, query: dict[str, str], content: bytes) -> str:
    headers = {"content-type": "application/json"} if content else {}
    with http.stream(method, path, params=query, content=content, headers=headers) as response:
        kind = response.headers.get("content-type", "").partition(";")[0]
        streams = kind == "text/event-stream"
        if not streams:
            response.read()
    assert response.status_code < 500 or (response.status_code == 503 and "retry-after" in response.headers), (
        response.status_code,
        method,
        path,
        query,
    )
    code = ""
    if response.status_code >= 400 and method != "HEAD":
        problem = response.json()
        code = (problem.get("error") or problem)["code"]
    return f"{method} {response.status_code} {code} {kind}"
