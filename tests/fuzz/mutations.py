"""Changes to bytes, JSON and text that keep most of their structure, so that more than the first check is met."""

from __future__ import annotations

import random
import re
from typing import Any

import orjson

HEX = re.compile("0x([0-9a-f]{2})*")
EDGES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 63, 64, 127, 128, 254, 255)
SIZES = (1, 2, 4, 8, 32, 33)
NUMBERS: tuple[object, ...] = (-1, 0, 1, 2**31, 2**53, 2**64 - 1, 2**64, 1.5, -0.0, 1e308)
TEXTS = (
    "",
    "0",
    "-1",
    "0x",
    "0xzz",
    "0x" + "00" * 32,
    "1e400",
    "\x00",
    "ä",
    "\U0001f4a7",
    "%",
    "' OR 1=1",
    "9" * 400,
)
ODD: tuple[object, ...] = (None, True, [], {}, [[]], *NUMBERS, *TEXTS)
DEEP = 400
"""levels of what is nested for its own sake"""


def changed_bytes(data: bytes, rng: random.Random) -> bytes:
    """The bytes with one to five changes: bits, edges, lengths, pieces taken out, put in, copied or repeated."""
    out = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        _change(out, rng)
        if not out:
            out += b"\0"
    return bytes(out)


def _change(out: bytearray, rng: random.Random) -> None:
    at, size = rng.randrange(len(out)), rng.choice(SIZES)
    match rng.randrange(9):
        case 0:
            out[at] ^= 1 << rng.randrange(8)
        case 1:
            out[at] = rng.choice(EDGES)
        case 2:
            out[at : at + size] = rng.choice((b"\xff" * size, bytes(size), b"\1" + bytes(size - 1)))
        case 3:
            out[at:at] = rng.randbytes(size)
        case 4:
            del out[at : at + size]
        case 5:
            source, length = rng.randrange(len(out)), rng.randrange(1, 80)
            out[at : at + length] = out[source : source + length]
        case 6:
            out[at:at] = out[at : at + rng.randrange(1, 120)]
        case 7:
            number = int.from_bytes(out[at : at + size], "little") + rng.choice((-1, 1, 256))
            length = len(out[at : at + size])
            out[at : at + length] = (number % (1 << 8 * length)).to_bytes(length, "little")
        case _:
            del out[at:]


def changed_json(data: bytes, rng: random.Random) -> bytes:
    """JSON with one to three changes to its tree; now and then to its bytes."""
    if rng.random() < 0.1:
        return changed_bytes(data, rng)
    try:
        tree = orjson.loads(data)
    except ValueError:
        return changed_bytes(data, rng)
    for _ in range(rng.choice((1, 1, 2, 3))):
        tree = _changed_tree(tree, rng)
    try:
        return orjson.dumps(tree)
    except TypeError:  # a number that no JSON of 64 bits holds
        return str(tree).replace("'", '"').replace("None", "null").replace("True", "true").encode()


def _changed_tree(tree: Any, rng: random.Random) -> Any:
    places = list(_places(tree))
    if not places or rng.random() < 0.03:
        return rng.choice(ODD)
    holder, key = rng.choice(places)
    value = holder[key]
    match rng.randrange(6):
        case 0:
            holder[key] = rng.choice(ODD)
        case 1:
            del holder[key]
        case 2:
            _, other = rng.choice(places)
            if isinstance(holder, dict):
                holder[str(other)] = value
            else:
                holder.insert(0, value)
        case 3:
            source, name = rng.choice(places)
            holder[key] = source[name]
        case 4:
            holder[key] = _changed_value(value, rng)
        case _:
            holder[key] = [value] * rng.choice((0, 2, 3, 130, 300))
    return orjson.loads(orjson.dumps(tree)) if _is_tree(tree) else {}


def _is_tree(tree: Any) -> bool:
    """Whether it can be written: what was moved into itself cannot, nor can some numbers."""
    try:
        orjson.dumps(tree)
    except (TypeError, RecursionError):
        return False
    return True


def _changed_value(value: Any, rng: random.Random) -> Any:
    match value:
        case bool() | None:
            return not value
        case int():
            return value + rng.choice((-1, 1, 255, 2**32))
        case str() if HEX.fullmatch(value):
            return "0x" + changed_bytes(bytes.fromhex(value[2:]), rng).hex()
        case str():
            return changed_text(value, rng)
    nested: Any = value
    for _ in range(rng.choice((1, 10, DEEP))):
        nested = [nested]
    return nested


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Each holder and key in the tree."""
    found, waiting = [], [tree]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            waiting.append(one[key])
    return found


def changed_text(text: str, rng: random.Random) -> str:
    """Text with a change, or another one altogether."""
    if rng.random() < 0.3:
        return rng.choice(TEXTS)
    return changed_bytes(text.encode(), rng).decode(errors="replace")
