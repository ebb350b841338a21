"""An invitation: what a newcomer needs to read a channel from some message on, signed by its writer.

    statement  = version | mode | index | root | [side key] | network | recipient | writer
    invitation = statement | height | public key | path | signature of the message's key | signature of the writer

Two keys sign. That of the message to come, with its path, proves that whoever invites holds the seed of the
channel of this root. The writer's key is the same in all invitations to a channel, and tells who invites.
Recipient and network are signed too: nobody can pass the invitation on as one for somebody else, or to a copy of
the channel on another network.

Invitations of format 2 are not signed; `writer` is None then.

Source: docs/mam.md, "Invitations".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from nacl.bindings import crypto_sign

from tangle.mam.access import SIDE_KEY_BYTES, Access, Mode
from tangle.mam.boxes import SUBSCRIBER_KEY_BYTES, open_box, public_key_of
from tangle.mam.errors import ArgumentInvalid, ForgedSignature, InvitationForged
from tangle.mam.hashes import HASH_BYTES, INVITE, VERSIONS, blake, uint
from tangle.mam.message import (
    INDEX_MAX,
    NETWORK_MAX,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    VERSION,
    check_signature,
)
from tangle.mam.tree import HEIGHT_MAX, Tree, path_of, root_of

_FIXED_BYTES = 1 + 1 + 8 + HASH_BYTES
_NETWORK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Invitation:
    """The way into a tree, and the first message to expect there.

    Attributes
    ----------
    access : mode, root and side key
    start : index of that message
    network : id of the network on which the channel is written; 0 where it names none
    writer : 32 bytes, the key of the writer who signed it; None where nobody did
    """

    access: Access
    start: int
    network: int = 0
    writer: bytes | None = field(default=None)

    def encode(self, version: int = VERSIONS[0]) -> bytes:
        """The way in and the place, without a signature; a secret unless the channel is public."""
        head = bytes((version, self.access.mode)) + uint(self.start, 8)
        return head + self.access.root + (self.access.side_key or b"")

    def signed(self, recipient: bytes, height: int, tree: Tree, writer: tuple[bytes, bytes]) -> bytes:
        """The invitation for one X25519 public key, signed.

        Parameters
        ----------
        height, tree : of `start`
        writer : public and secret key
        """
        named = uint(self.network, _NETWORK_BYTES) + recipient + writer[0]
        leaf = self.start & ((1 << height) - 1)
        public_key, secret_key = tree.pair(leaf)
        proof = b"".join((bytes((height,)), public_key, *tree.path(leaf)))
        content = self.encode(VERSION) + named + proof
        hashed = blake(INVITE, content)
        signatures = (crypto_sign(hashed, key)[:SIGNATURE_BYTES] for key in (secret_key, writer[1]))
        return content + b"".join(signatures)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read an invitation that nobody signed. Raises ArgumentInvalid."""
        if data[:1] != bytes((VERSIONS[0],)):
            raise ArgumentInvalid("invitation", "is of another version, mode or size")
        invitation, rest = cls._begun(data)
        if rest:
            raise ArgumentInvalid("invitation", f"has {len(data)} bytes, not what its mode needs")
        return invitation

    @classmethod
    def open(cls, private_key: bytes, box: bytes) -> Self:
        """Open an invitation sealed for a subscriber.

        Raises
        ------
        BoxInvalid, ArgumentInvalid
        InvitationForged : it is for another reader, or not signed by the writer of its channel
        """
        data = open_box(private_key, box)
        if data[:1] != bytes((VERSION,)):
            return cls.decode(data)
        invitation, rest = cls._begun(data)
        return invitation._proven(data, rest, public_key_of(private_key))

    @classmethod
    def _begun(cls, data: bytes) -> tuple[Self, bytes]:
        """Way in and place, and the bytes behind them."""
        if len(data) < _FIXED_BYTES or data[1] not in tuple(Mode):
            raise ArgumentInvalid("invitation", "is of another version, mode or size")
        mode = Mode(data[1])
        end = _FIXED_BYTES + SIDE_KEY_BYTES * (mode is Mode.RESTRICTED)
        if len(data) < end:
            raise ArgumentInvalid("invitation", f"has {len(data)} bytes, not what its mode needs")
        start = int.from_bytes(data[2:10], "little")
        if start > INDEX_MAX:
            raise ArgumentInvalid("invitation", f"starts at {start}, at most {INDEX_MAX} is allowed")
        return cls(Access(mode, data[10:_FIXED_BYTES], data[_FIXED_BYTES:end] or None), start), data[end:]

    def _proven(self, data: bytes, rest: bytes, reader: bytes) -> Self:
        """The same with who signed it, and for which network. Raises InvitationForged."""
        recipient_end = _NETWORK_BYTES + SUBSCRIBER_KEY_BYTES
        writer_end = recipient_end + PUBLIC_KEY_BYTES
        height = rest[writer_end] if len(rest) > writer_end else HEIGHT_MAX + 1
        key_end = writer_end + 1 + PUBLIC_KEY_BYTES
        path_end = key_end + HASH_BYTES * height
        if height > HEIGHT_MAX or len(rest) != path_end + 2 * SIGNATURE_BYTES:
            raise ArgumentInvalid("invitation", f"has {len(data)} bytes, not what its mode and height need")
        network, writer = int.from_bytes(rest[:_NETWORK_BYTES], "little"), rest[recipient_end:writer_end]
        if rest[_NETWORK_BYTES:recipient_end] != reader:
            raise InvitationForged("it was written for another reader and passed on")
        key, path = rest[writer_end + 1 : key_end], path_of(rest[key_end:path_end])
        if root_of(VERSION, self.access.mode, height, self.start, key, path) != self.access.root:
            raise InvitationForged("its key and path do not lead to the root of the channel")
        hashed = blake(INVITE, data[: -2 * SIGNATURE_BYTES])
        try:
            check_signature(data[-2 * SIGNATURE_BYTES : -SIGNATURE_BYTES], hashed, key)
            check_signature(data[-SIGNATURE_BYTES:], hashed, writer)
        except ForgedSignature:
            raise InvitationForged("it is not signed by the writer of the channel") from None
        assert network <= NETWORK_MAX
        return type(self)(self.access, self.start, network, writer)
