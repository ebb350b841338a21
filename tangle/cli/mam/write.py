"""`tangle mam create|publish|recover`: the writer's side of a channel."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.errors import FileUnreadable, InvalidValue
from tangle.cli.group import command
from tangle.cli.mam import files
from tangle.cli.mam.input import batches, csv_bodies, file_body, line_batches
from tangle.cli.mam.session import ChannelPath, ModeName, ProofOfWork, Timeout, format_errors, publisher_of
from tangle.cli.options import NODE_URL, AsJson, NodeUrl
from tangle.cli.output import show_done
from tangle.cli.session import WAIT_S, Worker, run_async
from tangle.client.channels.book import ChannelBook
from tangle.client.channels.errors import ChannelExists, NothingRead, NotYetPublished
from tangle.client.channels.publisher import Published, Publisher
from tangle.client.channels.recovery import Recovered
from tangle.client.channels.recovery import recover as found_by
from tangle.client.node.rest import NodeClient
from tangle.disk.tables import TableForm
from tangle.mam import Channel, Mode, Position
from tangle.mam import Channel as NewChannel
from tangle.mam import Channel as Owned
from tangle.parties.agent import DecimalOption, DelimiterOption, EncodingOption, TimeFormatOption
from tangle.protocol.errors import ProtocolError
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.live import progress
from tangle.terminal.text import facts

Tell = Callable[[str], None]
RETRY_S = (0.2, 5.0)
"""seconds before what waits is sent again, at first and at most"""
HEIGHT = 6
"""of the trees unless told otherwise: 64 messages under one address"""
SeedPath = Annotated[Path, typer.Argument(metavar="SEED", help="The file that `create --seed` wrote.")]


@command("mam create pump.channel --mode restricted --seed pump.seed")
def create(
    channel: ChannelPath,
    mode: Annotated[ModeName, typer.Option("--mode", help="Who can read it.")] = ModeName.PUBLIC,
    height: Annotated[
        int, typer.Option(min=0, max=16, metavar="H", help="2^H messages under one address, 32·H bytes more each.")
    ] = HEIGHT,
    seed: Annotated[
        Path | None, typer.Option("--seed", metavar="FILE", help="Write the seed there too, for `recover`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The file holds its seed and all that waits to be published. Whoever has a copy can write the channel, and
    two writers make a fork: keep the seed as a backup, not copies of the file.
    """
    with format_errors():
        made = NewChannel.create(mode.value, height)
        _check_free(channel)
        if seed is not None:
            content = {"seed": to_hex(made.seed), "mode": mode.value, "height": height}
            files.write_new(seed, files.SEED, content)
        ChannelBook.create(channel, made).close()
    result: Json = {"channel": str(channel), **_access_json(made)}
    show_done(result, facts([("channel", channel), *_access_rows(made)]), as_json=as_json)


@command("mam publish pump.channel --csv readings.csv")
def publish(
    channel: ChannelPath,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="One message, as text.")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="A file as one message.")] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Each row as a message, a JSON object.")
    ] = None,
    skip_rows: Annotated[
        int,
        typer.Option("--skip-rows", min=0, metavar="COUNT", help="With --csv: rows that are published already."),
    ] = 0,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME", help="With --csv: take this column; may be given again."),
    ] = None,
    time_format: TimeFormatOption = None,
    delimiter: DelimiterOption = None,
    decimal: DecimalOption = None,
    encoding: EncodingOption = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only send what is signed and waits from an earlier run.")
    ] = False,
    worker: ProofOfWork = Worker.AUTO,
    timeout: Timeout = WAIT_S,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """What is signed is written down first; if the node is away it waits in the channel's file and goes out
    next.
    """
    if sum(given is not None for given in (text, file, csv)) + waiting > 1:
        raise typer.BadParameter("give one of TEXT, --file, --csv and --waiting")
    try:
        form = TableForm.named(delimiter, decimal, encoding)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    given = (column, time_format, delimiter, decimal, encoding)
    if csv is None and any(option is not None for option in given):
        raise typer.BadParameter("--column, --time-format, --delimiter, --decimal and --encoding go with --csv")
    rows = partial(csv_bodies, form=form, wanted=column or (), time_format=time_format, skip=skip_rows)
    source = None if waiting else _source(text, file, csv, rows)
    with progress("asking the node", as_json=as_json) as tell, format_errors():
        if source is None:
            result = run_async(_send_waiting(node, channel, worker, timeout, tell))
        else:
            result = run_async(_publish(node, channel, source, worker, timeout, tell))
    count = result["messages"]
    told = f"{count} messages, number {result['first']} to {result['last']}" if count > 1 else "no message"
    show_done(result, f"message {result['first']}" if count == 1 else told, as_json=as_json)


