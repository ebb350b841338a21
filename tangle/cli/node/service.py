"""`tangle up` and `tangle init`: run a node, or make its network without running it."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from tangle.cli.errors import DatabaseUnusable
from tangle.cli.group import command
from tangle.cli.options import AsJson, ConfigFile, DataDirectory
from tangle.cli.output import show_done
from tangle.terminal.live import progress
from tangle.terminal.streams import note
from tangle.terminal.text import facts

if TYPE_CHECKING:
    from tangle.service.settings import Settings

# Imports inside functions: what a node needs takes a second to load, and that shows as progress.

READY = "ready on "
"""how the service begins the line that names its URL"""
SETTINGS_NOTE = (
    "Every setting is also an environment variable, such as TANGLE_PORT, and a line of DIR/tangle.toml, which "
    "describes them all and is written with the network. An option wins over a variable, a variable over the file."
)
_Name = Annotated[
    str | None, typer.Option("--network-name", metavar="NAME", help="Of a new network; its id derives from it.")
]


@command()
def up(
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, metavar="PORT", help="Port to listen on [14265]; 0 picks a free one."),
    ] = None,
    data: DataDirectory = None,
    config: ConfigFile = None,
    network_name: _Name = None,
    accept_clock: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="The time that it is, to say that a clock in doubt is right."),
    ] = None,
    accept_older_copy: Annotated[
        int | None,
        typer.Option(min=0, metavar="INDEX", help="Go on from an older copy that ends with this milestone."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ctrl-C or SIGTERM stops it: requests under way are answered first, and everything acknowledged is on the
    disk.
    """
    given = {
        "host": host,
        "port": port,
        "data": data,
        "network_name": network_name,
        "accept_clock": accept_clock,
        "accept_older_copy": accept_older_copy,
    }
    run_node(given, config, as_json=as_json)


def run_node(
    given: Mapping[str, str | int | Path | None],
    config: Path | None = None,
    *,
    as_json: bool = False,
    ticks: Callable[[], float] = time.monotonic,
) -> None:
    """What `up` does; the node measures its waits by `ticks`."""
    with ExitStack() as until_ready:
        tell = until_ready.enter_context(progress("starting", as_json=as_json, lines=True))
        settings = _settings(config, **given)
        # Loaded after the settings: a mistyped one should not wait for numba.
        from tangle.api.app import serve

        def told(line: str) -> None:
            if line.startswith(READY):
                until_ready.close()
                _show_ready(settings, line.removeprefix(READY), as_json)
            else:
                tell(line)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        try:
            with database_errors():
                serve(settings, told, ticks)
        except KeyboardInterrupt:
            until_ready.close()
    if not as_json:
        note("stopped")


@command()
def init(
    data: DataDirectory = None,
    config: ConfigFile = None,
    network_name: _Name = None,
    as_json: AsJson = False,
) -> None:
    with progress("making the network", as_json=as_json) as tell:
        settings = _settings(config, data=data, network_name=network_name)
        from tangle.service.founding import make_network
        from tangle.store.errors import NetworkExists

        with database_errors():
            if not make_network(settings, report=tell):
                raise NetworkExists(_network_name(settings))
    result = {
        "network": settings.network_name,
        "data": str(settings.data),
        "tokenSupply": str(settings.token_supply),
        "supplyWallet": str(settings.supply_path),
    }
    rows = [
        ("network", settings.network_name),
        ("data", settings.data),
        ("keys", f"{settings.data / 'keys.json'}  (copy it to a safe place: it signs milestones)"),
        ("supply", f"{settings.supply_path}  (take it off this machine: whoever has it holds the supply)"),
        ("settings", settings.data / "tangle.toml"),
    ]
    show_done(result, facts(rows), as_json=as_json)


up.__doc__ = f"{up.__doc__}\n    {SETTINGS_NOTE}\n"
init.__doc__ = SETTINGS_NOTE


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what the database says when it cannot be used into DatabaseUnusable."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        raise DatabaseUnusable(str(getattr(error, "orig", None) or error)) from error


def _settings(config: Path | None, **given: str | int | Path | None) -> Settings:
    from tangle.service.settings import Settings

    settings = Settings.load(config, **given)
    _log(settings.log_level)
    return settings


def _log(level: str) -> None:
    """Log to stderr: our own records from `level` on, those of libraries from warnings on unless debugging."""

    def wanted(record: logging.LogRecord) -> bool:
        return level == "debug" or record.levelno >= logging.WARNING or record.name.startswith("tangle")

    # The true stderr: the one of this moment belongs to the progress display and would wrap every line.
    handler = logging.StreamHandler(sys.__stderr__)
    handler.addFilter(wanted)
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[handler]
    )


def _show_ready(settings: Settings, url: str, as_json: bool) -> None:
    name, data = _network_name(settings), settings.data.absolute()
    docs = f"{url}/docs"
    supply = settings.supply_path if settings.supply_path.exists() else None
    rows = [("ready", url), ("network", name), ("data", data), ("supply", supply), ("docs", docs)]
    rows.append(("stop", "Ctrl-C"))
    show_done({"url": url, "network": name, "data": str(data), "docs": docs}, facts(rows), as_json=as_json)


def _network_name(settings: Settings) -> str:
    """Of the network in the database, which settings that leave it open do not tell."""
    from tangle.store.engine import open_engine
    from tangle.store.journal import read_network

    engine = open_engine(settings.url)
    try:
        network = read_network(engine)
    finally:
        engine.dispose()
    return network.parameters.network_name if network else settings.network_name


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Also what the server calls once it has stopped in order: it passes the signal on."""
    raise KeyboardInterrupt
