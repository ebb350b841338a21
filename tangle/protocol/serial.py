"""Reading and writing the binary and the JSON form (TIP-21, TIP-25 naming).

Binary is little endian with length prefixes given per field. `Reader` walks over bytes and names the field it
stands at when they end too early. `Fields` does the same for a JSON object. What stands where in a wire type is
declared (`fields`, `codec`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tangle.errors import nearest, unknown
from tangle.protocol.errors import (
    CountOutOfRange,
    LengthOutOfRange,
    MalformedJson,
    ProtocolError,
    TrailingBytes,
    UnexpectedEnd,
    UnknownMember,
)

Json = dict[str, Any]
T = TypeVar("T")
E = TypeVar("E")
U32_MAX = 2**32 - 1
"""largest index, count or time in seconds since the Unix epoch"""
COUNT_MAX = 2**63 - 1
"""largest event number or count"""
U64_MAX = 2**64 - 1
"""largest amount, nonce or network id"""
U256_MAX = 2**256 - 1
"""tokens; largest amount of a native token; TIP-18"""
_U256_TEXT = re.compile("0x[0-9a-fA-F]{1,64}")


def blake2b_256(data: bytes) -> bytes:
    """BLAKE2b with 32 bytes of digest: the hash behind every id."""
    return hashlib.blake2b(data, digest_size=32).digest()


def to_hex(data: bytes) -> str:
    """``0x`` and lower-case hexadecimal digits."""
    return "0x" + data.hex()


def from_hex(text: object, field: str, *, size: int | None = None) -> bytes:
    """Bytes of a ``0x…`` text; `size` in bytes is checked when given. Raises MalformedJson."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise MalformedJson(field, "must be a string of hexadecimal digits after 0x")
    try:
        data = bytes.fromhex(text[2:])
    except ValueError:
        raise MalformedJson(field, "must be an even number of hexadecimal digits after 0x") from None
    if len(data) * 2 != len(text) - 2:
        raise MalformedJson(field, "must be hexadecimal digits without spaces")
    if size is not None and len(data) != size:
        raise MalformedJson(field, f"must be {size} bytes, not {len(data)}")
    return data


