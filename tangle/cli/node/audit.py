"""`tangle audit`: the whole ledger recomputed from its blocks, without trusting what was recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from tangle.audit import audit as recompute
from tangle.cli.group import command
from tangle.cli.node.service import database_errors
from tangle.cli.options import AsJson, ConfigFile, DataDirectory
from tangle.cli.output import show
from tangle.service.settings import Settings
from tangle.store.engine import file_of, migrate, open_engine
from tangle.store.errors import NoNetwork
from tangle.terminal.live import progress
from tangle.terminal.text import amount, facts


@command()
def audit(
    data: DataDirectory = None,
    config: ConfigFile = None,
    database_url: Annotated[
        str | None, typer.Option("--database-url", metavar="URL", help="Another database than that of --data.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Exit code 11 when something is not as recorded; the message names the first difference."""
    settings = Settings.load(config, data=data, database_url=database_url)
    if (file := file_of(settings.url)) is not None and not file.is_file():
        raise NoNetwork(str(file.parent if not settings.database_url else file))
    with progress("reading the journal", as_json=as_json, lines=True) as tell, database_errors():

        def told(done: int, total: int) -> None:
            tell(f"recomputed {done:,} of {total:,} blocks")

        engine = open_engine(settings.url)
        try:
            migrate(engine)
            proven = recompute(engine, told)
        finally:
            engine.dispose()
    result = {
        "blocks": proven.blocks,
        "milestones": proven.milestones,
        "transactions": proven.transactions,
        "conflicts": proven.conflicts,
        "outputs": proven.outputs,
        "unspent": str(proven.unspent),
    }
    rows = [
        ("blocks", f"{proven.blocks:,}, each hashed again"),
        ("milestones", f"{proven.milestones:,}, signatures and roots as recorded"),
        ("transactions", f"{proven.transactions:,} included, {proven.conflicts:,} conflicting, as recorded"),
        ("ledger", f"{proven.outputs:,} outputs; the unspent ones hold {amount(proven.unspent)}, the supply"),
    ]
    show(result, facts(rows), as_json=as_json)
