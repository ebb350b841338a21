"""Options that several commands of `tangle sim` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from tangle.cli.errors import InvalidValue
from tangle.errors import Ending
from tangle.sim.errors import BadResult, BadScenario
from tangle.sim.files import assignment
from tangle.sim.result import Result
from tangle.sim.store import arrow, holds_result, load
from tangle.sim.tables import named_function
from tangle.sim.work import Measures

MEASURES = "tangle.sim.measures:summary"
"""what is measured unless told otherwise; as sim.grid.MEASURES, without loading it for `--help`"""

ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A TOML file, or a name that `tangle sim list` shows.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field, also adversary.share or settings.age."),
]
Seed = Annotated[int | None, typer.Option(min=0, metavar="NUMBER", help="Of everything random.")]
Blocks = Annotated[int | None, typer.Option(min=1, metavar="COUNT", help="Blocks to be issued.")]
MeasuresName = Annotated[
    str, typer.Option("--measures", metavar="MODULE:FUNCTION", help="What is measured of a result.")
]


def changes_of(given: Sequence[str] | None, seed: int | None = None, blocks: int | None = None) -> dict[str, Any]:
    """Field -> value of `--set`, `--seed` and `--blocks`, of which the last two come first."""
    changes = {}
    for text in given or ():
        try:
            field, value = assignment(text)
        except BadScenario as error:
            raise InvalidValue("--set", f"{error.rule}, not {error.field!r}") from None
        changes[field] = value
    return changes | {name: value for name, value in (("seed", seed), ("blocks", blocks)) if value is not None}


def measures_of(name: str) -> Measures:
    """What "module:function" names."""
    try:
        found: Measures = named_function(name, "--measures")
    except BadScenario as error:
        raise InvalidValue("--measures", error.rule) from None
    return found


def loaded(directories: Sequence[Path]) -> list[Result]:
    """The results in directories."""
    return [load(each) for each in directories]


@contextmanager
def interruptible(message: str) -> Iterator[None]:
    """Say something when Ctrl-C ends what is done here, and end with the code for that."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(message, err=True)
        raise typer.Exit(Ending.INTERRUPTED.exit_code) from None


def free_place(directory: Path) -> None:
    """Refuse a directory where a result could not be kept, before it is computed."""
    arrow()
    if holds_result(directory):
        raise BadResult(str(directory), "there is a result already, and none is overwritten")
