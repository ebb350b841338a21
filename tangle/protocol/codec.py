"""Declared wire types: functions that read, write, check and describe a class, compiled from its row of members.

A class is a frozen dataclass that derives from `Wire`, or from `Kept` where its objects keep their bytes; each of
its members is annotated with a kind of `fields`. A function is compiled when it is first called: whoever only
reads blocks never pays for the JSON form.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from functools import cached_property
from itertools import groupby
from struct import Struct as Packing
from typing import Any, ClassVar, NamedTuple, Self

from tangle.protocol.errors import TrailingBytes, UnknownType
from tangle.protocol.fields import Code, Kind, short
from tangle.protocol.serial import Fields, Json, Reader
from tangle.protocol.tables import Body, Struct
from tangle.protocol.told import kind_of


class Member(NamedTuple):
    """One member of a row: attribute, name in JSON, kind, what the OpenAPI document says of it."""

    attribute: str
    name: str
    kind: Kind
    about: str


class Declared:
    """Base of what has a JSON form only, such as an answer of a node.

    Attributes
    ----------
    TYPE : type number, None where the class has none
    EXACT : whether the OpenAPI document says that there are no other members
    ORDER : attributes in order of their bytes, where it is not that of the class; an ellipsis stands for others
    """

    __slots__ = ()
    TYPE: ClassVar[Any] = None
    EXACT: ClassVar[bool] = False
    ORDER: ClassVar[tuple[Any, ...]] = (...,)

    def to_json(self) -> Json:
        """The JSON form; what is empty and optional is absent."""
        json: Json = install(type(self), "to_json", _to_json(type(self)))(self)
        return json

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Read the JSON form. Raises ProtocolError."""
        made: Self = install(cls, "from_json", staticmethod(_parser(cls))).__func__(fields)
        return made

    @classmethod
    def _parsed(cls, fields: Fields) -> Self:
        """As `from_json`, for classes that have one of their own."""
        made: Self = install(cls, "_parsed", staticmethod(_parser(cls))).__func__(fields)
        return made


class Wire(Declared):
    """Base of what has a binary form too.

    Attributes
    ----------
    TYPE_BYTES : bytes that the type number takes
    """

    __slots__ = ()
    EXACT = True
    TYPE_BYTES: ClassVar[int] = 1

    def __post_init__(self) -> None:
        install(type(self), "__post_init__", _checker(type(self)))(self)

    def rules(self) -> None:
        """Raise where members do not fit each other; each by itself is right already."""

    def encode(self) -> bytes:
        """The binary form, type number first."""
        data: bytes = install(type(self), "encode", _writer(type(self)))(self)
        return data

    @classmethod
    def decode(cls, source: bytes | Reader) -> Self:
        """Read the binary form, type number first: all of some bytes, or where a reader stands.

        Raises ProtocolError.
        """
        if isinstance(source, bytes):
            made, end = cls.read(source, 0)
            if end != len(source):
                raise TrailingBytes(cls.__name__.lower(), f"{len(source) - end} bytes remain after the last field")
        else:
            made, source.position = cls.read(source.data, source.position)
        return made

    @classmethod
    def read(cls, data: bytes, at: int) -> tuple[Self, int]:
        """Read the binary form that begins at `at`, and say where it ends. Raises ProtocolError."""
        if cls.TYPE is not None:
            short(data, at, (("type", cls.TYPE_BYTES),))
            found = int.from_bytes(data[at : at + cls.TYPE_BYTES], "little")
            if found != cls.TYPE:
                raise UnknownType("type", f"must be {cls.TYPE} here, not {found}")
            at += cls.TYPE_BYTES
        return cls.body()(data, at)

    @classmethod
    def body(cls) -> Body:
        """What reads the bytes behind the type number."""
        found: Body = _body(cls)
        install(cls, "body", staticmethod(lambda: found))
        return found


class Kept(Wire):
    """A declared wire type whose objects keep their bytes, so that nothing is encoded twice."""

    @cached_property
    def encoded(self) -> bytes:
        """The binary form."""
        return self._written()

    def _written(self) -> bytes:
        """The binary form, written anew."""
        data: bytes = install(type(self), "_written", _writer(type(self)))(self)
        return data

    def encode(self) -> bytes:
        """The binary form, type number first."""
        return self.encoded


