"""Making a network and opening it: the data directory, the keys, the database.

The data directory holds `keys.json` (the coordinator's Ed25519 seed and the mnemonic of the wallet that holds the
supply), `tangle.toml`, `tangle.db`, `founded` and `lock`. Each step of making a network is whole or absent: files
appear by renaming, and the database is written last, in transactions. A start that was killed half way is
therefore continued by the next one, with the same keys.

`founded` says that there was a network. A database that is empty nevertheless has been lost, and a fresh one under
the same keys would sign a second history: that is refused.

Two services on one data directory would both think they are the one writer; the lock keeps the second out.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tangle.api.settings import CONFIG_NAME, SettingInvalid, Settings, commented_toml
from tangle.errors import TangleError
from tangle.node import Node, NoNetwork, create_network
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.keys import Keys, new_mnemonic
from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.outputs import BasicOutput, storage_deposit
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.pow.search import compile_kernels as compile_pow
from tangle.protocol.signatures import public_key
from tangle.store.engine import check_network, migrate, open_engine
from tangle.store.journal import read_network
from tangle.tipselect.compile import compile_kernels as compile_tipselect

KEYS_NAME = "keys.json"
LOCK_NAME = "lock"
FOUNDED_NAME = "founded"
_SEED_BYTES = 32

Report = Callable[[str], None]
"""told what happens now, for a line that people read"""


class SetupError(TangleError):
    """The node cannot be set up; the message says what to do."""

    code = "setup"


class KeysMissing(SetupError):
    """The database holds a network whose keys are not in the data directory."""

    code = "keys_missing"


class KeysUnusable(SetupError):
    """The keys cannot be read, are open to others, or belong to another network."""

    code = "keys_unusable"


class NetworkLost(SetupError):
    """A network was made here, and the database holds none."""

    code = "network_lost"


class DataInUse(SetupError):
    """Another process runs on this data directory."""

    code = "data_in_use"


class DataUnusable(SetupError):
    """The data directory cannot be made or written to."""

    code = "data_unusable"


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


@dataclass(slots=True)
class Opened:
    """A node that is open, its keys (None when it has none), and the lock that keeps others out."""

    node: Node
    keys: NodeKeys | None
    lock: IO[str]

    def close(self) -> None:
        """Close the node, then let others in."""
        self.node.close()
        self.lock.close()


def make_network(settings: Settings, now: int | None = None, report: Report | None = None) -> bool:
    """Make the network of `settings` unless its database holds one; returns whether it was made.

    Parameters
    ----------
    now : seconds since the Unix epoch, the time of the first milestone

    Raises
    ------
    NetworkLost : there was one, and the database holds none any more
    SetupError, StoreError
    """
    tell = report or (lambda _: None)
    with _locked(settings.data):
        engine = open_engine(settings.url)
        try:
            migrate(engine)
            if read_network(engine) is not None:
                _mark_founded(settings)
                return False
            if (settings.data / FOUNDED_NAME).exists():
                raise NetworkLost(
                    f"a network was made in {settings.data}, and its database is empty or gone; put the database "
                    "back from your copy, or start with an empty data directory"
                )
            tell(f"making the network {settings.network_name} in {settings.data}")
            keys_path = settings.data / KEYS_NAME
            if not keys_path.exists():
                _write_whole(keys_path, _keys_text(NodeKeys.fresh(), settings.network_name), 0o600)
            keys = read_keys(settings.data)
            config_path = settings.data / CONFIG_NAME
            if not config_path.exists():
                _write_whole(config_path, commented_toml(settings), 0o644)
            holder = Keys.from_mnemonic(keys.mnemonic).derive().address
            moment = int(time.time()) if now is None else now
            seeds = keys.coordinator_seeds
            create_network(engine, settings.parameters(), keys.milestone_keys, seeds, holder, moment)
            _mark_founded(settings)
        finally:
            engine.dispose()
    return True


def open_network(settings: Settings, report: Report | None = None) -> Opened:
    """Open the node over the network that `settings` names; compiles what is not compiled yet.

    Raises
    ------
    NoNetwork : there is none yet
    SetupError, StoreError, NodeError
    """
    tell = report or (lambda _: None)
    lock = _locked(settings.data)
    try:
        engine = open_engine(settings.url)
        try:
            migrate(engine)
            network = read_network(engine)
            if network is None:
                raise NoNetwork
            check_network(engine, settings.asked_parameters(network.parameters))
        finally:
            engine.dispose()
        _check_faucet(settings, network.parameters)
        keys = _keys_for(settings, network.keys)
        compile_pow(tell)
        compile_tipselect(tell)
        tell("reading the journal")
        seeds = keys.coordinator_seeds if keys and settings.coordinator else ()
        node = Node.open(settings.url, settings.node_settings(), coordinator_seeds=seeds)
        if seeds and node.latest_milestone.index == 0:
            node.issue_milestone(int(time.time()))
    except BaseException:
        lock.close()
        raise
    return Opened(node, keys, lock)


def read_keys(data: Path) -> NodeKeys:
    """The keys in a data directory. Raises KeysMissing, KeysUnusable."""
    path = data / KEYS_NAME
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeysUnusable(f"{path} can be read by others (mode {mode:o}); run: chmod 600 {path}")
        members = json.loads(path.read_text())
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


def _check_faucet(settings: Settings, parameters: ProtocolParameters) -> None:
    """Raise SettingInvalid unless what the faucet gives pays for its own storage."""
    least = storage_deposit(BasicOutput.to(Ed25519Address(bytes(32)), settings.faucet_amount), parameters)
    if settings.faucet and settings.faucet_amount < least:
        raise SettingInvalid("faucet_amount", f"must be at least {least}, the storage deposit of an output")


def _mark_founded(settings: Settings) -> None:
    path = settings.data / FOUNDED_NAME
    if not path.exists():
        _write_whole(path, f"{settings.network_name}\n", 0o644)


def _keys_for(settings: Settings, public: MilestoneKeys) -> NodeKeys | None:
    if not settings.coordinator and not settings.faucet:
        return None
    keys = read_keys(settings.data)
    if settings.coordinator and set(keys.milestone_keys.public_keys) != set(public.public_keys):
        raise KeysUnusable(
            f"{settings.data / KEYS_NAME} holds the keys of another network than the database; "
            "use the data directory that both come from"
        )
    return keys


def _keys_text(keys: NodeKeys, network_name: str) -> str:
    members = {
        "network": network_name,
        "coordinatorSeeds": [seed.hex() for seed in keys.coordinator_seeds],
        "supplyMnemonic": keys.mnemonic,
    }
    return json.dumps(members, indent=2) + "\n"


def _locked(data: Path) -> IO[str]:
    """The data directory, made if needed, locked until the returned file is closed."""
    try:
        if not data.is_dir():
            data.mkdir(mode=0o700, parents=True)
        lock = (data / LOCK_NAME).open("a")
    except OSError as error:
        raise DataUnusable(f"the data directory {data} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise DataInUse(f"another process runs on {data}; stop it first, or use another directory") from None
    return lock


def _write_whole(path: Path, text: str, mode: int) -> None:
    """Write a file so that it is either there, whole and on the disk, or not there."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