@command("mam recover pump.seed --channel pump.channel --skip 64")
def recover(
    seed: SeedPath,
    channel: Annotated[Path, typer.Option("--channel", metavar="FILE", help="The writer's file to make.")],
    skip: Annotated[
        int, typer.Option(min=0, metavar="COUNT", help="Indexes to leave out for messages that may still come.")
    ] = 0,
    unwritten: Annotated[
        bool, typer.Option("--unwritten", help="Nothing was ever written: begin with message 0.")
    ] = False,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Messages that were signed and never reached a node are lost; those on their way may still come. Where that
    is possible, leave some indexes out with --skip: readers then see a gap instead of a fork. A node that holds
    nothing of the channel proves nothing: the writer's file is then made only with --unwritten.
    """
    _check_free(channel)
    owned = _channel_of(seed)
    with progress("reading the channel", as_json=as_json):
        found = run_async(_recover(node, owned, skip))
    if not found.position.index and not unwritten:
        raise NothingRead(
            f"the node holds no message of this {owned.mode.name.lower()} channel of height {owned.height};"
            " a writer that begins again would sign what was signed before; ask another node, or say --unwritten"
        )
    with format_errors():
        ChannelBook.create(channel, owned, found.position).close()
    counts = dict(sorted(found.counts.items()))
    result: Json = {"channel": str(channel), "index": found.position.index, "events": counts} | _access_json(owned)
    result["gaps"] = [{"first": gap.first, "last": gap.last} for gap in found.gaps]
    result["forks"] = [
        {"index": one.index, "blockIds": [to_hex(one.first), to_hex(one.second)]} for one in found.forks
    ]
    missing = ", ".join(f"{gap.first} to {gap.last}" for gap in found.gaps) or None
    forked = ", ".join(str(fork.index) for fork in found.forks) or None
    rows = [("channel", channel), ("messages", counts.get("message", 0)), ("next", found.position.index)]
    show_done(result, facts([*rows, ("missing", missing), ("forked", forked)]), as_json=as_json)


def _check_free(channel: Path) -> None:
    """Raise ChannelExists if anything has this name."""
    if channel.exists():
        raise ChannelExists(channel)


def _channel_of(path: Path) -> Channel:
    fields = files.read(path, files.SEED)
    try:
        with format_errors():
            mode, height = Mode.named(fields.text("mode")), fields.integer("height", 16)
            return Owned(files.data_of(path, fields, "seed", 32), mode, height)
    except (ProtocolError, InvalidValue) as error:
        raise FileUnreadable(path, str(error)) from None


def _access_json(channel: Channel, position: Position | None = None) -> Json:
    access = channel.access(position)
    json: Json = {
        "mode": channel.mode.name.lower(),
        "height": channel.height,
        "address": to_hex(access.address),
        "root": to_hex(access.root),
        "writer": to_hex(channel.writer),
    }
    return json if access.side_key is None else {**json, "sideKey": to_hex(access.side_key)}


def _access_rows(channel: Channel) -> list[tuple[str, object]]:
    access = channel.access()
    who = {
        "public": "everybody who sees the address can read",
        "private": "who has the root can read; keep it among readers",
        "restricted": "who has root and side key can read; `tangle mam grant` invites",
    }
    mode = channel.mode.name.lower()
    return [
        ("mode", f"{mode}: {who[mode]}"),
        ("address", to_hex(access.address)),
        ("root", to_hex(access.root)),
        ("writer", to_hex(channel.writer)),
        ("side key", None if access.side_key is None else to_hex(access.side_key)),
    ]


def _source(
    text: str | None, file: Path | None, csv: Path | None, rows: Callable[[Path], list[bytes]]
) -> AsyncIterator[list[bytes]]:
    """The bodies to publish, some at a time; all but lines are read and checked here."""
    if text is not None:
        return batches([text.encode()])
    if file is not None:
        return batches([file_body(file)])
    if csv is not None:
        return batches(rows(csv))
    if sys.stdin.isatty():
        raise typer.BadParameter("give TEXT, --file or --csv, or lines on standard input")
    return line_batches()


async def _publish(
    url: str, path: Path, source: AsyncIterator[list[bytes]], worker: Worker, patience_s: float, tell: Tell
) -> Json:
    async with NodeClient(url) as node, publisher_of(node, path, worker) as publisher:
        first = (await publisher.position()).index
        sent: list[Published] = []
        async for batch in source:
            sent = await _patiently(publisher, partial(publisher.publish_many, batch), patience_s, tell)
            tell(f"{sent[-1].index + 1 - first if sent else 0} messages published")
        last = (await publisher.position()).index - 1
    result: Json = {"channel": str(path), "messages": last + 1 - first}
    if last >= first:
        result |= {"first": first, "last": last}
    if last == first and len(sent) == 1:
        result["blockIds"] = [to_hex(block_id) for block_id in sent[0].block_ids]
    return result


async def _send_waiting(url: str, path: Path, worker: Worker, patience_s: float, tell: Tell) -> Json:
    async with NodeClient(url) as node, publisher_of(node, path, worker) as publisher:
        sent = await _patiently(publisher, publisher.resume, patience_s, tell)
    json: Json = {"channel": str(path), "messages": len(sent)}
    return json | ({"first": sent[0].index, "last": sent[-1].index} if sent else {})


async def _patiently(
    publisher: Publisher, call: Callable[[], Awaitable[list[Published]]], patience_s: float, tell: Tell
) -> list[Published]:
    """What was published; while the node is away what waits is sent again. Raises NotYetPublished."""
    deadline, pause = time.monotonic() + patience_s, RETRY_S[0]
    while True:
        try:
            return await call()
        except NotYetPublished as error:
            if time.monotonic() + pause > deadline:
                raise
            tell(f"waiting for the node: {error.why}")
        call = publisher.resume
        await asyncio.sleep(pause)
        pause = min(2 * pause, RETRY_S[1])


async def _recover(url: str, channel: Channel, skip: int) -> Recovered:
    async with NodeClient(url) as node:
        return await found_by(node, channel, skip=skip)