def install(cls: type[Declared], name: str, made: Any) -> Any:
    """Put a compiled function in its place in the class; returns it."""
    assert not cls.__subclasses__(), "a class that others derive from cannot be compiled: they would inherit it"
    setattr(cls, name, made)
    return made


def members_of(cls: type[Declared]) -> list[Member]:
    """The row of a class, in order of its bytes."""
    described: Any = cls
    if is_dataclass(described):
        row: dict[str, Any] = {field.name: field.type for field in dataclass_fields(described)}
    else:  # a class that only describes
        row = inspect.get_annotations(cls)
    named = {name for name in cls.ORDER if name is not ...}
    order: list[str] = []
    for name in cls.ORDER:
        order += [other for other in row if other not in named] if name is ... else [name] if name in row else []
    return [_member(attribute, row[attribute]) for attribute in order]


def _member(attribute: str, annotation: Any) -> Member:
    kind, name, about = kind_of(annotation)
    first, *rest = attribute.split("_")
    return Member(attribute, name or first + "".join(part.title() for part in rest), kind, about)


def schemas(*classes: type[Declared]) -> dict[str, Json]:
    """What the OpenAPI document says of some classes and of all that they hold, by name."""
    found: dict[str, Json] = {}
    left = list(classes)
    while left:
        cls = left.pop()
        if cls.__name__ in found:
            continue
        found[cls.__name__] = schema(cls)
        row = members_of(cls)
        for member in row:
            if isinstance(member.kind, Struct) and member.kind.inline:
                row += members_of(member.kind.kind)
            else:
                left += member.kind.parts()
    return found


