"""`tangle sim replay`: a real Tangle, grown again with another selector, alpha or attack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import AsJson
from cli.output import facts, show
from cli.sim_options import (
    MEASURES,
    Changes,
    MeasuresName,
    Seed,
    changes_of,
    interruptible,
    measures_of,
)
from cli.sim_progress import bar
from cli.sim_view import measured, told

# Imports inside functions keep `tangle --help` quick.


def replay(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Address of a node, or a file of `tangle graph export`.")
    ],
    selector: Annotated[str | None, typer.Option(metavar="NAME", help="Selector of tips.")] = None,
    alpha: Annotated[float | None, typer.Option(min=0, metavar="NUMBER", help="Of weighted walks.")] = None,
    attack: Annotated[
        str | None, typer.Option(metavar="NAME", help="Attack; --set adversary.share=… says how strong.")
    ] = None,
    change: Changes = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep the result in this new directory.")
    ] = None,
    measures: MeasuresName = MEASURES,
    as_json: AsJson = False,
) -> None:
    """Ask what another alpha, selector or attack would have made of the arrivals of a real Tangle."""
    from sim.replay import load, regrow

    from sim.files import changed
    from sim.scenario import Scenario
    from sim.store import save

    measure = measures_of(measures)
    with interruptible("stopped; nothing is kept"), bar("replay", "blocks", as_json=as_json) as tell:
        dag = load(source)
        blocks = len(dag.times)
        fields: dict[str, Any] = {"name": "replay", "blocks": blocks}
        fields |= {name: value for name, value in (("selector", selector), ("alpha", alpha)) if value is not None}
        if attack is not None:
            fields["adversary"] = {"attack": attack, "share": SHARE}
        scenario = Scenario.from_table(changed(fields, changes_of(change, seed)))
        tell(0, blocks, "")
        result = regrow(dag, scenario)
        tell(blocks, blocks, "")
    place = None if out is None else save(result, out)
    found = {name: float(value) for name, value in measure(result).items()}
    document: dict[str, Any] = {
        "source": source, "blocks": result.blocks, "scenario": scenario.to_table(), "measures": found,
    } | ({} if place is None else {"directory": str(place)})  # fmt: skip
    rows = [("source", f"{source}, {blocks:,} blocks"), ("scenario", told(scenario)), ("kept in", place)]
    show(document, f"{facts(rows)}\n\n{measured(found)}", as_json=as_json)


SHARE = 0.2
"""q of an attack unless told otherwise"""
