"""The data directory of a node: its files, its keys and the lock on it.

It holds `keys.json` (the coordinator's Ed25519 seed and the mnemonic of the wallet that holds the supply),
`tangle.toml`, `tangle.db`, `founded` and `lock`. Two nodes on one data directory would both think they are the one
writer; the lock keeps the second out.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tangle.disk import files
from tangle.disk.files import PRIVATE, PUBLIC
from tangle.disk.locks import locked
from tangle.errors import TangleError
from tangle.protocol.keys import Keys, new_mnemonic
from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.signatures import public_key
from tangle.service.errors import DataInUse, DataUnusable, KeysMissing, KeysUnusable

KEYS_NAME = "keys.json"
LOCK_NAME = "lock"
FOUNDED_NAME = "founded"
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """The secrets of a node.

    Attributes
    ----------
    coordinator_seeds : Ed25519 seeds, 32 bytes each, that sign milestones
    mnemonic : of the wallet whose first address the supply was given to
    """

    coordinator_seeds: tuple[bytes, ...] = field(repr=False)
    mnemonic: str = field(repr=False)

    @classmethod
    def fresh(cls) -> NodeKeys:
        """New keys from the system's randomness."""
        return cls((secrets.token_bytes(_SEED_BYTES),), new_mnemonic())

    @property
    def milestone_keys(self) -> MilestoneKeys:
        """The public side of the coordinator."""
        return MilestoneKeys(
            tuple(public_key(seed) for seed in self.coordinator_seeds), len(self.coordinator_seeds)
        )


def read_keys(data: Path) -> NodeKeys:
    """The keys in a data directory. Raises KeysMissing, KeysUnusable."""
    path = data / KEYS_NAME
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeysUnusable(f"{path} can be read by others (mode {mode:o}); run: chmod 600 {path}")
        members = json.loads(path.read_bytes())
        seeds = tuple(bytes.fromhex(text) for text in members["coordinatorSeeds"])
        mnemonic = members["supplyMnemonic"]
        Keys.from_mnemonic(mnemonic)
    except KeysUnusable:
        raise
    except FileNotFoundError:
        raise KeysMissing(
            f"there is no {path}; put it back from your copy, or start with an empty data directory"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TangleError) as error:
        raise KeysUnusable(f"{path} cannot be used: {type(error).__name__}; put it back from your copy") from None
    if not seeds or any(len(seed) != _SEED_BYTES for seed in seeds):
        raise KeysUnusable(f"{path} cannot be used: coordinatorSeeds must hold seeds of {_SEED_BYTES} bytes")
    return NodeKeys(seeds, mnemonic)


def write_keys(data: Path, keys: NodeKeys, network_name: str) -> None:
    """Write the keys file."""
    members = {
        "network": network_name,
        "coordinatorSeeds": [seed.hex() for seed in keys.coordinator_seeds],
        "supplyMnemonic": keys.mnemonic,
    }
    files.write(data / KEYS_NAME, (json.dumps(members, indent=2) + "\n").encode(), PRIVATE)


def lock_directory(data: Path) -> IO[str]:
    """Make the data directory if needed, and lock it until the returned file is closed.

    Raises
    ------
    DataUnusable, DataInUse
    """
    try:
        if not data.is_dir():
            data.mkdir(mode=0o700, parents=True)
        return os.fdopen(locked(data / LOCK_NAME, os.O_WRONLY | os.O_CREAT, PUBLIC), "w")
    except BlockingIOError:
        raise DataInUse(f"another process runs on {data}; stop it first, or use another directory") from None
    except OSError as error:
        raise DataUnusable(f"the data directory {data} cannot be used: {error.strerror}") from None
