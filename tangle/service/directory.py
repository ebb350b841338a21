"""The data directory of a node: its files, its keys and the lock on it.

It holds `keys.json` (Ed25519 seeds of coordinator and faucet), `tangle.toml`, `tangle.db`, `founded` and `lock`.
Two nodes on one data directory would both think they are the one writer; the lock keeps the second out.

The words of the wallet that holds the supply lie in a file of their own, outside: whoever gets into the node gets
what the faucet has left, and no more. Directories of earlier builds hold them, and their faucet gives from there.
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
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair, Keys, new_mnemonic
from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.serial import Reader, blake2b_256
from tangle.protocol.signatures import public_key
from tangle.protocol.transactions import Transaction
from tangle.service.errors import DataInUse, DataUnusable, KeysMissing, KeysUnusable

KEYS_NAME = "keys.json"
LOCK_NAME = "lock"
FOUNDED_NAME = "founded"
FUND_NAME = "faucet-fund"
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """The secrets of a node.

    Attributes
    ----------
    coordinator_seeds : Ed25519 seeds, 32 bytes each, that sign milestones
    faucet_seed : Ed25519 seed of the faucet's address
    mnemonic : of the supply, in a directory of an earlier build; empty otherwise
    """

    coordinator_seeds: tuple[bytes, ...] = field(repr=False)
    faucet_seed: bytes = field(repr=False)
    mnemonic: str = field(default="", repr=False)

    @classmethod
    def fresh(cls) -> NodeKeys:
        """New keys from the system's randomness."""
        return cls((secrets.token_bytes(_SEED_BYTES),), secrets.token_bytes(_SEED_BYTES))

    @property
    def faucet(self) -> KeyPair:
        """The key of the address that the faucet pays from."""
        return Keys.from_mnemonic(self.mnemonic).derive() if self.mnemonic else KeyPair.of(self.faucet_seed)

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
        mnemonic = members.get("supplyMnemonic", "")
        # Where the words were taken away, the faucet has a key that follows from the coordinator's.
        other = blake2b_256(b"faucet" + b"".join(seeds))
        faucet_seed = bytes.fromhex(members["faucetSeed"]) if "faucetSeed" in members else other
        if mnemonic:
            Keys.from_mnemonic(mnemonic)
    except KeysUnusable:
        raise
    except FileNotFoundError:
        raise KeysMissing(
            f"there is no {path}; put it back from your copy, or start with an empty data directory"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TangleError) as error:
        raise KeysUnusable(f"{path} cannot be used: {type(error).__name__}; put it back from your copy") from None
    if not seeds or any(len(seed) != _SEED_BYTES for seed in (*seeds, faucet_seed)):
        raise KeysUnusable(f"{path} cannot be used: its seeds must have {_SEED_BYTES} bytes, and one be there")
    return NodeKeys(seeds, faucet_seed, mnemonic)


def write_keys(data: Path, keys: NodeKeys, network_name: str) -> None:
    """Write the keys file."""
    members = {
        "network": network_name,
        "coordinatorSeeds": [seed.hex() for seed in keys.coordinator_seeds],
        "faucetSeed": keys.faucet_seed.hex(),
    }
    files.write(data / KEYS_NAME, (json.dumps(members, indent=2) + "\n").encode(), PRIVATE)


def write_fund(data: Path, fund: Transaction) -> None:
    """Keep the transaction that gives the faucet its part of the supply."""
    files.write(data / FUND_NAME, fund.encoded)


def read_fund(data: Path) -> Transaction | None:
    """That transaction; None where there is none."""
    try:
        return Transaction.decode(Reader((data / FUND_NAME).read_bytes()))
    except (OSError, ProtocolError):
        return None


def supply_words(path: Path) -> str:
    """The words of the supply in a wallet file, which is made with new ones where there is none.

    Raises
    ------
    DataUnusable : the file cannot be made
    KeysUnusable : it is no wallet file in the clear
    """
    words = new_mnemonic()
    content = {"version": 1, "mnemonic": words}
    try:
        files.create(path, (json.dumps(content, indent=2) + "\n").encode(), PRIVATE)
    except FileExistsError:
        return _read_words(path)
    except OSError as error:
        raise DataUnusable(
            f"the words of the supply cannot be written to {path}: {error.strerror}; name another file with "
            "TANGLE_SUPPLY_FILE, outside of the data directory"
        ) from None
    return words


def _read_words(path: Path) -> str:
    try:
        words = json.loads(path.read_text())["mnemonic"]
        Keys.from_mnemonic(words)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TangleError) as error:
        raise KeysUnusable(
            f"{path} holds no words for the supply ({type(error).__name__}); name another file with "
            "TANGLE_SUPPLY_FILE"
        ) from None
    return str(words)


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
