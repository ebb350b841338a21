"""A second decoder of format version 2, written from docs/mam.md alone: it knows hashlib and libsodium, nothing of
ours.

It is slow, raises AssertionError at whatever breaks a rule of the page, and reads parts in the order of the
writer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import nacl.bindings as sodium
import nacl.exceptions
import nacl.public
import nacl.signing

MODES = {"public": 0, "private": 1, "restricted": 2}


def h(person: str, data: bytes, key: bytes = b"", size: int = 32) -> bytes:
    padded = person.encode("ascii").ljust(16, b"\0")
    return hashlib.blake2b(data, digest_size=size, key=key, person=padded).digest()


def u8(value: int) -> bytes:
    return value.to_bytes(1, "little")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def root_from_seed(seed: bytes, mode: int, height: int, tree: int) -> bytes:
    """The root of a tree, as its writer computes it."""
    nodes = []
    for n in range(tree * 2**height, (tree + 1) * 2**height):
        key_seed = h("mam2 key", u8(mode) + u8(height) + u64(n), key=seed)
        nodes.append(h("mam2 leaf", bytes(nacl.signing.SigningKey(key_seed).verify_key)))
    while len(nodes) > 1:
        nodes = [h("mam2 node", nodes[k] + nodes[k + 1]) for k in range(0, len(nodes), 2)]
    return h("mam2 root", u8(mode) + u8(height) + u64(tree) + nodes[0])


def side_key_from_seed(seed: bytes, mode: int, height: int, rekeyed_at: int | None) -> bytes:
    place = b"" if rekeyed_at is None else u64(rekeyed_at)
    return h("mam2 side key", u8(mode) + u8(height) + place, key=seed)


def address_of(mode: int, root: bytes, side_key: bytes) -> bytes:
    return root if mode == MODES["public"] else h("mam2 address", u8(mode) + root, key=side_key)


@dataclass
class Plain:
    """The fields of a part."""

    kind: int
    height: int
    index: int
    part: int
    parts: int
    next_root: bytes
    digest: bytes
    piece: bytes


def decode_part(mode: int, root: bytes, side_key: bytes, data: bytes) -> Plain:
    """Undo and check one part that lay under the right address."""
    assert len(data) <= 32_256
    assert data[0] == 2
    keys = h("mam2 mask", u8(mode) + root, key=side_key, size=64)
    nonce = data[1:25]
    plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(data[25:], data[:1], nonce, keys[:32])
    assert h("mam2 nonce", plain, key=keys[32:], size=24) == nonce
    content, signature = plain[:-64], plain[-64:]
    assert content[0] == mode
    kind, height = content[1], content[2]
    index = int.from_bytes(content[3:11], "little")
    part, parts = int.from_bytes(content[11:13], "little"), int.from_bytes(content[13:15], "little")
    assert kind in (0, 1)
    assert height <= 16
    assert part < parts
    key, rest = content[15:47], content[47:]
    check_path(mode, root, height, index, key, rest[: 32 * height])
    rest = rest[32 * height :]
    next_root, rest = rest[:32], rest[32:]
    digest, piece = (rest[:32], rest[32:]) if parts > 1 else (b"", rest)
    if parts > 1:
        full = 32_256 - 216 - 32 * height
        if part < parts - 1:
            assert len(piece) == full
            assert (parts - 1) * full < 16_777_216
        else:
            assert 32_256 - 184 - 32 * height < (parts - 1) * full + len(piece) <= 16_777_216
    address = address_of(mode, root, side_key)
    nacl.signing.VerifyKey(key).verify(h("mam2 sign", root + address + content), signature)
    return Plain(kind, height, index, part, parts, next_root, digest, piece)


def check_path(mode: int, root: bytes, height: int, index: int, key: bytes, path: bytes) -> None:
    node = h("mam2 leaf", key)
    for depth in range(height):
        sibling = path[32 * depth : 32 * (depth + 1)]
        on_the_left = (index >> depth) % 2 == 1
        node = h("mam2 node", sibling + node if on_the_left else node + sibling)
    assert root == h("mam2 root", u8(mode) + u8(height) + u64(index // 2**height) + node)


def new_side_key(private_key: bytes, body: bytes) -> bytes | None:
    for start in range(0, len(body), 80):
        try:
            return nacl.public.SealedBox(nacl.public.PrivateKey(private_key)).decrypt(body[start : start + 80])
        except nacl.exceptions.CryptoError:
            pass
    return None


def read_channel(
    mode_name: str, root: bytes, side_key: bytes, private_key: bytes, blocks: list[tuple[bytes, bytes]]
) -> list[dict[str, Any]]:
    """The messages in blocks (address, data) in the writer's order, until this reader is shut out."""
    mode, messages = MODES[mode_name], []
    pieces: list[bytes] = []
    for address, data in blocks:
        assert address == address_of(mode, root, side_key)
        plain = decode_part(mode, root, side_key, data)
        assert plain.part == len(pieces)
        pieces.append(plain.piece)
        if len(pieces) < plain.parts:
            continue
        body, pieces = b"".join(pieces), []
        assert plain.parts == 1 or plain.digest == h("mam2 body", body)
        messages.append({"index": plain.index, "kind": plain.kind, "body": body, "parts": plain.parts})
        if plain.kind == 1:
            side_key = new_side_key(private_key, body) or b""
            if not side_key:
                break
        if (plain.index + 1) % 2**plain.height == 0:
            root = plain.next_root
    return messages
