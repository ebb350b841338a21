"""A channel as its writer has it: a seed, and from it every key, root, address and message.

The seed is all there is to keep. Signing keys, trees and all side keys but a chosen first one follow from it, so
a writer that lost everything else recomputes its addresses, looks at what lies there, and goes on. Where the
writer stands is a `Position` of two numbers; keeping it is the caller's part, and so is never signing two bodies
with one index.

Source: docs/mam.md, "Keys and trees", "Rekey messages".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from os import urandom
from typing import Self

from nacl.bindings import crypto_sign_seed_keypair

from tangle.mam.access import Access, Mode, check_bytes, check_side_key
from tangle.mam.boxes import SUBSCRIBER_KEY_BYTES, committed, rekey_body, seal_box
from tangle.mam.errors import ArgumentInvalid, ChannelExhausted
from tangle.mam.hashes import SIDE_KEY, VERSIONS, WRITER, blake, uint
from tangle.mam.invitation import Invitation
from tangle.mam.message import INDEX_MAX, NETWORK_MAX, VERSION, MessageKind, seal
from tangle.mam.reader import Reader
from tangle.mam.tree import HEIGHT_MAX, Tree

SEED_BYTES = 32
"""bytes"""
HEIGHT = 6
"""default: 64 messages under one address, in paths of 192 bytes"""
_TREES_KEPT = 3


@dataclass(frozen=True, slots=True)
class Position:
    """Where a writer stands.

    Attributes
    ----------
    index : of the message to write next
    rekeyed_at : index of the last rekey message, None before the first
    """

    index: int = 0
    rekeyed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message ready to be published.

    Attributes
    ----------
    index : its number in the channel
    address : 32 bytes, the tag to publish it under
    parts : the data of one block each, in order
    following : where the writer stands once it is published
    """

    index: int
    address: bytes
    parts: list[bytes] = field(repr=False)
    following: Position


