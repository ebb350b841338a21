"""Kinds of members that hold objects: of a table of types, of one class, or many of them.

See `fields` for what a kind is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar, cast

from tangle.protocol.errors import LengthOutOfRange, NotSorted, ProtocolError, Repeated, UnknownType
from tangle.protocol.fields import Code, Fixed, Kind, read_count, short
from tangle.protocol.serial import Fields, Json, Reader, check_count, counted, from_hex

C = TypeVar("C")
Body = Callable[[bytes, int], tuple[Any, int]]
"""what reads an object from bytes at a place behind its type number, and says where it ends"""


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

    def parts(self) -> Iterable[type[Any]]:
        return self.table.classes.values()

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
        self.inline = inline

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

    def parts(self) -> Iterable[type[Any]]:
        return (self.kind,)

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
            return f"{code.bind(hex_items)}(fields, {name!r}, {self.of.width}, {self.most})"
        most = self.most if self.counted else 2 * self.most  # far above what the other rule can allow
        return f"fields.each({name!r}, {code.bind(self.of)}.from_json, optional={self.optional}, most={most})"

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

    def parts(self) -> Iterable[type[Any]]:
        if isinstance(self.of, TypeTable):
            return self.of.classes.values()
        return () if isinstance(self.of, Fixed) else (self.of,)

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


def hex_items(fields: Fields, name: str, size: int, most: int | None = None) -> tuple[bytes, ...]:
    """The array under `name`: texts ``0x…`` of `size` bytes each, at most `most` where there is a bound."""
    items = fields.items(name)
    if most is not None:
        counted(name, items, most)
    return tuple(from_hex(item, f"{name}[{i}]", size=size) for i, item in enumerate(items))


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
