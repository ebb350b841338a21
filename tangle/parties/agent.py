"""The process of a party: its options, and its end by a signal, an error or a closed pipe."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sqlite3
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from tangle.disk.errors import BookFailed
from tangle.errors import TangleError
from tangle.parties.report import Report

NodeOption = Annotated[str, typer.Option("--node", envvar="TANGLE_NODE", help="URL of the node.")]
SeedOption = Annotated[Path, typer.Option("--seed-file", help="The party's seed; made when there is none.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
ColumnOption = Annotated[str | None, typer.Option("--column", metavar="NAME", help="Column of values.")]
TimeColumnOption = Annotated[str | None, typer.Option("--time-column", metavar="NAME", help="Column of times.")]
TimeFormatOption = Annotated[
    str | None, typer.Option("--time-format", metavar="FORMAT", help="How times are written, as %d/%m/%Y %H:%M.")
]
DelimiterOption = Annotated[
    str | None, typer.Option("--delimiter", metavar="SIGN", help="What parts columns: , ; tab or |.")
]
DecimalOption = Annotated[
    str | None, typer.Option("--decimal", metavar="SIGN", help="The decimal sign: comma or point.")
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="Of the table's text, such as cp1252 [utf-8].")
]


def finite(value: float | None) -> float | None:
    """Refuse what is no number: comparisons with bounds let it pass."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("must be a finite number")
    return value


LOCAL_NODE = "http://127.0.0.1:14265"
"""where a node listens unless told otherwise"""


def run(main: Coroutine[Any, Any, int], report: Report) -> None:
    """Run an agent to its end and leave with its exit code; an error is reported, not thrown.

    SIGTERM and SIGINT cancel it where it waits. Nothing is lost by that: what was decided is stored, and what was
    not posted will be when the agent is started again.
    """
    try:
        code = asyncio.run(_until_signal(main, report))
    except TangleError as error:
        report({"event": "error", "code": error.code, "message": str(error)})
        code = 1
    except sqlite3.Error as error:
        report({"event": "error", "code": BookFailed.code, "message": f"the book could not be used: {error}"})
        code = 1
    except BrokenPipeError:
        # Whoever read the reports is gone; there is nobody to tell, and nothing to flush either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    raise typer.Exit(code)


async def _until_signal(main: Coroutine[Any, Any, int], report: Report) -> int:
    task = asyncio.create_task(main)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        report({"event": "stopped"})
        return 0
