"""The bytes of a message: what is signed, what is masked, and how both are undone.

    data     = version | nonce | masked(content | signature) | tag
    content  = place | public key | path | next root | [digest] | body
    place    = mode | kind | height | index | part | parts | network

A message is as many parts as its body needs, mostly one; each part is the data of one block and stands for
itself: signed, masked and bound to its place. Parts of one message carry the digest of the whole body, so parts
of two bodies are never joined.

The nonce is a keyed hash of everything behind it. So the same message always has the same bytes: publishing it
once more is a repetition and never a fork; nobody but the writer can make a second set of bytes from it; and a
writer that lost its memory and signs two bodies with one index still never masks both with one nonce.

Format 3 names the network and is written; format 2 does not, and is read, and written on where a channel began so.

Source: docs/mam.md, "A message, byte by byte".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_sign,
    crypto_sign_open,
)
from nacl.exceptions import BadSignatureError, CryptoError

from tangle.mam.access import Access, Mode
from tangle.mam.errors import (
    BodyTooLong,
    ForgedSignature,
    LayoutInvalid,
    MaskInvalid,
    Misplaced,
    NonceInvalid,
    NotAMessage,
    PathInvalid,
    WrongKey,
)
from tangle.mam.hashes import BODY, HASH_BYTES, NONCE, SIGN, VERSIONS, blake
from tangle.mam.tree import HEIGHT_MAX, Tree, path_of, root_of

VERSION = VERSIONS[-1]
"""the first byte; 0 and 1 stand for the ternary formats, which never were bytes"""
NETWORK_MAX = 2**64 - 1
"""id of a network, 8 bytes; 0 names none"""
DATA_BYTES_MAX = 32_256
"""bytes of one part; a block (TIP-24: 32,768 bytes) has 512 left for parents, tag and the rest"""
BODY_BYTES_MAX = 16 * 2**20
"""bytes of a body before it is split; bounds what a reader must hold"""
INDEX_MAX = 2**63 - 1
"""of a message; the largest signed 64-bit integer, which databases can keep"""
NONCE_BYTES, TAG_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES = 24, 16, 32, 64
"""bytes; XChaCha20-Poly1305 and Ed25519"""
_HEADS = {2: Struct("<BBBQHH"), 3: Struct("<BBBQHHQ")}
_PREFIX_BYTES = 1 + NONCE_BYTES
_FIXED_BYTES = PUBLIC_KEY_BYTES + HASH_BYTES + SIGNATURE_BYTES


class MessageKind(IntEnum):
    """What the body of a message is; the value is its byte in the format."""

    DATA = 0
    REKEY = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A verified part of a message.

    Attributes
    ----------
    kind, index, part, parts : its place; `part` counts from 0
    height : of the trees of the channel
    body : its piece of the body
    next_root : 32 bytes, of the tree that follows
    digest : 32 bytes, of the whole body; None when this part is all of it
    identity : bytes that two parts share exactly when they belong to the same message
    version : of the format
    network : id of the network it was written for; 0 where it names none
    """

    kind: MessageKind
    height: int
    index: int
    part: int
    parts: int
    body: bytes = field(repr=False)
    next_root: bytes = field(repr=False)
    digest: bytes | None
    identity: bytes
    version: int = VERSION
    network: int = 0


def overhead_bytes(height: int, *, split: bool = False, version: int = VERSION) -> int:
    """Bytes of a part beyond its piece of the body, without the 32 bytes of the address."""
    return _PREFIX_BYTES + _HEADS[version].size + _FIXED_BYTES + HASH_BYTES * (height + split) + TAG_BYTES


def split(body: bytes, height: int, version: int = VERSION) -> list[bytes]:
    """The pieces of a body, each as long as it can be; one, perhaps empty, if it fits. Raises BodyTooLong."""
    if len(body) > BODY_BYTES_MAX:
        raise BodyTooLong(len(body), BODY_BYTES_MAX)
    if len(body) <= DATA_BYTES_MAX - overhead_bytes(height, version=version):
        return [body]
    size = DATA_BYTES_MAX - overhead_bytes(height, split=True, version=version)
    return [body[start : start + size] for start in range(0, len(body), size)]


def seal(
    access: Access,
    tree: Tree,
    height: int,
    kind: MessageKind,
    index: int,
    next_root: bytes,
    body: bytes,
    network: int = 0,
) -> list[bytes]:
    """The data of all parts of a message, in order.

    Parameters
    ----------
    access : the way into `tree`
    tree : the one of `index`, of `height`; its version is that of the message
    next_root : 32 bytes
    network : id of the network that the message is for; 0 names none

    Raises
    ------
    BodyTooLong
    """
    leaf = index & ((1 << height) - 1)
    public_key, secret_key = tree.pair(leaf)
    pieces = split(body, height, tree.version)
    proof = b"".join((public_key, *tree.path(leaf), next_root))
    if len(pieces) > 1:
        proof += blake(BODY, body)
    named = () if tree.version == VERSIONS[0] else (network,)
    places = ((access.mode, kind, height, index, part, len(pieces), *named) for part in range(len(pieces)))
    return [
        seal_content(access, secret_key, _HEADS[tree.version].pack(*place) + proof + piece, tree.version)
        for place, piece in zip(places, pieces, strict=True)
    ]


