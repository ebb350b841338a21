"""Options that many commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

NODE_URL = "http://127.0.0.1:14265"
"""where `tangle up` listens when nothing else is said"""
WALLET = Path("~/.config/tangle/wallet.json")
"""the wallet file when nothing else is said"""


def finite(value: float | None) -> float | None:
    """Refuse what is no number: comparisons with bounds let it pass."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("must be a finite number")
    return value


NodeUrl = Annotated[
    str, typer.Option("--node", envvar="TANGLE_NODE", metavar="URL", help="REST address of the node.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
WalletPath = Annotated[
    Path, typer.Option("--wallet", envvar="TANGLE_WALLET", metavar="FILE", help="The wallet file.")
]
DataDirectory = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="TANGLE_DATA", metavar="DIR", help="Directory of database, keys and tangle.toml."
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file instead of DIR/tangle.toml.")
]
