"""Sealed boxes: how a side key reaches one subscriber and nobody else.

A subscriber owns an X25519 key pair and tells the writer the public half. A rekey message carries one box per
subscriber with the new side key; an invitation is a box with everything a newcomer needs. Boxes do not name whom
they are for, so subscribers do not learn of each other; each tries them all, about 50 µs a box.

The layout is libsodium's sealed box, which anybody can open with it. Only its one-time key is not drawn but
derived from seed, recipient and content: sealing the same once more gives the same bytes, so a rekey message
that is published again after a crash is a repetition, and a writer needs no source of randomness after its seed.

Source: docs/mam.md, "Rekey messages" and "Invitations".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nacl.bindings import crypto_box, crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import CryptoError

from tangle.mam.access import SIDE_KEY_BYTES, check_bytes
from tangle.mam.errors import ArgumentInvalid, BoxInvalid
from tangle.mam.hashes import BOX, COMMIT, blake, uint

SUBSCRIBER_KEY_BYTES = 32
"""bytes of either half of an X25519 key pair"""
BOX_EXTRA_BYTES = 48
"""bytes a box is longer than what is in it: one-time public key and authenticator"""
SIDE_KEY_BOX_BYTES = SIDE_KEY_BYTES + BOX_EXTRA_BYTES
"""bytes of one box of a rekey message"""


def public_key_of(private_key: bytes) -> bytes:
    """The public half, 32 bytes, of a subscriber's private key, which is 32 random bytes."""
    check_bytes("private_key", private_key, SUBSCRIBER_KEY_BYTES)
    return crypto_scalarmult_base(private_key)


def seal_box(seed: bytes, recipient: bytes, content: bytes) -> bytes:
    """A box of `content` for the subscriber with the public key `recipient`. Raises ArgumentInvalid."""
    check_bytes("recipient", recipient, SUBSCRIBER_KEY_BYTES)
    one_time = blake(BOX, recipient + content, key=seed)
    public_key = crypto_scalarmult_base(one_time)
    nonce = blake(b"", public_key + recipient, size=24)
    try:
        return public_key + crypto_box(content, nonce, recipient, one_time)
    except (CryptoError, RuntimeError):
        raise ArgumentInvalid("recipient", "is no usable X25519 public key") from None


def open_box(private_key: bytes, box: bytes) -> bytes:
    """What is in a box. Raises BoxInvalid."""
    public_key = public_key_of(private_key)
    try:
        return crypto_box_seal_open(box, public_key, private_key)
    except (CryptoError, ValueError, TypeError):
        raise BoxInvalid from None


def committed(index: int, side_key: bytes) -> bytes:
    """What the rekey message of an index says, signed and to all, of the side key that it hands out."""
    return blake(COMMIT, uint(index, 8) + side_key)


def rekey_body(seed: bytes, recipients: Iterable[bytes], side_key: bytes) -> bytes:
    """The boxes of a rekey message, one per recipient, sorted, so that their order says nothing."""
    return b"".join(sorted(seal_box(seed, recipient, side_key) for recipient in set(recipients)))


def side_key_for(private_key: bytes, body: bytes) -> bytes | None:
    """The new side key that the body of a rekey message holds for a subscriber; None if it holds none."""
    for start in range(0, len(body) - SIDE_KEY_BOX_BYTES + 1, SIDE_KEY_BOX_BYTES):
        try:
            return open_box(private_key, body[start : start + SIDE_KEY_BOX_BYTES])
        except BoxInvalid:
            continue
    return None


def opener(private_key: bytes) -> Callable[[int, bytes], bytes | None]:
    """What a `Reader` asks for new side keys, on behalf of a subscriber."""
    check_bytes("private_key", private_key, SUBSCRIBER_KEY_BYTES)
    return lambda _index, body: side_key_for(private_key, body)
