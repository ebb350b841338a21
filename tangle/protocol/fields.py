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

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar, cast

from tangle.protocol.errors import LengthOutOfRange, NotSorted, ProtocolError, Repeated, UnexpectedEnd, UnknownType
from tangle.protocol.serial import U256_MAX, Fields, Json, Reader, check_count, check_length, from_hex

C = TypeVar("C")
Body = Callable[[bytes, int], tuple[Any, int]]
"""what reads an object from bytes at a place behind its type number, and says where it ends"""
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
        """The function."""
        exec("\n".join(self.lines), self.names)  # noqa: S102 - the source is made of declarations, of no input
        return self.names[self.lines[0].split("(")[0].removeprefix("def ")]


class TypeTable(Generic[C]):
    """Type number -> class, for one place of the format: adding a type adds one row to one table.

    Parameters
    ----------
    place : name used in errors
    size : bytes of the type number on the wire
    classes : the rows
    """

    def __init__(self, place: str, size: int, classes: Iterable[type[C]]) -> None:
        self.place = place
        self.size = size
        self.classes: dict[int, Any] = {cast("Any", kind).TYPE: kind for kind in classes}
        self.bodies = Bodies(self)

    def row(self, number: int) -> Any:
        """The class of type `number`. Raises UnknownType."""
        kind = self.classes.get(number)
        if kind is None:
            known = ", ".join(str(n) for n in sorted(self.classes))
            raise UnknownType("type", f"{number} is no {self.place} type here (known: {known})")
        return kind

    def decode(self, reader: Reader) -> C:
        """Read one element; its class comes from its type number."""
        body = self.bodies[reader.uint(self.size, "type")]
        made, reader.position = body(reader.data, reader.position)
        return cast("C", made)

    def from_json(self, fields: Fields) -> C:
        """Read one element from its JSON form."""
        row = self.row(fields.integer("type", 2 ** (8 * self.size) - 1))
        return cast("C", row.from_json(fields))

    def schema(self) -> Json:
        """One of the classes, told apart by `type`."""
        names = {str(number): reference(kind) for number, kind in self.classes.items()}
        if len(names) == 1:
            return {"$ref": next(iter(names.values()))}
        return {
            "oneOf": [{"$ref": name} for name in names.values()],
            "discriminator": {"propertyName": "type", "mapping": names},
        }


class Bodies(dict[int, Body]):
    """Type number -> what reads the rest, compiled when a type is first met."""

    def __init__(self, table: TypeTable[Any]) -> None:
        super().__init__()
        self.table = table

    def __missing__(self, number: int) -> Body:
        body: Body = self.table.row(number).body()
        self[number] = body
        return body


def reference(kind: type[Any]) -> str:
    """Where the schema of a class stands in the OpenAPI document."""
    return f"#/components/schemas/{kind.__name__}"


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
    inline: ClassVar[bool] = False
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
        example = {"examples": [HASH_EXAMPLE]} if self.width == 32 else {}
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


class One(Kind):
    """One object of the types of a table; in JSON an object that says its type."""

    def __init__(self, table: TypeTable[Any], name: str | None = None) -> None:
        super().__init__(name=name)
        self.table = table

    def read(self, code: Code, v: str, name: str) -> None:
        code.add("try:", *read_element(code, self.table, v), *renamed(code, repr(name)))

    def written(self, _code: Code, v: str) -> list[str]:
        return [f"{v}.encode()"]

    def shown(self, _code: Code, v: str) -> str:
        return f"{v}.to_json()"

    def parsed(self, code: Code, name: str) -> str:
        return f"fields.nested({name!r}, {code.bind(self.table)}.from_json)"

    def schema(self) -> Json:
        return self.table.schema()


class Maybe(One):
    """One object of the types of a table or none, after a uint32 of how many bytes it takes; absent from JSON."""

    def read(self, code: Code, v: str, name: str) -> None:
        read_count(code, 4, name)
        code.add(
            f"{v} = None",
            "if count:",
            "    end = at + count",
            "    try:",
            *(f"    {line}" for line in read_element(code, self.table, v)),
            *(f"    {line}" for line in renamed(code, repr(name))),
            "    if at != end:",
            '        rule = f"takes {at - end + count} bytes where its length says {count}"',
            f"        raise {code.bind(LengthOutOfRange)}({name!r}, rule)",
        )

    def written(self, code: Code, v: str) -> list[str]:
        return [f"{code.bind(_with_size)}({v})"]

    def parsed(self, code: Code, name: str) -> str:
        return f"{super().parsed(code, name)} if {name!r} in fields else None"

    def left_out(self, v: str) -> str | None:
        return f"{v} is None"


