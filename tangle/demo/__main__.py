"""`python -m tangle.demo`: the demonstration without the rest of the command line."""

import typer

from tangle.demo import ABOUT
from tangle.demo.command import demo

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command(help=ABOUT)(demo)
app(prog_name="python -m tangle.demo")
