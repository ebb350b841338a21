"""`tangle sim run`, `list` and `compare`: one scenario, which there are, and results beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tangle.cli.errors import InvalidValue
from tangle.cli.group import command
from tangle.cli.options import AsJson
from tangle.cli.output import show
from tangle.cli.sim.options import (
    MEASURES,
    Blocks,
    Changes,
    MeasuresName,
    ScenarioName,
    Seed,
    changes_of,
    free_place,
    interruptible,
    loaded,
    measures_of,
)
from tangle.cli.sim.progress import bar
from tangle.cli.sim.view import comparison, measured, told
from tangle.sim.files import declared, load_scenario
from tangle.sim.run import run as simulate
from tangle.sim.store import save
from tangle.sim.work import warm
from tangle.terminal.live import progress
from tangle.terminal.text import columns, facts

LOADING = "loading the kernels; the first time they are compiled, which takes a minute"


@command("sim run steady-state --set alpha=0.01 --blocks 100000 --out steady")
def run(
    scenario: ScenarioName,
    change: Changes = None,
    seed: Seed = None,
    blocks: Blocks = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep the result in this new directory.")
    ] = None,
    measures: MeasuresName = MEASURES,
    as_json: AsJson = False,
) -> None:
    declared = load_scenario(scenario, changes_of(change, seed, blocks))
    measure = measures_of(measures)
    if out is not None:
        free_place(out)
    with interruptible("stopped; nothing is kept"):
        with progress(LOADING, as_json=as_json):
            warm(measures)
        with bar(declared.name or "run", "blocks", as_json=as_json) as tell:
            result = simulate(declared, progress=lambda done, of: tell(done, of, ""))
    place = None if out is None else save(result, out)
    found = {name: float(value) for name, value in measure(result).items()}
    document: dict[str, Any] = {
        "scenario": declared.to_table(),
        "seed": declared.seed,
        "blocks": result.blocks,
        "seconds": round(result.seconds, 6),
        "blocksPerSecond": round(result.blocks / max(result.seconds, 1e-9)),
        "measures": found,
    } | ({} if place is None else {"directory": str(place)})
    rows = [
        ("scenario", told(declared)),
        ("blocks", f"{result.blocks:,} in {result.seconds:.2f} s, {document['blocksPerSecond']:,} blocks/s"),
        ("kept in", place),
    ]
    show(document, f"{facts(rows)}\n\n{measured(found)}", as_json=as_json)


@command("sim list")
def list_scenarios(as_json: AsJson = False) -> None:
    found = declared()
    items = [{"name": each.name, "title": each.title, "file": str(each.path)} for each in found]
    text = columns(("scenario", "what it is"), [(each.name, each.title) for each in found])
    show({"items": items}, text, as_json=as_json)


@command("sim compare steady busy")
def compare(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULT...", help="Directories of two results or more.")
    ],
    measures: MeasuresName = MEASURES,
    as_json: AsJson = False,
) -> None:
    if len(results) < 2:
        raise InvalidValue("RESULT", "two results or more are needed")
    measure = measures_of(measures)
    names = [str(each) for each in results]
    tables, found = [], []
    for each in loaded(results):
        tables.append(each.scenario.to_table() | {"blocks": each.blocks})
        found.append({name: float(value) for name, value in measure(each).items()})
    document = {
        "results": [
            {"directory": name, "scenario": table, "measures": numbers}
            for name, table, numbers in zip(names, tables, found, strict=True)
        ]
    }
    show(document, comparison(names, tables, found), as_json=as_json)