class Struct(Kind):
    """An object of one class; `inline`: its members stand among those of the object that holds it."""

    def __init__(self, kind: type[Any], name: str | None = None, *, inline: bool = False) -> None:
        super().__init__(name=name)
        self.kind = kind
        self.inline = inline  # type: ignore[misc]

    def read(self, code: Code, v: str, name: str) -> None:
        number, width = self.kind.TYPE, self.kind.TYPE_BYTES
        lines = []
        if number is None:
            width = 0
        else:
            whole = code.bind(self.kind.read)
            lines.append(
                f"    if data[at : at + {width}] != {number.to_bytes(width, 'little')}: {whole}(data, at)"
            )
        lines.append(f"    {v}, at = {code.bind(self.kind.body())}(data, at + {width})")
        code.add(*(map(str.strip, lines) if self.inline else ["try:", *lines, *renamed(code, repr(name))]))

    def written(self, _code: Code, v: str) -> list[str]:
        return [f"{v}.encode()"]

    def shown(self, _code: Code, v: str) -> str:
        return f"{v}.to_json()"

    def parsed(self, code: Code, name: str) -> str:
        typed = self.kind.TYPE is not None
        made = code.bind(partial(of_type, self.kind)) if typed else f"{code.bind(self.kind)}.from_json"
        return f"{made}(fields)" if self.inline else f"fields.nested({name!r}, {made})"

    def schema(self) -> Json:
        return {"$ref": reference(self.kind)}


class Many(Kind):
    """`least` to `most` elements after their number, which takes `prefix` bytes; in JSON an array.

    The elements are of a table's types, of one class without a type number, or bytes of one length. `optional`
    ones are absent from JSON where there are none. `rule` is called with the member's name and the elements. Those
    that are not `counted` are so only in bytes: another rule is about how many there are.
    """

    def __init__(
        self,
        of: TypeTable[Any] | type[Any] | Fixed,
        prefix: int,
        name: str | None = None,
        *,
        least: int = 0,
        most: int,
        optional: bool = False,
        counted: bool = True,
        rule: Callable[[str, Any], None] | None = None,
    ) -> None:
        super().__init__(name=name)
        self.of = of
        self.prefix = prefix
        self.least = least
        self.most = most
        self.optional = optional
        self.counted = counted
        self.rule = rule

    def read(self, code: Code, v: str, name: str) -> None:
        read_count(code, self.prefix, name)
        code.add(
            f"if not {self.least} <= count <= {self.most}:",
            f"    {code.bind(check_count)}(count, {name!r}, {self.least}, {self.most})",
        )
        if isinstance(self.of, Fixed):
            width = self.of.width
            code.add(
                f"end = at + {width} * count",
                "if end > size:",
                f"    {code.bind(short)}(data, at, (({name!r}, end - at),))",
                f"{v} = tuple([data[i : i + {width}] for i in range(at, end, {width})])",
                "at = end",
            )
            return
        if isinstance(self.of, TypeTable):
            lines = read_element(code, self.of, "element")
        else:
            lines = [f"    element, at = {code.bind(self.of.body())}(data, at)"]
        code.add(
            f"{v} = ()",
            "if count:",
            "    elements = []",
            "    for i in range(count):",
            "        try:",
            *(f"        {line}" for line in lines),
            *(f"        {line}" for line in renamed(code, f"f'{name}[{{i}}]'")),
            "        elements.append(element)",
            f"    {v} = tuple(elements)",
        )

    def written(self, _code: Code, v: str) -> list[str]:
        elements = f"*{v}" if isinstance(self.of, Fixed) else f"*[element.encode() for element in {v}]"
        return [f'len({v}).to_bytes({self.prefix}, "little")', elements]

    def shown(self, code: Code, v: str) -> str:
        shown = self.of.shown(code, "element") if isinstance(self.of, Fixed) else "element.to_json()"
        return f"[{shown} for element in {v}]"

    def parsed(self, code: Code, name: str) -> str:
        if isinstance(self.of, Fixed):
            return f"{code.bind(hex_items)}(fields, {name!r}, {self.of.width})"
        return f"fields.each({name!r}, {code.bind(self.of)}.from_json, optional={self.optional})"

    def left_out(self, v: str) -> str | None:
        return f"not {v}" if self.optional else None

    def check(self, code: Code, v: str, name: str, *, decoded: bool) -> None:
        if not decoded and self.counted:
            code.add(
                f"if not {self.least} <= len({v}) <= {self.most}:",
                f"    {code.bind(check_count)}(len({v}), {name!r}, {self.least}, {self.most})",
            )
        if not decoded and isinstance(self.of, Fixed):
            code.add(f"{code.bind(check_widths)}({name!r}, {v}, {self.of.width})")
        if self.rule is not None:
            code.add(f"if {v}:", f"    {code.bind(self.rule)}({name!r}, {v})")

    def schema(self) -> Json:
        items = self.of.schema() if isinstance(self.of, TypeTable | Fixed) else {"$ref": reference(self.of)}
        least = max(self.least, 1) if self.optional else self.least
        return {"type": "array", "items": items, "minItems": least, "maxItems": self.most}


