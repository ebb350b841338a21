"""`tangle sim replay`: a real Tangle, grown again with another selector, alpha or attack."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tangle.cli.errors import InvalidValue
from tangle.cli.group import command
from tangle.cli.options import AsJson, finite
from tangle.cli.output import show_done
from tangle.cli.sim.options import (
    MEASURES,
    Blocks,
    Changes,
    MeasuresName,
    Seed,
    changes_of,
    free_place,
    interruptible,
    measures_of,
)
from tangle.cli.sim.progress import bar
from tangle.cli.sim.view import measured, told
from tangle.client.node.place import without_password
from tangle.sim.replay import Recording, go_on, load, regrow, reselect
from tangle.sim.scenario import Scenario
from tangle.sim.store import save
from tangle.sim.tables import changed
from tangle.terminal.live import progress
from tangle.terminal.text import facts

SHARE = 0.2
"""q of an attack unless told otherwise"""


class How(StrEnum):
    """What is asked of a Tangle."""

    REGROW = "regrow"
    RESELECT = "reselect"
    GO_ON = "go-on"


@command("sim replay http://127.0.0.1:14265 --selector uniform --set delay=0.5 --out replayed")
def replay(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="Address of a node, a file of `tangle graph export`, or a result."),
    ],
    how: Annotated[
        How,
        typer.Option("--how", help="Its arrivals grow anew, its blocks are asked, or it goes on."),
    ] = How.REGROW,
    selector: Annotated[str | None, typer.Option("--selector", metavar="NAME", help="Selector of tips.")] = None,
    alpha: Annotated[
        float | None, typer.Option("--alpha", min=0, callback=finite, metavar="NUMBER", help="Of weighted walks.")
    ] = None,
    attack: Annotated[
        str | None,
        typer.Option("--attack", metavar="NAME", help="An attack; --set adversary.share=… says how strong."),
    ] = None,
    change: Changes = None,
    seed: Seed = None,
    blocks: Blocks = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep the result in this new directory.")
    ] = None,
    measures: MeasuresName = MEASURES,
    as_json: AsJson = False,
) -> None:
    if blocks is not None and how is not How.GO_ON:
        raise InvalidValue("--blocks", "that is for --how go-on; otherwise there are as many as there were")
    if how is How.RESELECT and (attack is not None or out is not None):
        raise InvalidValue("--how", "reselect grows nothing: there is no attack, and no result to keep")
    if out is not None:
        free_place(out)
    measure = measures_of(measures)
    chosen = {name: value for name, value in (("selector", selector), ("alpha", alpha)) if value is not None}
    changes = changes_of(change, seed, blocks)
    with interruptible("stopped; nothing is kept"):
        with progress(f"reading {without_password(source)}", as_json=as_json, lines=True):
            dag = load(source)
        source = without_password(source)
        if how is How.RESELECT:
            document, rows = _reselected(dag, chosen | changes, as_json)
        else:
            document, rows = _grown(dag, how, _scenario(dag, chosen, attack, changes), measure, out, as_json)
    head = [("source", f"{source}, {len(dag):,} blocks in {dag.span:,.1f} s"), *rows]
    text = f"{facts(head)}\n\n{measured(document['measures'])}"
    show_done({"source": source, **document}, text, as_json=as_json)


def _scenario(dag: Recording, chosen: dict[str, Any], attack: str | None, changes: dict[str, Any]) -> Scenario:
    fields: dict[str, Any] = {"name": "replay", "arrivals": dag.rate, **chosen}
    if attack is not None:
        fields["adversary"] = {"attack": attack, "share": SHARE}
    return Scenario.from_table(changed(fields, changes))


def _grown(
    dag: Recording, how: How, scenario: Scenario, measure: Any, out: Path | None, as_json: bool
) -> tuple[dict[str, Any], list[tuple[str, object]]]:
    with bar(str(how), "blocks", as_json=as_json) as tell:
        grow = regrow if how is How.REGROW else go_on
        result = grow(dag, scenario, progress=lambda done, of: tell(done, of, ""))
    place = None if out is None else save(result, out)
    found = {name: float(value) for name, value in measure(result).items()}
    document: dict[str, Any] = {
        "how": str(how), "blocks": result.blocks, "scenario": result.scenario.to_table(), "measures": found,
    } | ({} if place is None else {"directory": str(place)})  # fmt: skip
    rows: list[tuple[str, object]] = [
        ("scenario", told(result.scenario)),
        ("blocks", f"{result.blocks:,}"),
        ("tips at the end", f"{int(result.tips[-1]):,}, in the Tangle that was there {dag.graph.tips.size:,}"),
        ("kept in", place),
    ]
    return document, rows


def _reselected(
    dag: Recording, given: dict[str, Any], as_json: bool
) -> tuple[dict[str, Any], list[tuple[str, object]]]:
    with progress(f"asking {len(dag):,} blocks", as_json=as_json, lines=True):
        found = reselect(dag, **given).summary()
    chosen = ", ".join(f"{name} {value}" for name, value in given.items()) or "weighted"
    return {"how": "reselect", "measures": found}, [("asked", chosen)]
