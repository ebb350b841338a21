"""What the commands of channels have in common: options, keys, and errors of the format as errors of a command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.errors import InvalidValue
from tangle.cli.mam import files
from tangle.cli.options import finite
from tangle.cli.session import Worker, pow_by
from tangle.client.channels import NodeCarrier, Publisher
from tangle.client.errors import NodeUnreachable
from tangle.client.node.rest import NodeClient
from tangle.mam import Access, ArgumentInvalid, BoxInvalid, Invitation, InvitationForged, MamError, Mode
from tangle.protocol.serial import from_hex, to_hex

ChannelPath = Annotated[Path, typer.Argument(metavar="CHANNEL", help="The writer's file.")]
ProofOfWork = Annotated[Worker, typer.Option("--pow", help="Who does the proof of work.")]
Timeout = Annotated[
    float,
    typer.Option(
        min=0, callback=finite, metavar="SECONDS", help="Seconds to wait at most for a node that is away."
    ),
]
KeyPath = Annotated[
    Path | None,
    typer.Option("--key", envvar="TANGLE_MAM_KEY", metavar="FILE", help="Your key, from `tangle mam key`."),
]
Where = Annotated[
    str | None, typer.Argument(metavar="ROOT|FILE", help="A root as 0x…, or the file of an invitation.")
]
SideKey = Annotated[
    str | None,
    typer.Option(
        "--side-key",
        envvar="TANGLE_SIDE_KEY",
        metavar="0xHEX",
        help="Of a restricted channel; the variable keeps it out of lists of processes.",
    ),
]


WriterOption = Annotated[
    str | None,
    typer.Option("--writer", metavar="0xHEX", help="Take an invitation only if this writer signed it."),
]


class ModeName(StrEnum):
    """How a channel can be read."""

    PUBLIC = "public"
    PRIVATE = "private"
    RESTRICTED = "restricted"


ModeOption = Annotated[
    ModeName | None,
    typer.Option("--mode", help="Of the channel, with ROOT; restricted with a side key, else public."),
]


@contextmanager
def format_errors() -> Iterator[None]:
    """Errors of the format told as what is wrong with an argument. Raises InvalidValue."""
    try:
        yield
    except ArgumentInvalid as error:
        raise InvalidValue(error.field, error.rule) from None
    except MamError as error:
        raise InvalidValue("channel", str(error)) from None


def mode_of(name: ModeName | None) -> Mode | None:
    """The mode of the format."""
    return None if name is None else Mode.named(name.value)


def key_of(text: str, field: str) -> bytes:
    """The 32 bytes that `0x…` names. Raises ProtocolError."""
    return from_hex(text.lower(), field, size=32)


def private_key_of(path: Path | None) -> bytes | None:
    """The subscriber's key in a file. Raises FileUnreadable."""
    return None if path is None else files.data_of(path, files.read(path, files.KEY), "privateKey", 32)


def place_of(
    where: str, mode: ModeName | None, side_key: str | None, private_key: bytes | None, writer: str | None = None
) -> Access | Invitation:
    """Where to begin reading, from a root or an invitation.

    Raises
    ------
    InvalidValue, FileUnreadable, ProtocolError
    """
    if not where.lower().startswith("0x"):
        path = Path(where)
        box = files.data_of(path, files.read(path, files.INVITATION), "box")
        if private_key is None:
            raise InvalidValue("--key", "is needed to open an invitation")
        try:
            invitation = Invitation.open(private_key, box)
        except BoxInvalid:
            raise InvalidValue("--key", "does not open this invitation; it was made for another key") from None
        except InvitationForged as error:
            raise InvalidValue("ROOT|FILE", str(error)) from None
        if writer is not None and key_of(writer, "--writer") != invitation.writer:
            raise InvalidValue("--writer", f"the invitation is signed by {signer_of(invitation)}")
        return invitation
    if writer is not None:
        raise InvalidValue("--writer", "goes with the file of an invitation, which its writer signs")
    given = mode_of(mode)
    if given is None:
        given = Mode.PUBLIC if side_key is None else Mode.RESTRICTED
    with format_errors():
        key = None if side_key is None else key_of(side_key, "--side-key")
        return Access(given, key_of(where, "ROOT"), key)


def signer_of(place: object) -> str | None:
    """Who signed an invitation, for people; None for anything else."""
    if not isinstance(place, Invitation):
        return None
    return "nobody" if place.writer is None else f"writer {to_hex(place.writer)}"


@asynccontextmanager
async def publisher_of(node: NodeClient, path: Path, worker: Worker) -> AsyncIterator[Publisher]:
    """The writer of a channel. Raises NoChannel, ChannelInUse, BookFailed, FileUnreadable."""
    files.refuse_exposed(path)
    try:
        by = await pow_by(node, worker)
    except NodeUnreachable:
        # What is signed now goes out later, and who works for it will be decided then.
        by = "local"
    async with await Publisher.open(path, NodeCarrier(node, pow=by)) as publisher:
        yield publisher