class OneEach(Many):
    """At most one object of each type of a table, in order of their types (TIP-18); `least` of them.

    Where none is needed, the member is absent from JSON where there are none.
    """

    def __init__(self, table: TypeTable[Any], *, least: int = 0, counted: bool = True) -> None:
        super().__init__(table, 1, least=least, most=len(table.classes), optional=least == 0, counted=counted)
        self.table = table

    def check(self, code: Code, v: str, name: str, *, decoded: bool) -> None:
        super().check(code, v, name, decoded=decoded)
        if not decoded:
            code.add(f"if {v}:", f"    {code.bind(check_known)}({name!r}, {v}, {code.bind(self.table)})")
        code.add(f"if len({v}) > 1:", f"    {code.bind(check_types)}({name!r}, {v})")

    def schema(self) -> Json:
        schema = super().schema()
        if self.optional:
            del schema["maxItems"]
        return schema


def one_each(place: str, *kinds: type[Any], least: int = 0) -> OneEach:
    """The kind for a table of `kinds`, which errors call `place`."""
    table: TypeTable[Any] = TypeTable(place, 1, kinds)
    return OneEach(table, least=least)


def read_count(code: Code, width: int, name: str) -> None:
    """Read a number of elements or bytes into the variable `count`."""
    value = "data[at]" if width == 1 else f'int.from_bytes(data[at : at + {width}], "little")'
    code.add(
        f"if at + {width} > size:",
        f"    {code.bind(short)}(data, at, {((name, width),)!r})",
        f"count = {value}",
        f"at += {width}",
    )


def read_element(code: Code, table: TypeTable[Any], v: str) -> list[str]:
    """Lines, of the inside of a ``try``, that read an object of a table's types."""
    width = table.size
    number = "data[at]" if width == 1 else f'int.from_bytes(data[at : at + {width}], "little")'
    return [
        f"    if at + {width} > size:",
        f"        {code.bind(short)}(data, at, {(('type', width),)!r})",
        f"    {v}, at = {code.bind(table.bodies)}[{number}](data, at + {width})",
    ]


def renamed(code: Code, name: str) -> list[str]:
    """Lines that end such a ``try``: an error is told with `name`, a piece of source, in front."""
    return [f"except {code.bind(ProtocolError)} as error:", f"    raise error.inside({name}) from None"]


def of_type(kind: type[Any], fields: Fields) -> Any:
    """An object of class `kind` whose type number must be the right one."""
    number = fields.integer("type", 2 ** (8 * kind.TYPE_BYTES) - 1)
    if number != kind.TYPE:
        raise UnknownType("type", f"must be {kind.TYPE} here, not {number}")
    return kind.from_json(fields)


def hex_items(fields: Fields, name: str, size: int) -> tuple[bytes, ...]:
    """The array under `name`: texts ``0x…`` of `size` bytes each."""
    return tuple(from_hex(item, f"{name}[{i}]", size=size) for i, item in enumerate(fields.items(name)))


def check_widths(name: str, elements: tuple[bytes, ...], width: int) -> None:
    """Raise LengthOutOfRange unless each of `elements` has `width` bytes."""
    for i, element in enumerate(elements):
        if len(element) != width:
            raise LengthOutOfRange(f"{name}[{i}]", f"must be {width} bytes, not {len(element)}")


def check_known(name: str, elements: tuple[Any, ...], table: TypeTable[Any]) -> None:
    """Raise UnknownType unless `elements` are of types that `table` holds."""
    for i, element in enumerate(elements):
        if element.TYPE not in table.classes:
            raise UnknownType(f"{name}[{i}].type", f"{element.TYPE} is no {table.place} type here")


def check_types(name: str, elements: tuple[Any, ...]) -> None:
    """Raise unless the types of `elements` ascend strictly: sorted, and at most one of each (TIP-18)."""
    for i in range(1, len(elements)):
        one, other = elements[i - 1].TYPE, elements[i].TYPE
        if one == other:
            raise Repeated(f"{name}[{i}]", f"type {other} occurs twice")
        if one > other:
            raise NotSorted(f"{name}[{i}]", "must be in ascending order of type")


def _with_size(payload: Any) -> bytes:
    data: bytes = payload.encode() if payload is not None else b""
    return len(data).to_bytes(4, "little") + data
