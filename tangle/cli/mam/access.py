"""`tangle mam key|grant|revoke`: who can read a restricted channel."""

from __future__ import annotations

from os import urandom
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.errors import InvalidValue
from tangle.cli.group import command
from tangle.cli.mam import files
from tangle.cli.mam.session import ChannelPath, ProofOfWork, format_errors, key_of, private_key_of, publisher_of
from tangle.cli.options import NODE_URL, AsJson, NodeUrl
from tangle.cli.output import show_done
from tangle.cli.session import Worker, run_async
from tangle.client.channels.errors import NotYetPublished
from tangle.client.node.rest import NodeClient
from tangle.mam import Mode, public_key_of
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.live import progress
from tangle.terminal.text import facts

KeyFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where the private half is kept.")]
PublicKey = Annotated[str, typer.Argument(metavar="PUBLIC_KEY", help="What `tangle mam key` showed the reader.")]


@command("mam key my.key")
def key(file: KeyFile, as_json: AsJson = False) -> None:
    if not file.exists():
        files.write_new(file, files.KEY, {"privateKey": to_hex(urandom(32))})
    private_key = private_key_of(file)
    assert private_key is not None
    public_key = to_hex(public_key_of(private_key))
    show_done({"key": str(file), "publicKey": public_key}, public_key, as_json=as_json)


@command(f"mam grant pump.channel 0x{32 * '5a'} --out customer.invitation")
def grant(
    channel: ChannelPath,
    public_key: PublicKey,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the invitation.")],
    worker: ProofOfWork = Worker.AUTO,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """In a restricted channel everybody who may read gets a new side key with it, so nothing earlier is opened. In
    a private channel the invitation opens the current tree, which may have begun a little earlier. The invitation
    is signed: tell the reader the key in a way of its own, and --writer of `follow` takes no other.
    """
    reader = key_of(public_key, "PUBLIC_KEY")
    if out.exists():
        raise InvalidValue("--out", f"{out} is there already, and is never overwritten")

    async def invite() -> tuple[int, bytes]:
        async with NodeClient(node) as client, publisher_of(client, channel, worker) as publisher:
            mode, failure = publisher.channel.mode, None
            if mode is Mode.PUBLIC:
                raise InvalidValue("CHANNEL", "is public: everybody can read it, nobody needs an invitation")
            try:
                box = await (publisher.grant if mode is Mode.RESTRICTED else publisher.invite)(reader)
            except NotYetPublished as error:
                # The new side key is signed and will go out, and then the invitation is good.
                box, failure = await publisher.invite(reader), error
            files.write_new(out, files.INVITATION, {"box": to_hex(box)})
            if failure is not None:
                raise failure
            return (await publisher.position()).index, publisher.channel.writer

    with progress("telling the readers", as_json=as_json), format_errors():
        index, writer = run_async(invite())
    signed = to_hex(writer)
    result: Json = {"invitation": str(out), "publicKey": to_hex(reader), "index": index, "writer": signed}
    rows = [("invitation", out), ("reads from", f"message {index}"), ("signed by", signed)]
    show_done(result, facts(rows), as_json=as_json)


@command(f"mam revoke pump.channel 0x{32 * '5a'}")
def revoke(
    channel: ChannelPath,
    public_key: PublicKey,
    worker: ProofOfWork = Worker.AUTO,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    reader = key_of(public_key, "PUBLIC_KEY")

    async def shut_out() -> tuple[int, int]:
        async with NodeClient(node) as client, publisher_of(client, channel, worker) as publisher:
            await publisher.revoke(reader)
            return (await publisher.position()).index, len(await publisher.subscribers())

    with progress("telling the readers", as_json=as_json), format_errors():
        index, left = run_async(shut_out())
    result: Json = {"publicKey": to_hex(reader), "index": index, "readers": left}
    show_done(result, facts([("shut out from", f"message {index}"), ("readers left", left)]), as_json=as_json)
