"""`tangle sim plot`, `report` and `figure`: results and sweeps as figures, and the known ones made again."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tangle.cli.errors import FileUnwritable, InvalidValue
from tangle.cli.group import command
from tangle.cli.options import AsJson
from tangle.cli.output import show_done
from tangle.cli.sim.options import interruptible, loaded
from tangle.cli.sim.view import number
from tangle.sim.lab.figures import FIGURES, fits, over, save
from tangle.sim.lab.known import KNOWN
from tangle.sim.lab.report import NAME, orders, write
from tangle.sim.runs import holds_sweep
from tangle.sim.sweep import load
from tangle.terminal.live import progress
from tangle.terminal.text import columns, facts


class Format(StrEnum):
    """What a figure is written as."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


Quick = Annotated[bool, typer.Option("--quick", help="Fewer blocks and runs: seconds instead of a minute.")]


@command("sim plot steady --figure tips --out steady.svg")
def plot(
    targets: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT|SWEEP...", help="Directories of results, drawn together, or of one sweep."),
    ],
    figure: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Of a result: a figure; of a sweep: a measure. All unless told which."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="PATH", help="A directory, or the file of one figure.")
    ] = Path(),
    form: Annotated[Format, typer.Option("--format", help="Of files in a directory.")] = Format.SVG,
    x: Annotated[
        str | None, typer.Option("--x", metavar="FIELD", help="Of a sweep: the field along the axis.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    if len(targets) == 1 and holds_sweep(targets[0]):
        drawn = _sweep_figures(targets[0], figure or [], x)
    elif x is not None:
        raise InvalidValue("--x", "that is for a sweep; this is a result")
    else:
        drawn = _result_figures(targets, figure or [])
    if out.suffix and len(drawn) != 1:
        raise InvalidValue("--out", f"one file for {len(drawn)} figures; name one with --figure, or a directory")

    files = []
    with progress("drawing", as_json=as_json) as tell:
        for name, draw in drawn.items():
            tell(f"drawing {name}")
            path = out if out.suffix else out / f"{name}.{form}"
            try:
                files.append(save(draw(), path))
            except OSError as error:
                raise FileUnwritable(path, error.strerror or "it cannot be written") from None
    show_done({"files": [str(file) for file in files]}, "\n".join(map(str, files)), as_json=as_json)


def _result_figures(targets: Sequence[Path], wanted: Sequence[str]) -> dict[str, Any]:
    for name in wanted:
        if name not in FIGURES:
            raise InvalidValue("--figure", f"{name!r} is none of {', '.join(FIGURES)}")
    results = loaded(targets)
    one = results[0] if len(results) == 1 else results
    names = wanted or [name for name in FIGURES if fits(name, one)]
    return {name: partial(FIGURES[name], one) for name in names}


def _sweep_figures(target: Path, wanted: Sequence[str], x: str | None) -> dict[str, Any]:
    swept = load(target)
    for name in wanted:
        if name not in swept.measures:
            raise InvalidValue("--figure", f"{name!r} is none of {', '.join(swept.measures)}")
    fields = list(swept.sweep.grid)
    if not fields:
        raise InvalidValue(str(target), "the sweep has no grid to draw over")
    along = x or max(fields, key=lambda name: len(swept.sweep.grid[name]))
    if along not in fields:
        raise InvalidValue("--x", f"{along!r} is none of {', '.join(fields)}")
    rows = [row for row in swept.rows if "error" not in row]
    by = [name for name in fields if name != along]
    scale = {"xscale": "log"} if orders(swept.sweep.grid[along]) else {}
    return {
        name: partial(over, [row for row in rows if name in row], along, name, by=by, **scale)
        for name in wanted or swept.measures
    }


@command("sim report steady busy --out report")
def report(
    targets: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT|SWEEP...", help="Directories of results, side by side, or of one sweep."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Directory of the report.")] = Path("report"),
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The scenario's name unless given.")] = "",
    as_json: AsJson = False,
) -> None:
    with progress("drawing", as_json=as_json, lines=True):
        sweep = len(targets) == 1 and holds_sweep(targets[0])
        try:
            path = write(load(targets[0]) if sweep else loaded(targets), out, title=title)
        except OSError as error:
            raise FileUnwritable(out / NAME, error.strerror or "it cannot be written") from None
    show_done({"file": str(path)}, str(path), as_json=as_json)


@command("sim figure weight-growth --out weight.svg")
def figure(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Of a known figure; all are listed without one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="As SVG, PNG or PDF; NAME.svg unless told.")
    ] = None,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    if name is None:
        items = [{"name": each.name, "title": each.title, "source": each.source} for each in KNOWN.values()]
        rows = [(each.name, each.title, each.source) for each in KNOWN.values()]
        show_done({"items": items}, columns(("figure", "what it shows", "source"), rows), as_json=as_json)
        return
    if name not in KNOWN:
        raise InvalidValue("NAME", f"{name!r} is none of {', '.join(KNOWN)}")

    known, path = KNOWN[name], out or Path(f"{name}.svg")
    with interruptible("stopped; nothing was drawn"), progress(f"running {name}", as_json=as_json, lines=True):
        data = known.run(quick)
        checks = known.check(data)
        try:
            save(known.draw(data), path)
        except OSError as error:
            raise FileUnwritable(path, error.strerror or "it cannot be written") from None
    document = {
        "name": known.name,
        "title": known.title,
        "source": known.source,
        "claim": known.claim,
        "file": str(path),
        "checks": [_check(each) for each in checks],
    }
    head = facts([("figure", path), ("shows", known.title), ("source", known.source), ("says", known.claim)])
    numbers: list[tuple[object, ...]] = [
        (c.what, _published(c.published), number(c.measured), "agrees" if c.within else "differs", c.remark)
        for c in checks
    ]
    table = columns(("number", "published", "measured", "", ""), numbers)
    show_done(document, f"{head}\n\n{table}", as_json=as_json)


def _check(check: Any) -> dict[str, Any]:
    found = {"what": check.what, "published": check.published, "measured": float(check.measured)}
    return found | {"agrees": bool(check.within), "remark": check.remark}


def _published(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)
