"""What parties tell each other: signed JSON in tagged-data blocks.

Anyone can post a block under any tag, so a message proves by itself who sent it: it carries a public key and an
Ed25519 signature over its body in canonical form (keys sorted, no spaces). What is signed begins with the name of
the parties' protocol, its domain, so that no other protocol's signature can be taken for it. The Tangle keeps it;
whoever reads the tag later can check it again.

A message's id is the BLAKE2b-256 hash of the signed bytes and the key. It does not depend on the block, so
a message that was posted twice, because its sender was killed before it could note the first time, is still
one message.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from tangle.parties.errors import MessageRefused
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import Fields, blake2b_256, to_hex
from tangle.protocol.signatures import sign, verify

MESSAGE_BYTES_MAX = 16_384
"""bytes; far above what messages of parties need"""
SALT_BYTES = 16
"""bytes that make a message unlike any other"""
_COUNTED_DIGITS = 16
"""hexadecimal digits of a salt that are tried; the others are drawn once"""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message whose signature has been verified.

    Attributes
    ----------
    data : the message as posted
    kind : what it says, such as ``order``
    body : its members
    public_key : of the sender, 32 bytes
    id : 32 bytes
    """

    data: bytes
    kind: str
    body: Fields
    public_key: bytes
    id: bytes

    @property
    def sender(self) -> Ed25519Address:
        """The address of the sender's key."""
        return Ed25519Address.from_public_key(self.public_key)


def seal(body: dict[str, Any], key: KeyPair, domain: bytes) -> bytes:
    """The bytes of a message that says `body`, signed with `key`."""
    signed = domain + _canonical(body)
    envelope = {
        "body": body,
        "publicKey": to_hex(key.public_key),
        "signature": to_hex(sign(key.seed, signed)),
    }
    return _canonical(envelope)


def unseal(data: bytes, domain: bytes) -> SignedMessage:
    """Read and verify a message. Raises MessageRefused."""
    if len(data) > MESSAGE_BYTES_MAX:
        raise MessageRefused(f"{len(data)} bytes are more than a message holds")
    try:
        envelope = Fields(json.loads(data))
        body = envelope.nested("body", lambda fields: fields)
        public_key = envelope.data("publicKey", size=32)
        signature = envelope.data("signature", size=64)
        signed = domain + _canonical(body.members)
        kind = body.text("kind")
    except (ValueError, RecursionError, ProtocolError) as error:
        raise MessageRefused(f"no message: {error}") from None
    if not verify(public_key, signature, signed):
        raise MessageRefused("the signature does not verify")
    return SignedMessage(data, kind, body, public_key, blake2b_256(public_key + signed))


def work_of(message_id: bytes) -> int:
    """The work that a message shows: the zero bits with which its id begins."""
    return 8 * len(message_id) - int.from_bytes(message_id, "big").bit_length()


def salt_with_work(body: dict[str, Any], name: str, public_key: bytes, domain: bytes, bits: int) -> bytes:
    """A random salt with which the message that says `body` shows so much work; takes 2^`bits` hashes on average.

    Parameters
    ----------
    name : member of `body` that will hold the salt
    public_key : of the sender, 32 bytes
    """
    drawn = secrets.token_hex(SALT_BYTES)
    whole = public_key + domain + _canonical({**body, name: f"0x{drawn}"})
    before, _, behind = whole.partition(drawn.encode())
    fixed = drawn[: 2 * SALT_BYTES - _COUNTED_DIGITS]
    begun = hashlib.blake2b(before + fixed.encode(), digest_size=32)
    number = 0
    while True:
        digits = f"{number:0{_COUNTED_DIGITS}x}"
        hashed = begun.copy()
        hashed.update(digits.encode() + behind)
        if work_of(hashed.digest()) >= bits:
            return bytes.fromhex(fixed + digits)
        number += 1


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
