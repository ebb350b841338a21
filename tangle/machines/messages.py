"""Messages of pay-on-production: those of `tangle.parties.messages` under its own domain."""

from __future__ import annotations

from typing import Any

from tangle.parties import messages
from tangle.parties.messages import SignedMessage
from tangle.protocol.keys import KeyPair

DOMAIN = b"pay-on-production/1\n"


def seal(body: dict[str, Any], key: KeyPair) -> bytes:
    """The bytes of a message that says `body`, signed with `key`."""
    return messages.seal(body, key, DOMAIN)


def salt_with_work(body: dict[str, Any], name: str, key: KeyPair, bits: int) -> bytes:
    """16 bytes for the member `name` of `body` with which its message shows so much work."""
    return messages.salt_with_work(body, name, key.public_key, DOMAIN, bits)


def unseal(data: bytes) -> SignedMessage:
    """Read and verify a message. Raises MessageRefused."""
    return messages.unseal(data, DOMAIN)
