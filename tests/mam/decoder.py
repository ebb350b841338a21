"""A second decoder of format versions 3 and 2, written from docs/mam.md alone: it knows hashlib and libsodium, and
nothing of ours.

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


def root_from_seed(seed: bytes, mode: int, height: int, tree: int, version: int = 3) -> bytes:
    """The root of a tree, as its writer computes it."""
    mam = f"mam{version}"
    nodes = []
    for n in range(tree * 2**height, (tree + 1) * 2**height):
        key_seed = h(f"{mam} key", u8(mode) + u8(height) + u64(n), key=seed)
        nodes.append(h("mam2 leaf", bytes(nacl.signing.SigningKey(key_seed).verify_key)))
    while len(nodes) > 1:
        nodes = [h("mam2 node", nodes[k] + nodes[k + 1]) for k in range(0, len(nodes), 2)]
    return h(f"{mam} root", u8(mode) + u8(height) + u64(tree) + nodes[0])


def side_key_from_seed(seed: bytes, mode: int, height: int, rekeyed_at: int | None, version: int = 3) -> bytes:
    place = b"" if rekeyed_at is None else u64(rekeyed_at)
    return h(f"mam{version} side key", u8(mode) + u8(height) + place, key=seed)


def address_of(mode: int, root: bytes, side_key: bytes) -> bytes:
    return root if mode == MODES["public"] else h("mam2 address", u8(mode) + root, key=side_key)


@dataclass
class Plain:
    """The fields of a part."""

    version: int
    network: int
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
    version = data[0]
    assert version in (2, 3)
    mam, head = f"mam{version}", 15 if version == 2 else 23
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
    network = int.from_bytes(content[15:head], "little")
    key, rest = content[head : head + 32], content[head + 32 :]
    check_path(mam, mode, root, height, index, key, rest[: 32 * height])
    rest = rest[32 * height :]
    next_root, rest = rest[:32], rest[32:]
    digest, piece = (rest[:32], rest[32:]) if parts > 1 else (b"", rest)
    if parts > 1:
        full = 32_256 - (201 + head) - 32 * height
        if part < parts - 1:
            assert len(piece) == full
            assert (parts - 1) * full < 16_777_216
        else:
            assert 32_256 - (169 + head) - 32 * height < (parts - 1) * full + len(piece) <= 16_777_216
    address = address_of(mode, root, side_key)
    nacl.signing.VerifyKey(key).verify(h(f"{mam} sign", root + address + content), signature)
    return Plain(version, network, kind, height, index, part, parts, next_root, digest, piece)


def check_path(mam: str, mode: int, root: bytes, height: int, index: int, key: bytes, path: bytes) -> None:
    node = h("mam2 leaf", key)
    for depth in range(height):
        sibling = path[32 * depth : 32 * (depth + 1)]
        on_the_left = (index >> depth) % 2 == 1
        node = h("mam2 node", sibling + node if on_the_left else node + sibling)
    assert root == h(f"{mam} root", u8(mode) + u8(height) + u64(index // 2**height) + node)


def new_side_key(private_key: bytes, index: int, body: bytes, version: int = 3) -> bytes | None:
    commitment, body = (body[:32], body[32:]) if version > 2 else (b"", body)
    found = opened(private_key, body)
    assert found is None or version == 2 or commitment == h("mam3 commit", u64(index) + found)
    return found


def opened(private_key: bytes, body: bytes) -> bytes | None:
    for start in range(0, len(body), 80):
        try:
            return nacl.public.SealedBox(nacl.public.PrivateKey(private_key)).decrypt(body[start : start + 80])
        except nacl.exceptions.CryptoError:
            pass
    return None


def open_invitation(private_key: bytes, box: bytes) -> dict[str, Any]:
    """What an invitation says, and who signed it."""
    key = nacl.public.PrivateKey(private_key)
    data = nacl.public.SealedBox(key).decrypt(box)
    version, mode, rest = data[0], data[1], data[42:]
    side_key, rest = (rest[:32], rest[32:]) if mode == MODES["restricted"] else (b"", rest)
    told = {"start": int.from_bytes(data[2:10], "little"), "root": data[10:42], "sideKey": side_key}
    if version == 2:
        assert not rest
        return told
    assert version == 3
    assert rest[8:40] == bytes(key.public_key)
    writer, height, leaf = rest[40:72], rest[72], rest[73:105]
    path, signatures = rest[105 : 105 + 32 * height], rest[105 + 32 * height :]
    check_path("mam3", mode, data[10:42], height, int.from_bytes(data[2:10], "little"), leaf, path)
    signed = h("mam3 invite", data[:-128])
    for one, signature in ((leaf, signatures[:64]), (writer, signatures[64:])):
        nacl.signing.VerifyKey(one).verify(signed, signature)
    return told | {"network": int.from_bytes(rest[:8], "little"), "writer": writer}


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
            side_key = new_side_key(private_key, plain.index, body, plain.version) or b""
            if not side_key:
                break
        if (plain.index + 1) % 2**plain.height == 0:
            root = plain.next_root
    return messages
