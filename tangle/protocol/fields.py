"""Kinds of fields: what a member of a wire type is in bytes, in JSON and in the OpenAPI document.

A wire type declares each member once, with its kind beside its Python type::

    unix_time: Annotated[int, UInt(4, least=1, error=TimeOutOfRange, unit=" seconds")]

From the row of members follow `decode`, `encode`, `from_json`, `to_json`, the checks and the schema (`codec`).
A kind gives the pieces of Python source that these functions are compiled from, so that reading a block costs no
more than code written by hand. In those pieces `data` is all the bytes, `at` the place of the next one, `size`
their number; `fields` is the JSON object that is read.

Names: ``v`` is a piece of source that gives the member's value, ``name`` the member's name in JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from tangle.protocol.errors import LengthOutOfRange, ProtocolError, UnexpectedEnd
from tangle.protocol.serial import U256_MAX, Json, check_length

HASH_EXAMPLE = "0x3dc5871e2cbb524d60e53358fc16fca92e67d7921c6f70d482e70e6fb6ab2acc"


class Code:
    """Source of one function in the making, and the objects that it names."""

    def __init__(self, head: str) -> None:
        self.lines = [head]
        self.names: dict[str, Any] = {}

    def bind(self, thing: object) -> str:
        """A name for `thing` in the source."""
        name = f"_{len(self.names)}"
        self.names[name] = thing
        return name

    def add(self, *lines: str) -> None:
        """Lines of the function's body."""
        self.lines += [f"    {line}" for line in lines]

    def function(self) -> Any:
        exec("\n".join(self.lines), self.names)  # noqa: S102 - the source is made of declarations, of no input
        return self.names[self.lines[0].split("(")[0].removeprefix("def ")]


def short(data: bytes, at: int, fields: Iterable[tuple[str, int]]) -> None:
    """Raise UnexpectedEnd for the first of `fields` (name, bytes) that the rest of `data` does not hold."""
    for name, width in fields:
        if at + width > len(data):
            raise UnexpectedEnd(name, width, len(data) - at)
        at += width


class Kind:
    """Base of all kinds.

    Attributes
    ----------
    name : the member's name in JSON where it is not that of the attribute in camel case
    about : what the OpenAPI document says of the member
    """

    width: int | None = None
    "bytes, where it is always the same"
    form: str = ""
    "of `struct`, where the width is always the same"
    inline: bool = False
    "whether the members of the value stand among those of the object that holds it"

    def __init__(self, *, name: str | None = None, about: str = "") -> None:
        self.name = name
        self.about = about

    def unpacked(self, v: str) -> str:
        """The value, from what `struct` reads."""
        return v

    def packed(self, v: str) -> str:
        """What `struct` writes, from the value."""
        return v

    def read(self, code: Code, v: str, name: str) -> None:
        """Read the value from where `at` stands into the variable `v`, where the width varies."""
        raise NotImplementedError

    def written(self, _code: Code, v: str) -> list[str]:
        """Pieces of bytes, where the width varies."""
        raise NotImplementedError

    def shown(self, _code: Code, v: str) -> str:
        """The JSON value."""
        return v

    def parsed(self, code: Code, name: str) -> str:
        """The value, from `fields`."""
        raise NotImplementedError

    def left_out(self, _v: str) -> str | None:
        """When the member is absent from JSON; None: never."""
        return None

    def check(self, code: Code, v: str, name: str, *, decoded: bool) -> None:
        """Raise where the value breaks the kind's rules; of `decoded` ones some are known to hold."""

    def required(self) -> bool:
        """Whether the OpenAPI document says that the member is always there."""
        return self.left_out("") is None

    def parts(self) -> Iterable[type[Any]]:
        """The declared classes that the schema refers to."""
        return ()

    def schema(self) -> Json:
        """What the OpenAPI document says of the value."""
        raise NotImplementedError


class UInt(Kind):
    """An unsigned integer of `width` bytes, from `least` to `most`.

    In JSON one of at most 4 bytes is a number, one of 8 a decimal string, one of 32 hexadecimal digits. Where
    `error` is given, it is raised for what lies outside; `unit` follows the range in its text. `absent` is what a
    member that is missing in JSON is read as.
    """

    _FORMS: ClassVar[dict[int, str]] = {1: "B", 2: "H", 4: "I", 8: "Q", 32: "32s"}

    def __init__(
        self,
        width: int,
        name: str | None = None,
        *,
        least: int = 0,
        most: int | None = None,
        error: type[ProtocolError] | None = None,
        unit: str = "",
        absent: int | None = None,
        about: str = "",
    ) -> None:
        super().__init__(name=name, about=about)
        self.absent = absent
        self.width: int = width
        self.form = self._FORMS[width]
        self.least = least
        self.whole = 2 ** (8 * width) - 1
        self.most = self.whole if most is None else most
        self.error = error
        self.unit = unit

    def unpacked(self, v: str) -> str:
        return f'int.from_bytes({v}, "little")' if self.width == 32 else v

    def packed(self, v: str) -> str:
        return f'{v}.to_bytes(32, "little")' if self.width == 32 else v

    def shown(self, _code: Code, v: str) -> str:
        return {8: f"str({v})", 32: f"hex({v})"}.get(self.width, v)

    def parsed(self, _code: Code, name: str) -> str:
        call = {8: f"u64({name!r})", 32: f"u256({name!r})"}.get(self.width, f"integer({name!r}, {self.whole})")
        return f"fields.{call}" + (f" if {name!r} in fields else {self.absent}" if self.absent is not None else "")

    def check(self, code: Code, v: str, name: str, *, decoded: bool) -> None:
        if self.error is None or (decoded and self.least == 0 and self.most == self.whole):
            return
        most = "2^256 - 1" if self.most == U256_MAX else str(self.most)
        rule = f"must be {self.least} to {most}{self.unit}, not "
        code.add(
            f"if not {self.least} <= {v} <= {self.most}:",
            f"    raise {code.bind(self.error)}({name!r}, {rule!r} + str({v}))",
        )

    def schema(self) -> Json:
        if self.width == 8:
            return {"type": "string", "pattern": "^[0-9]{1,20}$", "examples": ["1000000"]}
        if self.width == 32:
            return {"type": "string", "pattern": "^0x(0|[1-9a-f][0-9a-f]{0,63})$", "examples": ["0x64"]}
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Only(UInt):
    """An unsigned integer that must be `value`; another one is refused before the rest is read."""

    def __init__(self, width: int, value: int, error: type[ProtocolError]) -> None:
        super().__init__(width, error=error)
        self.value = value

    def checked(self, value: int, name: str) -> int:
        """`value`. Raises the kind's error."""
        if value != self.value:
            assert self.error is not None
            raise self.error(name, f"must be {self.value}, not {value}")
        return value

    def unpacked(self, v: str) -> str:
        return v

    def read(self, code: Code, v: str, name: str) -> None:
        code.add(
            f"if at + {self.width} > size:",
            f"    {code.bind(short)}(data, at, {((name, self.width),)!r})",
            f'{v} = {code.bind(self.checked)}(int.from_bytes(data[at : at + {self.width}], "little"), {name!r})',
            f"at += {self.width}",
        )

    def parsed(self, code: Code, name: str) -> str:
        return f"{code.bind(self.checked)}({super().parsed(code, name)}, {name!r})"

    def check(self, code: Code, v: str, name: str, *, decoded: bool) -> None:
        if not decoded:
            code.add(f"{code.bind(self.checked)}({v}, {name!r})")


