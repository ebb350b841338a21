"""`tangle network`: what a network agrees on, beyond what it was founded with."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tangle.cli.group import command
from tangle.cli.node.service import database_errors
from tangle.cli.options import AsJson, ConfigFile, DataDirectory
from tangle.cli.output import show
from tangle.protocol.ruleset import LOCKS
from tangle.service.founding import switch_on
from tangle.service.settings import Settings
from tangle.terminal.live import progress


class Switch(StrEnum):
    """What can be switched on."""

    LOCKS = "locks"


RULES = {Switch.LOCKS: LOCKS}


@command()
def enable(
    rule: Annotated[Switch, typer.Argument(metavar="RULE", help="locks: outputs at the address of a lock.")],
    data: DataDirectory = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """The milestone that this command issues names the rule, and the one after it is the first judged by it. It
    cannot be switched off again. Stop the node before, and start it again after.
    """
    settings = Settings.load(config, data=data)
    with progress("opening the node", as_json=as_json, lines=True) as tell, database_errors():
        name = RULES[rule]
        index, new = switch_on(settings, name, tell)
    told = f"{name} is switched on by milestone {index}" if new else f"{name} was switched on already"
    show({"rule": name, "milestone": index, "new": new}, told, as_json=as_json)
