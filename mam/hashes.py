"""The one hash of the format, BLAKE2b (RFC 7693), with a personalisation per use.

A personalisation makes each use a hash function of its own: a leaf can never pass for an inner node, nor an
address for a key. All are listed here, so that no two uses share one.
"""

from __future__ import annotations

import hashlib

HASH_BYTES = 32
"""bytes of a root, an address, a node and a digest"""

VERSIONS = (2, 3)
"""of the format that are read; the last one is written, and each channel is of one"""
KEY = {2: b"mam2 key", 3: b"mam3 key"}
"""seed -> the seed of a message's signing key; by version, as all that tells versions apart"""
LEAF = b"mam2 leaf"
"""public key -> leaf"""
NODE = b"mam2 node"
"""two nodes -> the node above"""
ROOT = {2: b"mam2 root", 3: b"mam3 root"}
"""mode, height, tree number and top node -> root"""
ADDRESS = b"mam2 address"
"""root (and side key) -> address"""
MASK = b"mam2 mask"
"""root (and side key) -> masking key and nonce key"""
NONCE = b"mam2 nonce"
"""content -> nonce"""
SIGN = {2: b"mam2 sign", 3: b"mam3 sign"}
"""root, address and content -> what is signed"""
BODY = b"mam2 body"
"""body -> digest that joins its parts"""
SIDE_KEY = {2: b"mam2 side key", 3: b"mam3 side key"}
"""seed -> side key"""
COMMIT = b"mam3 commit"
"""index and side key -> what a rekey message commits to"""
WRITER = b"mam3 writer"
"""seed -> the seed of the key that signs invitations"""
INVITE = b"mam3 invite"
"""invitation -> what is signed of it"""
BOX = b"mam2 box"
"""seed, recipient and content -> ephemeral key of a sealed box"""


def blake(person: bytes, data: bytes, *, key: bytes = b"", size: int = HASH_BYTES) -> bytes:
    """BLAKE2b of `size` bytes, personalised and, with a key of at most 64 bytes, keyed."""
    return hashlib.blake2b(data, digest_size=size, key=key, person=person).digest()


def uint(value: int, size: int) -> bytes:
    """An unsigned integer in `size` bytes, little-endian like all integers of the format."""
    return value.to_bytes(size, "little")
