"""The `tangle` command: its groups, and the one place where errors become a line and an exit code.

Commands import what they need when they run, so `tangle --help` loads neither numba nor SQLAlchemy.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.data import block, graph
from tangle.cli.data import tagged as data
from tangle.cli.mam import app as mam
from tangle.cli.node import audit, info, service
from tangle.cli.output import report
from tangle.cli.sim import app as sim
from tangle.cli.tips import commands as tips
from tangle.cli.wallet import app as wallet
from tangle.errors import Ending, TangleError

DISTRIBUTION = "tangle-ledger"
EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {e.exit_code:>3}  {e.meaning}" for e in Ending if e.meaning)

app = typer.Typer(
    name="tangle",
    help="A feeless ledger for machines: run a node, hold a wallet, write and read data.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"tangle {version(DISTRIBUTION)}")
        except PackageNotFoundError:
            typer.echo("tangle, run from a directory where it is not installed")
        raise typer.Exit


@app.callback()
def root(
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A feeless ledger for machines: run a node, hold a wallet, write and read data."""


app.command()(service.up)
app.command()(service.init)
app.command()(info.info)
app.add_typer(wallet.app, name="wallet")
app.add_typer(data.app, name="data")
app.add_typer(mam.app, name="mam")
app.add_typer(block.app, name="block")
app.add_typer(tips.app, name="tips")
app.add_typer(graph.app, name="graph")
app.add_typer(sim.app, name="sim")
app.command()(audit.audit)


@app.command()
def demo(
    readings: Annotated[
        Path | None, typer.Option("--readings", metavar="FILE", help="CSV file to replay instead of the sample.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Length of the run, about.")] = 60.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the data of node and parties, and the logs.")] = False,
) -> None:
    """Watch a pump being paid per unit through a fresh Tangle, on real readings; checked against the ledger."""
    from tangle.demo.command import demo as demonstrate

    raise typer.Exit(demonstrate(readings, seconds=seconds, keep=keep))


def run() -> None:
    """Run the command of this process and end it with the exit code that tells."""
    try:
        app(prog_name="tangle")
    except TangleError as error:
        sys.exit(report(error, as_json="--json" in sys.argv))


if __name__ == "__main__":
    run()