def seal_content(access: Access, secret_key: bytes, content: bytes, version: int = VERSION) -> bytes:
    """The data of a part: its content signed and masked."""
    signature = crypto_sign(_signed(version, access, content), secret_key)[:SIGNATURE_BYTES]
    return mask(access, content + signature, version)


def mask(access: Access, plain: bytes, version: int = VERSION) -> bytes:
    """Version, nonce and what they mask."""
    nonce = blake(NONCE, plain, key=access.nonce_key, size=NONCE_BYTES)
    shown = bytes((version,))
    return shown + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plain, shown, nonce, access.mask_key)


def unseal(access: Access, address: bytes, data: bytes) -> Part:
    """Unmask and verify one part.

    Parameters
    ----------
    address : 32 bytes, the tag under which `data` lay

    Raises
    ------
    WrongKey, NotAMessage, MaskInvalid, LayoutInvalid, PathInvalid, ForgedSignature, NonceInvalid
    """
    if address != access.address:
        raise WrongKey
    plain, version = _unmask(access, data), data[0]
    head = _HEADS[version]
    mode, kind, height, index, part, parts, *named = head.unpack_from(plain)
    _check_head(access.mode, mode, kind, height, index, part, parts)
    proof_end = head.size + PUBLIC_KEY_BYTES + HASH_BYTES * height
    root_end = proof_end + HASH_BYTES
    body_start = root_end + HASH_BYTES * (parts > 1)
    body_end = len(plain) - SIGNATURE_BYTES
    if body_start > body_end:
        raise LayoutInvalid("it ends inside its fields")
    _check_piece(version, height, part, parts, body_end - body_start)
    public_key = plain[head.size : head.size + PUBLIC_KEY_BYTES]
    path = path_of(plain[head.size + PUBLIC_KEY_BYTES : proof_end])
    if root_of(version, access.mode, height, index, public_key, path) != access.root:
        raise PathInvalid
    check_signature(plain[body_end:], _signed(version, access, plain[:body_end]), public_key)
    nonce = data[1:_PREFIX_BYTES]
    if blake(NONCE, plain, key=access.nonce_key, size=NONCE_BYTES) != nonce:
        raise NonceInvalid
    digest, body = plain[root_end:body_start] or None, plain[body_start:body_end]
    identity = nonce if digest is None else bytes((kind,)) + digest
    place = (MessageKind(kind), height, index, part, parts)
    return Part(*place, body, plain[proof_end:root_end], digest, identity, version, sum(named))


def join(parts: Sequence[Part]) -> bytes:
    """The body of a message from all its parts, in order. Raises Misplaced if the digest is of another body."""
    body = b"".join(part.body for part in parts)
    digest = parts[0].digest
    if digest is not None and digest != blake(BODY, body):
        raise Misplaced("its parts do not join to the body it names")
    return body


def _unmask(access: Access, data: bytes) -> bytes:
    if len(data) > DATA_BYTES_MAX:
        raise NotAMessage(f"{len(data):,} bytes, at most {DATA_BYTES_MAX:,} are allowed")
    if not data or data[0] not in VERSIONS:
        raise NotAMessage(f"version {data[0]}, this is version {VERSION}" if data else "no bytes")
    least = overhead_bytes(0, version=data[0])
    if len(data) < least:
        raise NotAMessage(f"{len(data)} bytes, at least {least} are needed")
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(
            data[_PREFIX_BYTES:], data[:1], data[1:_PREFIX_BYTES], access.mask_key
        )
    except CryptoError:
        raise MaskInvalid from None


def _check_head(expected: Mode, mode: int, kind: int, height: int, index: int, part: int, parts: int) -> None:
    if mode != expected:
        raise LayoutInvalid(f"mode {mode} in a {expected.name.lower()} channel")
    if kind > MessageKind.REKEY or (kind == MessageKind.REKEY and expected is not Mode.RESTRICTED):
        raise LayoutInvalid(f"kind {kind} in a {expected.name.lower()} channel")
    if height > HEIGHT_MAX or index > INDEX_MAX:
        raise LayoutInvalid("height or index are out of range")
    if not part < parts:
        raise LayoutInvalid(f"part {part} of {parts}")


def _check_piece(version: int, height: int, part: int, parts: int, size: int) -> None:
    """A body is split in one way only: into as few pieces as can be, all but the last as long as they can be."""
    if parts == 1:
        return
    most = DATA_BYTES_MAX - overhead_bytes(height, split=True, version=version)
    before = (parts - 1) * most
    last = part == parts - 1
    total = before + (size if last else 1)
    if (last and not size) or (not last and size != most) or total > BODY_BYTES_MAX:
        raise LayoutInvalid(f"part {part} of {parts} has {size} bytes of the body")
    if last and total <= DATA_BYTES_MAX - overhead_bytes(height, version=version):
        raise LayoutInvalid("a body that fits one part is split")


def check_signature(signature: bytes, signed: bytes, public_key: bytes) -> None:
    """Raise ForgedSignature unless the owner of a key signed this."""
    try:
        crypto_sign_open(signature + signed, public_key)
    except BadSignatureError:
        raise ForgedSignature from None


def _signed(version: int, access: Access, content: bytes) -> bytes:
    return blake(SIGN[version], access.root + access.address + content)
