"""The seed file of a party: 32 bytes as hexadecimal digits.

It is made with mode 0600 when there is none, and refused when anyone but its owner may read it.
"""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

from tangle.disk import files
from tangle.disk.errors import TextRefused
from tangle.disk.texts import read_text
from tangle.parties.errors import SeedRefused
from tangle.protocol.keys import Keys

SEED_BYTES = 32
"""bytes"""


def read_keys(path: Path) -> Keys:
    """The keys of a seed file, which is made when there is none.

    Raises
    ------
    SeedRefused : others may read the file, or it holds no seed
    """
    seed = secrets.token_bytes(SEED_BYTES)
    try:
        if path.exists():
            return _read_seed(path)
        files.create(path, seed.hex().encode() + b"\n", files.PRIVATE)
    except FileExistsError:
        return _read_seed(path)
    except OSError as error:
        raise SeedRefused(f"{path}: {error.strerror}") from None
    return Keys.from_seed(seed)


def _read_seed(path: Path) -> Keys:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SeedRefused(f"{path}: others may read this seed; chmod 600 it, or better make a new one")
        seed = bytes.fromhex(read_text(path).strip())
    except TextRefused as error:
        raise SeedRefused(str(error)) from None
    except (OSError, ValueError) as error:
        raise SeedRefused(f"{path}: {error}") from None
    if len(seed) != SEED_BYTES:
        raise SeedRefused(f"{path}: holds {len(seed)} bytes, a seed has {SEED_BYTES}")
    return Keys.from_seed(seed)
