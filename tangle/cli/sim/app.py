"""`tangle sim`: simulations of tip selection.

This is the group's table of commands, each with an example for its help; the commands stand by side in the `sim_*`
modules beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from tangle.cli.sim import figures, replay, run, sweep

app = typer.Typer(
    no_args_is_help=True, help="Simulate tip selection, attacks and networks.", rich_markup_mode=None
)

COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "run": (run.run, "run steady-state --set alpha=0.01 --blocks 100000 --out steady"),
    "list": (run.list_scenarios, "list"),
    "sweep": (
        sweep.sweep,
        "sweep parasite-chain --grid alpha=0.001,0.01,0.1 --grid adversary.share=0.1,0.3 --repeat 20 --out chains",
    ),
    "plot": (figures.plot, "plot steady --figure tips --out steady.svg"),
    "compare": (run.compare, "compare steady busy"),
    "report": (figures.report, "report steady busy --out report"),
    "figure": (figures.figure, "figure weight-growth --out weight.svg"),
    "replay": (replay.replay, "replay http://127.0.0.1:14265 --selector uniform --set delay=0.5 --out replayed"),
}
"""name -> what runs, and how it is called for example"""

for _name, (_command, _example) in COMMANDS.items():
    app.command(_name, epilog=f"\b\nExample:\n  tangle sim {_example}")(_command)
