"""Masked Authenticated Messaging: channels that a machine writes and whoever was given the way in reads.

    channel, position = Channel.create("restricted"), Position()
    sealed = channel.write(b"3.2 bar", position)         # publish sealed.parts under sealed.address
    reader = Reader(channel.access())
    for event in reader.take(sealed.address, sealed.parts[0]):
        print(event)                                     # Message(index=0, …)

Bytes in, bytes out: this package knows no block, no network and no database, and imports nothing of this
project. The format is version 3, written down byte by byte in docs/mam.md; errors are the tree of
`tangle.mam.errors`.
"""

from tangle.mam.access import Access, Mode
from tangle.mam.boxes import opener, public_key_of
from tangle.mam.channel import HEIGHT, SEED_BYTES, Channel, Position, Sealed
from tangle.mam.errors import (
    ArgumentInvalid,
    BodyTooLong,
    BoxInvalid,
    ChannelExhausted,
    Forged,
    ForgedSignature,
    InvitationForged,
    Junk,
    LayoutInvalid,
    MamError,
    MaskInvalid,
    Misplaced,
    NonceInvalid,
    NotAMessage,
    PathInvalid,
    SideKeyContradicted,
    Unreadable,
    WrittenElsewhere,
    WrongKey,
)
from tangle.mam.events import Event, Fork, Gap, Message, Rejected, Rekeyed, Repeated, Revoked
from tangle.mam.hashes import VERSIONS
from tangle.mam.invitation import Invitation
from tangle.mam.message import BODY_BYTES_MAX, DATA_BYTES_MAX, MessageKind, Part, join, overhead_bytes, unseal
from tangle.mam.reader import Reader
from tangle.mam.tree import HEIGHT_MAX

__all__ = [
    "BODY_BYTES_MAX",
    "DATA_BYTES_MAX",
    "HEIGHT",
    "HEIGHT_MAX",
    "SEED_BYTES",
    "VERSIONS",
    "Access",
    "ArgumentInvalid",
    "BodyTooLong",
    "BoxInvalid",
    "Channel",
    "ChannelExhausted",
    "Event",
    "Forged",
    "ForgedSignature",
    "Fork",
    "Gap",
    "Invitation",
    "InvitationForged",
    "Junk",
    "LayoutInvalid",
    "MamError",
    "MaskInvalid",
    "Message",
    "MessageKind",
    "Misplaced",
    "Mode",
    "NonceInvalid",
    "NotAMessage",
    "Part",
    "PathInvalid",
    "Position",
    "Reader",
    "Rejected",
    "Rekeyed",
    "Repeated",
    "Revoked",
    "Sealed",
    "SideKeyContradicted",
    "Unreadable",
    "WrittenElsewhere",
    "WrongKey",
    "join",
    "opener",
    "overhead_bytes",
    "public_key_of",
    "unseal",
]