class Channel:
    """The secret side of a channel.

    Parameters
    ----------
    seed : 32 bytes; channels of other modes or heights from the same seed share no key
    mode : public, private or restricted
    height : of the Merkle trees: 2^height messages lie under one address, each 32 bytes longer per unit
    side_key : 32 bytes, the first of a restricted channel; derived from the seed if none is given
    network : id of the network that its messages are for, as `ProtocolParameters.network_id`; 0 names none, and
        then somebody can publish them on another one unnoticed
    version : of the format; 2 for a channel that began in it

    Attributes
    ----------
    network : may be set as long as nothing is written

    Raises
    ------
    ArgumentInvalid
    """

    def __init__(
        self,
        seed: bytes,
        mode: Mode = Mode.PUBLIC,
        height: int = HEIGHT,
        side_key: bytes | None = None,
        *,
        network: int = 0,
        version: int = VERSION,
    ) -> None:
        check_bytes("seed", seed, SEED_BYTES)
        if not 0 <= height <= HEIGHT_MAX:
            raise ArgumentInvalid("height", f"is {height}, 0 to {HEIGHT_MAX} are allowed")
        if not 0 <= network <= NETWORK_MAX:
            raise ArgumentInvalid("network", f"is {network}, an id has 64 bits")
        if version not in VERSIONS:
            raise ArgumentInvalid("version", f"is {version}; there are {VERSIONS}")
        self.seed = seed
        self.mode = mode
        self.height = height
        self.network = network
        self.version = version
        if mode is Mode.RESTRICTED and side_key is None:
            side_key = self._derived_side_key(b"")
        check_side_key(mode, side_key)
        self.first_side_key = side_key
        self._trees: dict[int, Tree] = {}

    @classmethod
    def create(
        cls, mode: str = "public", height: int = HEIGHT, side_key: bytes | None = None, *, network: int = 0
    ) -> Self:
        """A channel with a new seed from the operating system. Raises ArgumentInvalid."""
        return cls(urandom(SEED_BYTES), Mode.named(mode), height, side_key, network=network)

    def __repr__(self) -> str:
        return f"Channel({self.mode.name.lower()}, height={self.height})"

    @property
    def writer(self) -> bytes:
        """The public key, 32 bytes, that signs invitations: by it a reader knows the writer again."""
        return self._writer_pair()[0]

    def root(self, index: int = 0) -> bytes:
        """The root, 32 bytes, of the tree that signs message `index`."""
        return self._tree(index >> self.height).root

    def side_key(self, rekeyed_at: int | None = None) -> bytes | None:
        """The side key after the rekey message of an index, None for the first; None in other modes."""
        if self.mode is not Mode.RESTRICTED or rekeyed_at is None:
            return self.first_side_key
        return self._derived_side_key(uint(rekeyed_at, 8))

    def access(self, position: Position | None = None) -> Access:
        """The way in from the tree of a position, by default from the beginning."""
        position = position or Position()
        return Access(self.mode, self.root(position.index), self.side_key(position.rekeyed_at))

    def write(self, body: bytes, position: Position) -> Sealed:
        """The message with `body` at a position. Raises BodyTooLong, ChannelExhausted."""
        return self._seal(MessageKind.DATA, body, position, position.rekeyed_at)

    def rekey(self, recipients: Iterable[bytes], position: Position) -> Sealed:
        """The message that hands a new side key to `recipients`; nobody else reads what follows it.

        Parameters
        ----------
        recipients : X25519 public keys, 32 bytes each; none shuts everybody out

        Raises
        ------
        ArgumentInvalid : the channel is not restricted, or a key is none
        BodyTooLong, ChannelExhausted
        """
        if self.mode is not Mode.RESTRICTED:
            raise ArgumentInvalid("mode", "only a restricted channel has a side key to change")
        side_key = self._derived_side_key(uint(position.index, 8))
        body = rekey_body(self.seed, recipients, side_key)
        if self.version > VERSIONS[0]:
            body = committed(position.index, side_key) + body
        return self._seal(MessageKind.REKEY, body, position, position.index)

    def invite(self, recipient: bytes, position: Position) -> bytes:
        """A sealed invitation to read from a position on, for one X25519 public key. Raises ArgumentInvalid.

        Somebody who knows the side key reads every message of the tree that was written with it. So that nothing
        before the position can be read, it must be the first of its tree or follow a rekey message.
        """
        check_bytes("recipient", recipient, SUBSCRIBER_KEY_BYTES)
        invitation = Invitation(self.access(position), position.index, self.network)
        if self.version == VERSIONS[0]:
            return seal_box(self.seed, recipient, invitation.encode())
        tree = self._tree(position.index >> self.height)
        content = invitation.signed(recipient, self.height, tree, self._writer_pair())
        return seal_box(self.seed, recipient, content)

    def reader(self) -> Reader:
        """A reader of the whole channel with the writer's knowledge: where it ends, the writer stood.

        That is ``Position(reader.index, reader.rekeyed_at)``; with an `index` of None nothing was written yet.
        """
        return Reader(self.access(), None, lambda index, _body: self.side_key(index))

    def _seal(self, kind: MessageKind, body: bytes, position: Position, rekeyed_at: int | None) -> Sealed:
        index = position.index
        if not 0 <= index <= INDEX_MAX - (1 << HEIGHT_MAX):
            raise ChannelExhausted
        number = index >> self.height
        tree, next_root = self._tree(number), self._tree(number + 1).root
        access = Access(self.mode, tree.root, self.side_key(position.rekeyed_at))
        parts = seal(access, tree, self.height, kind, index, next_root, body, self.network)
        return Sealed(index, access.address, parts, Position(index + 1, rekeyed_at))

    def _derived_side_key(self, place: bytes) -> bytes:
        return blake(SIDE_KEY[self.version], bytes((self.mode, self.height)) + place, key=self.seed)

    def _writer_pair(self) -> tuple[bytes, bytes]:
        return crypto_sign_seed_keypair(blake(WRITER, bytes((self.mode, self.height)), key=self.seed))

    def _tree(self, number: int) -> Tree:
        tree = self._trees.get(number)
        if tree is None:
            if len(self._trees) == _TREES_KEPT:
                del self._trees[next(iter(self._trees))]
            tree = self._trees[number] = Tree(self.seed, self.mode, self.height, number, self.version)
        return tree
