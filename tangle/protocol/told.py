"""Kinds of members that exist in JSON only: those of a node's answers, declared by plain Python types.

=================  ==========================================
``int``            a count: 0 to 2^63 - 1
``float``          a number
``str``            a text
``bool``           true or false
``Literal[…]``     one of some words
``Json``           an object of any members
a declared class   an object of that class
``tuple[x, ...]``  an array
``x | None``       a member that may be absent, never null
=================  ==========================================

``Annotated[x, …]`` adds to it: a kind of `fields`, a text for the OpenAPI document, `Name`, `PROMISED`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from tangle.protocol.errors import MalformedJson
from tangle.protocol.fields import HASH, Code, Fixed, Kind, UInt
from tangle.protocol.serial import Fields, Json
from tangle.protocol.tables import Struct, hex_items

PROMISED: Final = object()
"""marks what may be absent in the answers of other nodes, and is always there in ours"""


class Name(str):
    """The member's name in JSON, where it is not the attribute's in camel case."""

    __slots__ = ()


class Count(Kind):
    """An integer that is no index and no amount."""

    def __init__(self, least: int = 0) -> None:
        super().__init__()
        self.least = least

    def parsed(self, _code: Code, name: str) -> str:
        return f"fields.count({name!r})"

    def schema(self) -> Json:
        return {"type": "integer", "minimum": self.least}


class Number(Kind):
    """A number; `least` and `most` are for readers."""

    def __init__(self, least: float | None = None, most: float | None = None) -> None:
        super().__init__()
        self.bounds = {name: bound for name, bound in (("minimum", least), ("maximum", most)) if bound is not None}

    def parsed(self, code: Code, name: str) -> str:
        return f"{code.bind(number)}(fields, {name!r})"

    def schema(self) -> Json:
        return {"type": "number", **self.bounds}


class Signed(Kind):
    """A signed amount in base units, written as a decimal string."""

    def shown(self, _code: Code, v: str) -> str:
        return f"str({v})"

    def parsed(self, code: Code, name: str) -> str:
        return f"{code.bind(signed)}(fields, {name!r})"

    def schema(self) -> Json:
        return {"type": "string", "pattern": "^-?[0-9]{1,20}$"}


class Text(Kind):
    """A text."""

    def parsed(self, _code: Code, name: str) -> str:
        return f"fields.text({name!r})"

    def items(self, code: Code, name: str) -> str:
        """The texts of an array."""
        return f"{code.bind(texts)}(fields, {name!r})"

    def schema(self) -> Json:
        return {"type": "string"}


class Choice(Text):
    """One of some words; a client takes others too, which a later node may know."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.words = words

    def schema(self) -> Json:
        return {"type": "string", "enum": list(self.words)}


class Boolean(Kind):
    """True or false."""

    def parsed(self, code: Code, name: str) -> str:
        return f"{code.bind(boolean)}(fields, {name!r})"

    def schema(self) -> Json:
        return {"type": "boolean"}


class Bytes(Kind):
    """Any bytes, ``0x…``."""

    def shown(self, _code: Code, v: str) -> str:
        return f'"0x" + {v}.hex()'

    def parsed(self, _code: Code, name: str) -> str:
        return f"fields.data({name!r})"

    def schema(self) -> Json:
        return {"type": "string", "pattern": "^0x([0-9a-f]{2})*$"}


class Anything(Kind):
    """An object of any members; `of` says what all of them are."""

    def __init__(self, of: Kind | None = None) -> None:
        super().__init__()
        self.of = of

    def parsed(self, code: Code, name: str) -> str:
        return f"fields.nested({name!r}, {code.bind(_members)})"

    def schema(self) -> Json:
        return {"type": "object", "additionalProperties": self.of.schema() if self.of else True}


