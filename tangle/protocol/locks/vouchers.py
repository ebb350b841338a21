"""Vouchers and co-signatures: what is signed outside of unlocks, and by whom it may be shown.

A voucher allows its bearer to take up to `cumulative` of one output of one network. It has no nonce and no state
but that number: the highest one counts. What is signed is short enough for a microcontroller.

A co-signature is made before the witness is complete, so it covers the transaction up to its outputs and leaves
the payload out.
"""

from __future__ import annotations

import hashlib

from tangle.protocol.serial import uint
from tangle.protocol.signatures import sign

VOUCHER_DOMAIN = b"tangle voucher 1\n"
CO_SIGNATURE_DOMAIN = b"tangle locksig1"
NO_PAYLOAD = bytes(4)
"""the length of a payload that is not there"""


def voucher_message(network_id: int, output_id: bytes, cumulative: int) -> bytes:
    """The 67 bytes that are signed for `cumulative` of output `output_id` (34 bytes)."""
    return b"".join((VOUCHER_DOMAIN, uint(network_id, 8), output_id, uint(cumulative, 8)))


def sign_voucher(seed: bytes, network_id: int, output_id: bytes, cumulative: int) -> bytes:
    """Signature of 64 bytes by the key of a 32-byte seed."""
    return sign(seed, voucher_message(network_id, output_id, cumulative))


def co_signed(bare: bytes) -> bytes:
    """What a co-signature signs, 32 bytes, given the essence up to and with its outputs."""
    return hashlib.blake2b(bare + NO_PAYLOAD, digest_size=32, person=CO_SIGNATURE_DOMAIN).digest()
