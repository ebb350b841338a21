"""Groups of commands that are imported when they are called, and functions as commands.

The list of a group's commands is shown from the table alone, so `tangle --help` imports none of them and a call
imports one. That is why the module of a command imports what it needs at its top.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, NamedTuple, TypeVar, cast, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

F = TypeVar("F", bound=Callable[..., None])


class Row(NamedTuple):
    """A command of the table: where its function is, below `tangle`, and the first line of its help."""

    place: str
    line: str


class Rows(NamedTuple):
    """A group of the table: the first line of its help, and its commands by name."""

    line: str
    commands: Mapping[str, Row]


Table = Mapping[str, Row | Rows]


class Group(TyperGroup):
    """A group with the commands of a table."""

    def serve(self, table: Table) -> None:
        """Have these commands."""
        self.table = table
        commands: Any = _Imported(table)
        self.commands = commands

    def list_commands(self, _context: object) -> list[str]:
        """Names, in the order of the table."""
        return list(self.table)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Names and first lines, from the table."""
        told: Any = {name: TyperCommand(name, help=row.line) for name, row in self.table.items()}
        TyperGroup(commands=told, rich_markup_mode=None).format_commands(ctx, formatter)


class _Imported(Mapping[str, Any]):
    """The commands of a table by name, each imported when it is asked for."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        row = self._table[name]
        if name not in self._made:
            self._made[name] = _group(name, row) if isinstance(row, Rows) else _command(name, row)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _group(name: str, rows: Rows) -> Group:
    group = Group(name=name, help=rows.line, no_args_is_help=True, rich_markup_mode=None)
    group.serve(rows.commands)
    return group


def _command(name: str, row: Row) -> Any:
    module, _, word = row.place.partition(":")
    function = getattr(import_module(f"tangle.{module}"), word)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    example = f"\b\nExample:\n  tangle {EXAMPLES[function]}" if function in EXAMPLES else None
    told = f"{row.line}\n\n{inspect.getdoc(function) or ''}"
    app.command(name, help=told, epilog=example)(function)
    return typer.main.get_command(app)


EXAMPLES: dict[Callable[..., None], str] = {}
"""function of a command -> how it is called, for example"""


def command(example: str = "") -> Callable[[F], F]:
    """Have a function as a command, with an example for its help.

    What it does is said by its row of the table, and its docstring goes on from there.
    """

    def declared(function: F) -> F:
        made = spread(function)
        if example:
            EXAMPLES[made] = example
        return made

    return declared


def spread(function: F) -> F:
    """`function` with each parameter that is a dataclass as the options which its fields declare.

    So options that many commands share stand in one place, with their defaults, and reach a command as one value.
    """
    parameters = inspect.signature(function, eval_str=True).parameters
    classes: dict[str, Any] = {n: one.annotation for n, one in parameters.items() if is_dataclass(one.annotation)}
    if not classes:
        return function
    own = [one for name, one in parameters.items() if name not in classes]
    options = {name: _options(kind) for name, kind in classes.items()}
    signature = [*own, *(option for listed in options.values() for option in listed)]

    def call(**given: Any) -> None:
        for name, listed in options.items():
            given[name] = classes[name](**{option.name: given.pop(option.name) for option in listed})
        function(**given)

    call.__doc__ = function.__doc__
    call.__annotations__ = {one.name: one.annotation for one in signature}
    call.__dict__["__signature__"] = inspect.Signature(
        [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in signature]
    )
    return cast("F", call)


def _options(kind: Any) -> list[inspect.Parameter]:
    """The fields of a dataclass as parameters."""
    hints = get_type_hints(kind, include_extras=True)
    options = []
    for one in fields(kind):
        option = inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default)
        options.append(option.replace(annotation=hints[one.name]))
    return options
