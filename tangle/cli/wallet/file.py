"""The wallet file: one mnemonic on disk, readable by its owner only, encrypted on request.

A JSON object. In the clear it is `{"version": 1, "mnemonic": "…"}`. Encrypted, the mnemonic lies in a secretbox
(XSalsa20-Poly1305) under a key that Argon2id derives from the password; salt and costs stand beside it, so that
they can be raised without losing old files. The file is written whole or not at all and is never overwritten.
Source: libsodium, "Password hashing" and "Secret-key encryption".
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random

from tangle.cli.errors import (
    WalletExists,
    WalletExposed,
    WalletMalformed,
    WalletMissing,
    WalletUnwritable,
    WrongPassword,
)
from tangle.disk import files

VERSION = 1
"""of the file's format"""
OPERATIONS = argon2id.OPSLIMIT_MODERATE
"""passes of Argon2id"""
MEMORY_BYTES = argon2id.MEMLIMIT_MODERATE
"""bytes of memory that a guess at the password costs"""
MEMORY_BYTES_MAX = 2**31
"""bytes; a file that asks for more is refused before it takes the machine down"""


@dataclass(frozen=True, slots=True)
class SealedMnemonic:
    """An encrypted mnemonic and how its key is derived."""

    salt: bytes
    operations: int
    memory_bytes: int
    box: bytes

    @classmethod
    def seal(
        cls, mnemonic: str, password: str, *, operations: int = OPERATIONS, memory_bytes: int = MEMORY_BYTES
    ) -> SealedMnemonic:
        """Encrypt under a fresh salt."""
        salt = random(argon2id.SALTBYTES)
        key = _key(password, salt, operations, memory_bytes)
        return cls(salt, operations, memory_bytes, bytes(SecretBox(key).encrypt(mnemonic.encode())))

    def open(self, password: str) -> str | None:
        """The mnemonic; None when the password is wrong or the box was changed."""
        try:
            key = _key(password, self.salt, self.operations, self.memory_bytes)
            return SecretBox(key).decrypt(self.box).decode()
        except CryptoError:
            return None


def create(path: Path, mnemonic: str, sealed: SealedMnemonic | None = None) -> None:
    """Write a new wallet file with mode 0600, in the clear unless `sealed` is given.

    Raises
    ------
    WalletExists, WalletUnwritable
    """
    content: dict[str, Any] = {"version": VERSION}
    if sealed is None:
        content["mnemonic"] = mnemonic
    else:
        content["sealed"] = {
            "kdf": "argon2id",
            "salt": sealed.salt.hex(),
            "operations": sealed.operations,
            "memoryBytes": sealed.memory_bytes,
            "box": sealed.box.hex(),
        }
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.create(path, json.dumps(content, indent=2).encode() + b"\n", files.PRIVATE)
    except OSError as error:
        # A directory of its way that is a file says the same.
        if isinstance(error, FileExistsError) and path.exists():
            raise WalletExists(path) from None
        raise WalletUnwritable(path, error.strerror or type(error).__name__) from None


def load(path: Path) -> str | SealedMnemonic:
    """The mnemonic, or the box that holds it.

    Raises
    ------
    WalletMissing, WalletExposed, WalletMalformed
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise WalletExposed(path)
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise WalletMissing(path) from None
    except OSError as error:
        raise WalletMalformed(path, error.strerror or "it cannot be read") from None
    except ValueError:
        raise WalletMalformed(path, "it holds no JSON") from None
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise WalletMalformed(path, f"its version must be {VERSION}")
    mnemonic = content.get("mnemonic")
    if isinstance(mnemonic, str):
        return mnemonic
    return _sealed(path, content.get("sealed"))


def unseal(path: Path, sealed: SealedMnemonic, password: str) -> str:
    """The mnemonic in the box of the file at `path`. Raises WrongPassword."""
    mnemonic = sealed.open(password)
    if mnemonic is None:
        raise WrongPassword(path)
    return mnemonic


def _sealed(path: Path, content: object) -> SealedMnemonic:
    if not isinstance(content, dict) or content.get("kdf") != "argon2id":
        raise WalletMalformed(path, "it holds neither a mnemonic nor one sealed under Argon2id")
    try:
        salt, box = bytes.fromhex(content["salt"]), bytes.fromhex(content["box"])
        operations, memory_bytes = int(content["operations"]), int(content["memoryBytes"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise WalletMalformed(path, "its sealed part is incomplete") from None
    within = (
        len(salt) == argon2id.SALTBYTES
        and argon2id.OPSLIMIT_MIN <= operations <= argon2id.OPSLIMIT_SENSITIVE
        and argon2id.MEMLIMIT_MIN <= memory_bytes <= MEMORY_BYTES_MAX
    )
    if not within:
        raise WalletMalformed(path, "its key derivation is out of range")
    return SealedMnemonic(salt, operations, memory_bytes, box)


def _key(password: str, salt: bytes, operations: int, memory_bytes: int) -> bytes:
    return argon2id.kdf(SecretBox.KEY_SIZE, password.encode(), salt, opslimit=operations, memlimit=memory_bytes)
