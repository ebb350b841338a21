"""The `tangle` command: the one place where errors become a line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from tangle.cli.commands import COMMANDS
from tangle.cli.group import Group
from tangle.errors import Ending, TangleError
from tangle.terminal.streams import prepare

DISTRIBUTION = "tangle-ledger"
EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {e.exit_code:>3}  {e.meaning}" for e in Ending if e.meaning)

app = typer.Typer(
    name="tangle",
    cls=Group,
    help="A feeless ledger for machines: run a node, hold a wallet, write and read data.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        # Reading what is installed takes longer than all else that `tangle --help` does.
        from importlib.metadata import PackageNotFoundError, version

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
    """Options of the command itself."""


command: Any = typer.main.get_command(app)
command.serve(COMMANDS)


def run() -> None:
    """Run the command of this process and end it with the exit code that tells."""
    prepare()
    try:
        command(prog_name="tangle")
    except TangleError as error:
        # Not before it is needed: what draws on terminals is slow to load.
        from tangle.terminal.live import report

        sys.exit(report(error, as_json="--json" in sys.argv))