class Each(Kind):
    """An array of one kind."""

    def __init__(self, of: Kind, *, least: int | None = None, most: int | None = None) -> None:
        super().__init__()
        self.of = of
        self.bounds = {
            name: bound for name, bound in (("minItems", least), ("maxItems", most)) if bound is not None
        }

    def parts(self) -> Iterable[type[Any]]:
        return self.of.parts()

    def shown(self, code: Code, v: str) -> str:
        return f"[{self.of.shown(code, 'element')} for element in {v}]"

    def parsed(self, code: Code, name: str) -> str:
        if isinstance(self.of, Fixed):
            return f"{code.bind(hex_items)}(fields, {name!r}, {self.of.width}, {self.bounds.get('maxItems')})"
        if isinstance(self.of, Struct):
            return f"fields.each({name!r}, {code.bind(self.of.kind)}.from_json)"
        if isinstance(self.of, Text):
            return self.of.items(code, name)
        return f"tuple(fields.items({name!r}))"

    def schema(self) -> Json:
        return {"type": "array", "items": self.of.schema(), **self.bounds}


class Sometimes(Kind):
    """A member that may be absent, None then; `promised`: not in our answers."""

    def __init__(self, of: Kind, *, promised: bool = False) -> None:
        super().__init__(name=of.name, about=of.about)
        self.of = of
        self.promised = promised

    def parts(self) -> Iterable[type[Any]]:
        return self.of.parts()

    def shown(self, code: Code, v: str) -> str:
        return self.of.shown(code, v)

    def parsed(self, code: Code, name: str) -> str:
        return f"({self.of.parsed(code, name)}) if {name!r} in fields else None"

    def left_out(self, v: str) -> str | None:
        return f"{v} is None"

    def required(self) -> bool:
        return self.promised

    def schema(self) -> Json:
        return self.of.schema()


_PLAIN: dict[Any, type[Kind]] = {int: Count, float: Number, str: Text, bool: Boolean, bytes: Bytes, dict: Anything}


def kind_of(annotation: Any) -> tuple[Kind, str | None, str]:
    """The kind that a member's annotation means, its name in JSON where one is given, and what is said of it."""
    notes: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, notes = annotation.__origin__, annotation.__metadata__
    kinds = [note for note in notes if isinstance(note, Kind)]
    names = [note for note in notes if isinstance(note, Name)]
    told = [note for note in notes if type(note) is str]
    kind = kinds[0] if kinds else _plain(annotation, promised=PROMISED in notes)
    name = str(names[0]) if names else kind.name
    return kind, name, told[-1] if told else kind.about


def _plain(annotation: Any, *, promised: bool) -> Kind:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        kind, _, about = kind_of(inner)
        maybe = Sometimes(kind, promised=promised)
        maybe.about = about
        return maybe
    if origin is tuple:
        return Each(kind_of(arguments[0])[0])
    if origin is Literal:
        return Choice(*arguments)
    plain = _PLAIN.get(origin or annotation)
    return plain() if plain else Struct(annotation)


def number(fields: Fields, name: str) -> float:
    """A JSON number."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedJson(name, "must be a number")
    return float(value)


def boolean(fields: Fields, name: str) -> bool:
    """A JSON boolean."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise MalformedJson(name, "must be true or false")
    return value


def signed(fields: Fields, name: str) -> int:
    """A signed amount in base units, written as a decimal string."""
    text = fields.text(name)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise MalformedJson(name, "must be a string of decimal digits, with - in front when negative")
    return int(text)


def texts(fields: Fields, name: str) -> tuple[str, ...]:
    """An array of texts."""
    return tuple(str(text) for text in fields.items(name, optional=True))


def _members(fields: Fields) -> Json:
    return dict(fields.members)


Hash = Annotated[bytes, HASH]
OutputId = Annotated[bytes, Fixed(34)]
Amount = Annotated[int, UInt(8)]
Index = Annotated[int, UInt(4)]
EventNumber = Annotated[int, Count(), "event number"]
Share = Annotated[float, Number(0, 1)]
Data = Annotated[bytes, Bytes()]
Milliseconds = Annotated[int, Count(), "when this node took it, milliseconds since the Unix epoch"]
