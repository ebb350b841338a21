"""`tangle mam`: channels that machines write and people subscribe to.

This is the group's table of commands, each with an example for its help; the commands stand by side in the `mam_*`
modules beside it, and what they share in `mam_session`.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from tangle.cli.mam import access, read, write

app = typer.Typer(
    no_args_is_help=True,
    help="Write channels that nobody can alter, and follow them.",
    rich_markup_mode=None,
)

COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "create": (write.create, "create pump.channel --mode restricted --seed pump.seed"),
    "publish": (write.publish, "publish pump.channel --csv readings.csv"),
    "follow": (read.follow, "follow customer.invitation --key my.key --bookmark pump.place --csv pump.csv"),
    "recover": (write.recover, "recover pump.seed --channel pump.channel --skip 64"),
    "key": (access.key, "key my.key"),
    "grant": (access.grant, f"grant pump.channel 0x{32 * '5a'} --out customer.invitation"),
    "revoke": (access.revoke, f"revoke pump.channel 0x{32 * '5a'}"),
    "export": (read.export, "export customer.invitation --key my.key --out proof.json"),
}
"""name -> what runs, and how it is called for example"""

for _name, (_command, _example) in COMMANDS.items():
    app.command(_name, epilog=f"\b\nExample:\n  tangle mam {_example}")(_command)