def schema(cls: type[Declared]) -> Json:
    """What the OpenAPI document says of the JSON form."""
    properties: Json = {"type": {"const": cls.TYPE, "type": "integer"}} if cls.TYPE is not None else {}
    required = list(properties)
    for _, name, kind, about in members_of(cls):
        if isinstance(kind, Struct) and kind.inline:
            inner = schema(kind.kind)
            properties |= inner["properties"]
            required += inner["required"]
            continue
        properties[name] = kind.schema() | ({"description": about} if about else {})
        required += [name] if kind.required() else []
    told = (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
    rest = {"additionalProperties": False} if cls.EXACT else {}
    return {"type": "object", "description": told, "properties": properties, "required": required, **rest}


def _runs(members: list[Member]) -> Iterator[list[Member]]:
    """The row in pieces: neighbours of fixed width, or one member that reads itself."""
    for packed, run in groupby(members, lambda member: type(member.kind).read is Kind.read):
        row = list(run)
        yield from [row] if packed else ([member] for member in row)


def _body(cls: type[Wire]) -> Any:
    """``body(data, at) -> (object, end)``: reads what stands behind the type number."""
    code = Code("def body(data, at):")
    kept = issubclass(cls, Kept)
    row = members_of(cls)
    code.add("size = len(data)")
    if kept:
        code.add(f"start = at - {cls.TYPE_BYTES if cls.TYPE is not None else 0}")
    for run in _runs(row):
        if type(run[0].kind).read is Kind.read:
            _read_run(code, run)
        else:
            run[0].kind.read(code, f"v_{run[0].attribute}", run[0].name)
    for member in row:
        member.kind.check(code, f"v_{member.attribute}", member.name, decoded=True)
    # Past `__init__`, which would check once more and take a slow way round the frozen class's `__setattr__`.
    code.add(f"made = {code.bind(object.__new__)}({code.bind(cls)})")
    if kept:
        code.add("held = made.__dict__", 'held["encoded"] = data[start:at]')
        code.add(*(f"held[{member.attribute!r}] = v_{member.attribute}" for member in row))
    else:
        for member in row:
            code.add(f"{code.bind(getattr(cls, member.attribute).__set__)}(made, v_{member.attribute})")
    if cls.rules is not Wire.rules:
        code.add("made.rules()")
    code.add("return made, at")
    return code.function()


def _read_run(code: Code, run: list[Member]) -> None:
    """Read members of fixed width with one look at the bytes."""
    spec = tuple((member.name, member.kind.width) for member in run)
    width = sum(member.kind.width or 0 for member in run)
    variables = [f"v_{member.attribute}" for member in run]
    code.add(f"end = at + {width}", "if end > size:", f"    {code.bind(short)}(data, at, {spec!r})")
    form = "".join(member.kind.form for member in run)
    if len(run) > 1:
        unpack = code.bind(Packing(f"<{form}").unpack_from)
        code.add(f"{', '.join(variables)} = {unpack}(data, at)")
    elif form.endswith("s"):
        code.add(f"{variables[0]} = data[at:end]")
    else:
        code.add(f"{variables[0]} = " + ("data[at]" if width == 1 else 'int.from_bytes(data[at:end], "little")'))
    for member, variable in zip(run, variables, strict=True):
        if member.kind.unpacked(variable) != variable:
            code.add(f"{variable} = {member.kind.unpacked(variable)}")
    code.add("at = end")


def _writer(cls: type[Wire]) -> Any:
    """``encode(self) -> bytes``: type number and members."""
    code = Code("def encode(self):")
    pieces: list[str] = []
    number = repr(cls.TYPE.to_bytes(cls.TYPE_BYTES, "little")) if cls.TYPE is not None else ""
    for packed, run in groupby(members_of(cls), lambda member: bool(member.kind.form)):
        if packed:
            pieces += _packed(code, number, cls.TYPE_BYTES, list(run))
        else:
            pieces += [number] if number else []
            for member in run:
                pieces += member.kind.written(code, f"self.{member.attribute}")
        number = ""
    pieces = pieces or [number or "b''"]
    starred = len(pieces) > 4 or any(piece.startswith("*") for piece in pieces)
    code.add(f"return b''.join(({', '.join(pieces)},))" if starred else f"return {' + '.join(pieces)}")
    return code.function()


def _packed(code: Code, number: str, width: int, run: list[Member]) -> list[str]:
    """Pieces for members of fixed width, behind a type number of `width` bytes or none."""
    values = [member.kind.packed(f"self.{member.attribute}") for member in run]
    if all(member.kind.form.endswith("s") for member in run):
        return [number] * bool(number) + values
    form = (f"{width}s" if number else "") + "".join(member.kind.form for member in run)
    return [f"{code.bind(Packing(f'<{form}').pack)}({', '.join([number] * bool(number) + values)})"]


def _checker(cls: type[Wire]) -> Any:
    """``__post_init__(self)``: raises where a member, or all of them together, break a rule."""
    code = Code("def __post_init__(self):")
    for member in members_of(cls):
        before, variable = len(code.lines), f"v_{member.attribute}"
        member.kind.check(code, variable, member.name, decoded=False)
        if len(code.lines) > before:
            code.lines.insert(before, f"    {variable} = self.{member.attribute}")
    code.add("self.rules()" if cls.rules is not Wire.rules else "return")
    return code.function()


def _to_json(cls: type[Declared]) -> Any:
    """``to_json(self) -> dict``: members in order, but for those that are left out."""
    code = Code("def to_json(self):")
    always = [] if cls.TYPE is None else [f'"type": {cls.TYPE}']
    later: list[str] = []
    for attribute, name, kind, _ in members_of(cls):
        value = f"self.{attribute}"
        shown = kind.shown(code, value)
        absent = kind.left_out(value)
        if absent is not None:
            later += [f"if not ({absent}):", f"    json[{name!r}] = {shown}"]
        elif later:
            later.append(f"json[{name!r}] = {shown}")
        else:
            always.append(f"**{shown}" if kind.inline else f"{name!r}: {shown}")
    code.add(f"json = {{{', '.join(always)}}}", *later, "return json")
    return code.function()


def _parser(cls: type[Declared]) -> Any:
    """``from_json(fields)``: the object, checked as any other that is made."""
    code = Code("def from_json(fields):")
    read = (f"{member.attribute}={member.kind.parsed(code, member.name)}" for member in members_of(cls))
    code.add(f"return {code.bind(cls)}({', '.join(read)})")
    return code.function()
