"""`tangle mam follow|export`: the reader's side of a channel."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, closing
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tangle.cli.errors import ChannelBroken, FileUnreadable, FileUnwritable
from tangle.cli.group import command
from tangle.cli.mam import files
from tangle.cli.mam.output import JsonLines, Lines, Raw, Sink, Table
from tangle.cli.mam.session import (
    KeyPath,
    ModeName,
    ModeOption,
    SideKey,
    Timeout,
    Where,
    WriterOption,
    format_errors,
    place_of,
    private_key_of,
    signer_of,
)
from tangle.cli.mam.waits import Outage, Waits, nowhere
from tangle.cli.options import NODE_URL, AsJson, NodeUrl
from tangle.cli.output import show
from tangle.cli.session import WAIT_S, run_async
from tangle.client.channels.bookmark import Bookmark
from tangle.client.channels.errors import AccessRevoked, NothingRead
from tangle.client.channels.proof import Proof, prove
from tangle.client.channels.subscription import Subscription
from tangle.client.node.rest import NodeClient
from tangle.mam import VERSIONS, Access, ArgumentInvalid, Event, Invitation, Message, Revoked
from tangle.protocol.errors import ProtocolError
from tangle.protocol.serial import to_hex
from tangle.terminal.live import progress
from tangle.terminal.text import facts, when

Tell = Callable[[str], None]
SAVE_S = 0.5
"""seconds after which what was read is written down, and with it the bookmark"""
GAP_S = 60.0
"""seconds that a missing message is awaited unless told otherwise"""


@command("mam follow customer.invitation --key my.key --bookmark pump.place --csv pump.csv")
def follow(
    where: Where = None,
    mode: ModeOption = None,
    side_key: SideKey = None,
    key: KeyPath = None,
    writer: WriterOption = None,
    bookmark: Annotated[
        Path | None,
        typer.Option("--bookmark", metavar="FILE", help="Go on where this file says, and keep the place there."),
    ] = None,
    start: Annotated[
        int | None,
        typer.Option("--start", min=0, metavar="INDEX", help="First message wanted of the tree of ROOT."),
    ] = None,
    live: Annotated[bool, typer.Option("--live/--no-live", help="Wait for what comes after the history.")] = True,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="COUNT", help="End after so many messages.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a table; one that is there is continued.")
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option("--parquet", metavar="FILE", help="Write a typed table, which is there when this ends."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Write bodies as they are, a line each.")] = False,
    gap_after: Annotated[
        float,
        typer.Option("--gap-after", min=0, metavar="SECONDS", help="Give a missing message up after so long."),
    ] = GAP_S,
    timeout: Timeout = WAIT_S,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """With --json each event is a line of JSON: messages, gaps, forks, new side keys, and junk with the reason.
    What is waited for is told on standard error. With --no-live, a channel of which nothing was there ends with
    code 12.
    """
    if sum((csv is not None, parquet is not None, raw, as_json)) > 1:
        raise typer.BadParameter("give one of --csv, --parquet, --raw and --json")
    if parquet is not None and bookmark is not None:
        raise typer.BadParameter("--bookmark goes with --csv: a Parquet table is written whole, at the end")
    private_key = private_key_of(key)
    place, begun = _place(where, mode, side_key, private_key, writer, bookmark)

    if not as_json and (signer := signer_of(place)) is not None:
        sys.stderr.write(f"the invitation is signed by {signer}\n")

    async def run(sink: Sink, tell: Tell) -> None:
        outage, waits = Outage(), Waits()
        async with NodeClient(node) as client:
            subscription = Subscription(
                client,
                place,
                start=start,
                private_key=private_key,
                gap_after_s=gap_after,
                give_up_after=timeout,
                on_break=outage.begun,
                on_wait=waits.told,
            )
            events = outage.ending(subscription.events() if live else subscription.history())
            warned = waits.warned(subscription, events)
            await _follow(subscription, warned, sink, (bookmark, begun), limit, tell)
            # What was read before stands in the bookmark; without one, silence verifies nothing.
            if not subscription.has_read and not isinstance(place, Bookmark):
                raise NothingRead(await nowhere(client, subscription.waiting))

    table = csv or parquet
    with progress("reading the channel", as_json=as_json or table is None) as tell, format_errors():
        try:
            with closing(_sink(csv, parquet, raw=raw, as_json=as_json)) as sink:
                run_async(run(sink, tell))
        except BrokenPipeError:
            # Whoever read standard output has gone; Python would complain once more when it closes it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            raise FileUnwritable(
                table or Path("standard output"), error.strerror or "it cannot be written"
            ) from None


@command("mam export customer.invitation --key my.key --out proof.json")
def export(
    where: Where = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the report for programs there, as JSON.")
    ] = None,
    mode: ModeOption = None,
    side_key: SideKey = None,
    key: KeyPath = None,
    writer: WriterOption = None,
    timeout: Timeout = WAIT_S,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """For every message: its blocks, its digest, and the milestone that proves when it was there at the latest.
    The report holds no keys and no bodies. What is missing, forked or not yet referenced ends it with code 12.
    """
    if where is None:
        raise typer.BadParameter("say which channel: ROOT, or the file of an invitation")
    private_key = private_key_of(key)
    place = place_of(where, mode, side_key, private_key, writer)
    if out is not None and out.exists():
        raise FileUnwritable(out, "it is there already, and is never overwritten; name another")

    async def run(tell: Tell) -> Proof:
        async with NodeClient(node) as client:
            subscription = Subscription(
                client, place, private_key=private_key, give_up_after=timeout, prove_blocks=True
            )
            proof = await prove(client, subscription, lambda count: tell(f"{count} messages verified"))
            if not subscription.has_read:
                silence.append(await nowhere(client, subscription.waiting))
            return proof

    silence: list[str] = []
    with progress("reading the channel", as_json=as_json) as tell, format_errors():
        proof = run_async(run(tell))
    signer = signer_of(place)
    report = proof.to_json() | ({} if signer is None else {"invitedBy": signer.removeprefix("writer ")})
    if out is not None:
        try:
            out.write_text(json.dumps(report, indent=2) + "\n")
        except OSError as error:
            raise FileUnwritable(out, error.strerror or "it cannot be written") from None
    show(report, _report(proof, signer), as_json=as_json)
    if silence:
        raise NothingRead(silence[0])
    if not proof.is_complete:
        raise ChannelBroken(_faults(proof))


def _place(
    where: str | None,
    mode: ModeName | None,
    side_key: str | None,
    private_key: bytes | None,
    writer: str | None,
    bookmark: Path | None,
) -> tuple[Access | Bookmark | Invitation, bytes]:
    """Where to begin, the bookmark if there is one and else what is named, and the address begun at.

    Raises
    ------
    FileUnreadable : the bookmark is none, or of another channel than is named
    """
    named = None if where is None else place_of(where, mode, side_key, private_key, writer)
    access = named.access if isinstance(named, Invitation) else named
    if bookmark is not None and bookmark.exists():
        kept = files.read(bookmark, files.BOOKMARK)
        try:
            mark = Bookmark.from_json(kept.members["place"])
            begun = kept.data("begun", size=32) if "begun" in kept else None
        except (ArgumentInvalid, ProtocolError, KeyError) as error:
            raise FileUnreadable(bookmark, str(error)) from None
        if access is not None and begun is not None and begun != access.address:
            raise FileUnreadable(
                bookmark, "it keeps the place in another channel than is named; name another file"
            )
        return mark, begun or (access or mark.access).address
    if named is None or access is None:
        raise typer.BadParameter("say which channel: ROOT, or the file of an invitation, or a --bookmark to go on")
    return named, access.address


def _sink(csv: Path | None, parquet: Path | None, *, raw: bool, as_json: bool) -> Sink:
    if csv is not None:
        return Table(csv)
    if parquet is not None:
        return _parquet_table(parquet)
    if raw:
        return Raw()
    return JsonLines(sys.stdout) if as_json else Lines()


def _parquet_table(path: Path) -> Sink:
    """A typed table. Raises FileUnwritable also where nothing is installed that writes one."""
    try:
        from tangle.cli.mam.parquet import ParquetTable
    except ModuleNotFoundError:
        raise FileUnwritable(path, "pyarrow is not installed (pip install pyarrow); --csv needs nothing") from None
    return ParquetTable(path)


async def _follow(
    subscription: Subscription,
    events: AsyncIterator[Event],
    sink: Sink,
    kept: tuple[Path | None, bytes],
    limit: int | None,
    tell: Tell,
) -> None:
    """Write what comes. The place is kept behind what is written, so a crash repeats some and loses none.

    Parameters
    ----------
    kept : the file of the bookmark, and the address at which the channel was begun
    """
    messages, dirty = 0, False
    bookmark, begun = kept

    def save() -> None:
        nonlocal dirty
        dirty = False
        sink.flush()
        # A place where nothing was read yet would pass for one where something was.
        if bookmark is not None and (subscription.has_read or bookmark.exists()):
            content = {"begun": to_hex(begun), "place": subscription.bookmark.to_json()}
            files.replace(bookmark, files.BOOKMARK, content)

    async def keep() -> None:
        while True:
            await asyncio.sleep(SAVE_S)
            if dirty:
                save()

    keeping = asyncio.create_task(keep())
    try:
        async with aclosing(cast("Any", events)) as ending:
            async for event in ending:
                sink.take(event)
                dirty = True
                messages += isinstance(event, Message)
                tell(f"{messages} messages, {subscription.counts['rejected']} blocks of junk")
                if isinstance(event, Revoked):
                    raise AccessRevoked(event.index)
                if messages == limit:
                    return
                if bookmark is None:
                    sink.flush()
    finally:
        keeping.cancel()
        save()


def _faults(proof: Proof) -> str:
    faults = [] if proof.messages else [f"no message was found among {proof.seen:,} blocks"]
    faults += [f"messages {gap.first} to {gap.last} are missing" for gap in proof.gaps]
    faults += [f"message {fork.index} was signed twice" for fork in proof.forks]
    unreferenced = sum(message.milestone_index is None for message in proof.messages) + len(proof.unreferenced)
    if unreferenced:
        faults.append(f"{unreferenced} messages are not referenced by a milestone yet")
    if proof.rejected["side_key_contradicted"]:
        faults.append("the writer handed this reader another side key than it commits to")
    if proof.revoked_at is not None:
        faults.append(f"access ended with message {proof.revoked_at}")
    return ", ".join(faults)


def _format(proof: Proof) -> str | None:
    """What an older format does not promise."""
    if proof.format is None or proof.format == VERSIONS[-1]:
        return None
    return f"{proof.format}: messages name no network, and new side keys are not committed to"


def _report(proof: Proof, signer: str | None) -> str:
    """The report for people."""
    count = len(proof.messages)
    span = f", number {proof.messages[0].index} to {proof.messages[-1].index}" if count else ""
    times = [message.milestone_time for message in proof.messages if message.milestone_time is not None]
    junk = ", ".join(f"{number} {code}" for code, number in sorted(proof.rejected.items()))
    rows = [
        ("channel", f"{proof.mode}, {to_hex(proof.address)}"),
        ("network", proof.network),
        ("invited by", signer),
        ("messages", f"{count}{span}"),
        ("bytes", f"{sum(message.size for message in proof.messages):,}"),
        ("format", _format(proof)),
        ("side keys", f"changed by {', '.join(map(str, proof.rekeyed))}" if proof.rekeyed else None),
        ("digest", None if proof.digest is None else to_hex(proof.digest)),
        ("milestones", f"{when(min(times))} to {when(max(times))}" if times else None),
        ("repeated", proof.repeated or None),
        ("not its own", junk or None),
        ("verdict", "complete: nothing missing, nothing twice" if proof.is_complete else _faults(proof)),
    ]
    return facts(rows)
