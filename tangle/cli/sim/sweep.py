"""`tangle sim sweep`: a grid over fields of a scenario, on all cores or a cluster; goes on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tangle.cli.errors import InvalidValue, SweepFailed
from tangle.cli.group import command
from tangle.cli.options import AsJson
from tangle.cli.output import show_done
from tangle.cli.sim.options import (
    MEASURES,
    Blocks,
    Changes,
    MeasuresName,
    Seed,
    changes_of,
    interruptible,
    measures_of,
)
from tangle.cli.sim.progress import bar
from tangle.cli.sim.view import cells
from tangle.sim.errors import BadScenario
from tangle.sim.files import choices, find, read, scenario_of, sweep_of
from tangle.sim.grid import Sweep
from tangle.sim.sweep import load, run
from tangle.sim.swept import Swept
from tangle.terminal.text import facts

FAILURES_SHOWN = 10


class EngineName(StrEnum):
    """Where runs are made."""

    LOCAL = "local"
    DASK = "dask"
    RAY = "ray"


@command(
    "sim sweep parasite-chain --grid alpha=0.001,0.01,0.1 --grid adversary.share=0.1,0.3 --repeat 20 --out chains"
)
def sweep(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|DIR", help="A scenario to begin with, or the directory of a sweep to go on."
        ),
    ],
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="FIELD=VALUE,…", help="A field and its values; all combinations are run."),
    ] = None,
    repeat: Annotated[
        int | None, typer.Option("--repeat", min=1, metavar="COUNT", help="Runs of each, with seeds of their own.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Keep the runs here; what is there is gone on with."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="COUNT", help="Processes; one per core unless told.")
    ] = None,
    engine: Annotated[EngineName, typer.Option("--engine", help="This machine, or a cluster.")] = EngineName.LOCAL,
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="ADDRESS", help="Of the cluster, such as tcp://10.0.0.1:8786."),
    ] = None,
    change: Changes = None,
    seed: Seed = None,
    blocks: Blocks = None,
    measures: MeasuresName = MEASURES,
    shown: Annotated[
        list[str] | None, typer.Option("--show", metavar="MEASURE", help="Show this measure; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finished runs are kept at once. After Ctrl-C or a crash the same command goes on and gives the same
    table.
    """
    place = Path(source)
    if place.is_dir():
        if grid or repeat or change or seed is not None or blocks is not None or (out and out != place):
            raise InvalidValue(source, "a sweep that is gone on with stays as it is: no options that change it")
        out, declared = place, _kept(place)
    elif out is None:
        raise InvalidValue("--out", "a directory is needed, where finished runs are kept")
    else:
        declared = _declared(source, grid or [], repeat, changes_of(change, seed, blocks), measures)
    note = f"stopped; finished runs are kept, and `tangle sim sweep {out}` goes on"
    with interruptible(note), bar(declared.base.name or "sweep", "runs", as_json=as_json) as tell:
        swept = run(
            declared, out, engine=str(engine), workers=workers, address=address,
            progress=lambda now: tell(now.done, now.all, f"{now.failed} failed" if now.failed else ""),
        )  # fmt: skip
    show_done(_document(swept), _text(swept, shown or []), as_json=as_json)
    if swept.failures:
        raise SweepFailed(len(swept.failures), len(swept.rows), _first(swept), str(out))


def _kept(place: Path) -> Sweep:
    return load(place).sweep


def _declared(
    source: str, grid: Sequence[str], repeat: int | None, changes: dict[str, Any], measures: str
) -> Sweep:
    """The sweep of a file's own table `sweep` and of options, which come before it."""
    path = find(source)
    table = read(path)
    own = sweep_of(table, path)
    for text in grid:
        try:
            field, values = choices(text)
        except BadScenario as error:
            raise InvalidValue("--grid", f"{error.rule}, not {error.field!r}") from None
        own.grid[field] = values
    measures_of(measures)
    return Sweep(scenario_of(table, path, changes), own.grid, own.repeats if repeat is None else repeat, measures)


def _document(swept: Swept) -> dict[str, Any]:
    return {
        "directory": str(swept.directory),
        "runs": len(swept.rows),
        "failed": len(swept.failures),
        "seconds": round(swept.seconds, 3),
        "table": str(swept.directory / "runs.parquet") if swept.directory else None,
        "failures": [
            {"run": each.run.number, "fields": dict(each.run.cell), "seed": each.run.seed, "error": each.error}
            for each in swept.failures
        ],
    }


def _text(swept: Swept, shown: Sequence[str]) -> str:
    for name in shown:
        if name not in swept.measures:
            raise InvalidValue("--show", f"{name!r} is none of {', '.join(swept.measures)}")
    failed = [
        f"run {each.run.number} ({_fields(each.run.cell)}, seed {each.run.seed}): {each.error}"
        for each in swept.failures[:FAILURES_SHOWN]
    ]
    if len(swept.failures) > FAILURES_SHOWN:
        failed.append(f"and {len(swept.failures) - FAILURES_SHOWN} more")
    assert swept.directory is not None
    rows = [
        ("runs", f"{len(swept.rows):,}, which took {swept.seconds:,.1f} s on one core together"),
        ("failed", "\n".join(failed) or None),
        ("table", swept.directory / "runs.parquet"),
    ]
    return f"{facts(rows)}\n\n{cells(swept, shown)}"


def _first(swept: Swept) -> str:
    failure = swept.failures[0]
    return f"{failure.error} ({_fields(failure.run.cell)}, seed {failure.run.seed})"


def _fields(cell: Any) -> str:
    return ", ".join(f"{name} = {value}" for name, value in cell.items()) or "no grid"