class Reader:
    """A cursor over bytes; every read names its field."""

    __slots__ = ("data", "position", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.size = len(data)

    def take(self, size: int, field: str) -> bytes:
        """The next `size` bytes."""
        start = self.position
        end = start + size
        if end > self.size:
            raise UnexpectedEnd(field, size, self.size - start)
        self.position = end
        return self.data[start:end]

    def uint(self, size: int, field: str) -> int:
        """The next unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size, field), "little")

    def blob(self, prefix_size: int, field: str, *, least: int = 0, most: int | None = None) -> bytes:
        """Bytes after a length prefix of `prefix_size` bytes; between `least` and `most` long."""
        size = self.uint(prefix_size, field)
        check_length(size, field, least, most)
        return self.take(size, field)

    def peek(self, size: int, field: str) -> int:
        """The next unsigned integer, without moving on."""
        start = self.position
        value = self.uint(size, field)
        self.position = start
        return value

    def finish(self, field: str) -> None:
        """Raise unless every byte was read."""
        rest = self.size - self.position
        if rest:
            raise TrailingBytes(field, f"{rest} bytes remain after the last field")


def check_count(count: int, field: str, least: int, most: int) -> int:
    """Return `count` when it lies in the range, raise CountOutOfRange otherwise."""
    if not least <= count <= most:
        raise CountOutOfRange(field, f"must hold {least} to {most} elements, not {count}")
    return count


def check_length(size: int, field: str, least: int, most: int | None) -> None:
    """Raise LengthOutOfRange unless `least` <= `size` <= `most` (bytes)."""
    if size < least or (most is not None and size > most):
        raise LengthOutOfRange(field, f"must be {least} to {most} bytes, not {size}")


def uint(value: int, size: int) -> bytes:
    """Little-endian bytes of an unsigned integer."""
    return value.to_bytes(size, "little")


def blob(data: bytes, prefix_size: int) -> bytes:
    """Length prefix and bytes."""
    return len(data).to_bytes(prefix_size, "little") + data


class Fields:
    """A JSON object whose members are read by kind; every failure names the member.

    Parameters
    ----------
    exact : whether a member that nothing asks for is refused, here and in all that is nested (`whole`). What a
        client sends is read so; what a node answers may hold more than its reader knows
    """

    __slots__ = ("asked", "exact", "members")

    def __init__(self, value: object, field: str = "", *, exact: bool = False) -> None:
        if not isinstance(value, Mapping):
            raise MalformedJson(field, "must be an object")
        self.members: Mapping[str, Any] = value
        self.exact = exact
        self.asked: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Any:
        """The JSON value as it is; None where there is none."""
        self.asked.add(name)
        return self.members.get(name)

    def _get(self, name: str) -> Any:
        value = self.get(name)
        if value is None:
            mistyped = nearest(name, self.members.keys() - self.asked) if self.exact else None
            if mistyped is not None:
                raise UnknownMember(mistyped, f"is not known here; did you mean {name}?")
            raise MalformedJson(name, "is missing")
        return value

    def whole(self, parse: Callable[[Fields], T]) -> T:
        """What `parse` makes of the object. Raises UnknownMember for what it did not ask for, where `exact`."""
        made = parse(self)
        if self.exact and not self.members.keys() <= self.asked:
            name = min(self.members.keys() - self.asked)
            raise UnknownMember(name, unknown(self.asked, nearest(name, self.asked)))
        return made

    def integer(self, name: str, most: int) -> int:
        """A JSON integer from 0 to `most`."""
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise MalformedJson(name, f"must be an integer from 0 to {most}")
        return value

    def count(self, name: str) -> int:
        """A JSON integer that is no index and no amount, such as an event number."""
        return self.integer(name, COUNT_MAX)

    def u64(self, name: str) -> int:
        """An unsigned 64-bit integer, written as a decimal string."""
        value = self._get(name)
        valid = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20
        number = int(value) if valid else -1
        if not 0 <= number <= U64_MAX:
            raise MalformedJson(name, f"must be a string of decimal digits from 0 to {U64_MAX}")
        return number

    def u256(self, name: str) -> int:
        """An unsigned 256-bit integer, written as ``0x`` and 1 to 64 hexadecimal digits."""
        value = self._get(name)
        if not isinstance(value, str) or not _U256_TEXT.fullmatch(value):
            raise MalformedJson(name, "must be a string of 1 to 64 hexadecimal digits after 0x")
        return int(value, 16)

    def text(self, name: str) -> str:
        """A JSON string."""
        value = self._get(name)
        if not isinstance(value, str):
            raise MalformedJson(name, "must be a string")
        return value

    def data(self, name: str, *, size: int | None = None) -> bytes:
        """Bytes written as ``0x…``."""
        return from_hex(self._get(name), name, size=size)

    def optional_data(self, name: str) -> bytes:
        """Bytes written as ``0x…``; absent means none."""
        return self.data(name) if name in self else b""

    def items(self, name: str, *, optional: bool = False) -> Sequence[Any]:
        """A JSON array; absent means empty where `optional`."""
        if optional and name not in self:
            return []
        value = self._get(name)
        if not isinstance(value, list):
            raise MalformedJson(name, "must be an array")
        return value

    def nested(self, name: str, parse: Callable[[Fields], T]) -> T:
        """What `parse` makes of the object under `name`; its errors name the outer field too."""
        fields = Fields(self._get(name), name, exact=self.exact)
        try:
            return fields.whole(parse)
        except ProtocolError as error:
            raise error.inside(name) from None

    def each(
        self, name: str, parse: Callable[[Fields], T], *, optional: bool = False, most: int | None = None
    ) -> tuple[T, ...]:
        """What `parse` makes of every object of the array under `name`; none is read where there are too many.

        Raises CountOutOfRange, and what `parse` raises.
        """

        def read(value: object) -> T:
            return Fields(value, exact=self.exact).whole(parse)

        return numbered(name, read, counted(name, self.items(name, optional=optional), most))


def counted(name: str, elements: Sequence[E], most: int | None) -> Sequence[E]:
    """`elements`, unless there are more than `most`: then raise CountOutOfRange before any of them is read."""
    if most is not None and len(elements) > most:
        raise CountOutOfRange(name, f"must hold at most {most} elements, not {len(elements)}")
    return elements


def numbered(name: str, make: Callable[[E], T], elements: Iterable[E]) -> tuple[T, ...]:
    """`make` of every element; a ProtocolError is told with ``name[i]`` in front."""
    made: list[T] = []
    for i, element in enumerate(elements):
        try:
            made.append(make(element))
        except ProtocolError as error:
            raise error.inside(f"{name}[{i}]") from None
    return tuple(made)


def within(name: str, make: Callable[[], T]) -> T:
    """Call `make`; a ProtocolError is told with `name` in front."""
    try:
        return make()
    except ProtocolError as error:
        raise error.inside(name) from None