class Fixed(Kind):
    """Exactly `width` bytes; in JSON ``0x…``."""

    def __init__(
        self,
        width: int,
        name: str | None = None,
        *,
        error: type[ProtocolError] = LengthOutOfRange,
        about: str = "",
    ) -> None:
        super().__init__(name=name, about=about)
        self.width: int = width
        self.form = f"{width}s"
        self.error = error

    def shown(self, _code: Code, v: str) -> str:
        return f'"0x" + {v}.hex()'

    def parsed(self, _code: Code, name: str) -> str:
        return f"fields.data({name!r}, size={self.width})"

    def check(self, code: Code, v: str, name: str, *, decoded: bool) -> None:
        if not decoded:
            rule = f"must be {self.width} bytes, not "
            code.add(
                f"if len({v}) != {self.width}:",
                f"    raise {code.bind(self.error)}({name!r}, {rule!r} + str(len({v})))",
            )

    def schema(self) -> Json:
        example = {32: {"examples": [HASH_EXAMPLE]}, 34: {"examples": [HASH_EXAMPLE + "0000"]}}.get(self.width, {})
        return {"type": "string", "pattern": f"^0x[0-9a-f]{{{2 * self.width}}}$", **example}


HASH = Fixed(32)


class Blob(Kind):
    """`least` to `most` bytes after their number, which takes `prefix` bytes; in JSON ``0x…``.

    `optional` ones are absent from JSON where they are empty.
    """

    def __init__(
        self,
        prefix: int,
        name: str | None = None,
        *,
        least: int = 0,
        most: int | None = None,
        optional: bool = False,
        example: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.prefix = prefix
        self.least = least
        self.most = most
        self.optional = optional
        self.example = example

    def read(self, code: Code, v: str, name: str) -> None:
        read_count(code, self.prefix, name)
        if self.most is not None:
            self._bound(code, "count", name)
        code.add(
            "end = at + count",
            "if end > size:",
            f"    {code.bind(short)}(data, at, (({name!r}, count),))",
            f"{v} = data[at:end]",
            "at = end",
        )

    def _bound(self, code: Code, count: str, name: str) -> None:
        code.add(
            f"if not {self.least} <= {count} <= {self.most}:",
            f"    {code.bind(check_length)}({count}, {name!r}, {self.least}, {self.most})",
        )

    def written(self, _code: Code, v: str) -> list[str]:
        return [f'len({v}).to_bytes({self.prefix}, "little")', v]

    def shown(self, _code: Code, v: str) -> str:
        return f'"0x" + {v}.hex()'

    def parsed(self, _code: Code, name: str) -> str:
        return f"fields.{'optional_data' if self.optional else 'data'}({name!r})"

    def left_out(self, v: str) -> str | None:
        return f"not {v}" if self.optional else None

    def check(self, code: Code, v: str, name: str, *, decoded: bool) -> None:
        if self.most is not None and not decoded:
            self._bound(code, f"len({v})", name)

    def schema(self) -> Json:
        some = self.least or self.optional
        if self.most is not None and self.most < 100:
            shape: Json = {"pattern": f"^0x([0-9a-f]{{2}}){{1,{self.most}}}$"}
        else:
            shape = {"pattern": f"^0x([0-9a-f]{{2}}){'+' if some else '*'}$"}
            if self.most is not None and some:
                shape["maxLength"] = 2 + 2 * self.most
        return {"type": "string", **shape, **({"examples": [self.example]} if self.example else {})}


def read_count(code: Code, width: int, name: str) -> None:
    """Read a number of elements or bytes into the variable `count`."""
    value = "data[at]" if width == 1 else f'int.from_bytes(data[at : at + {width}], "little")'
    code.add(
        f"if at + {width} > size:",
        f"    {code.bind(short)}(data, at, {((name, width),)!r})",
        f"count = {value}",
        f"at += {width}",
    )
