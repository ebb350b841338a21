"""Making a network and opening a node on it: the data directory, the keys, the database.

Each step of making a network is whole or absent: files appear by renaming, and the database is written last, in
transactions. A start that was killed half way is therefore continued by the next one, with the same keys.

`founded` says that there was a network. A database that is empty nevertheless has been lost, and a fresh one under
the same keys would sign a second history: that is refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO

from sqlalchemy import Engine

from tangle.client.wallet.selection import Coin
from tangle.client.wallet.transfer import least_remainder, sign_transfer
from tangle.disk import files
from tangle.node import GENESIS_OUTPUT_ID, Node, create_network
from tangle.protocol.addresses import Address, Ed25519Address
from tangle.protocol.keys import KeyPair, Keys
from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.outputs import BasicOutput, storage_deposit
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.pow.search import compile_kernels as compile_pow
from tangle.protocol.ruleset import KNOWN_RULES
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.service.clock import Moment, boot, steady
from tangle.service.directory import (
    FOUNDED_NAME,
    KEYS_NAME,
    NodeKeys,
    lock_directory,
    read_keys,
    supply_words,
    write_fund,
    write_keys,
)
from tangle.service.errors import KeysUnusable, NetworkLost, OlderCopy, SettingInvalid
from tangle.service.settings import CONFIG_NAME, Settings, commented_toml
from tangle.service.signed import Signed
from tangle.service.writer import commit
from tangle.store.engine import check_network, migrate, open_engine, warm
from tangle.store.errors import NoNetwork
from tangle.store.journal import Network, latest_milestone, read_network, renew_store
from tangle.tipselect.compile import compile_kernels as compile_tipselect

log = logging.getLogger("tangle.founding")

Report = Callable[[str], None]
"""told what happens now, for a line that people read"""


@dataclass(slots=True)
class OpenNode:
    """A node that is open.

    Attributes
    ----------
    keys : None when it has none
    lock : keeps others out
    signed : how far it has signed; None when it signs nothing
    last : what the clocks said when it last signed, None where that is not known
    """

    node: Node
    keys: NodeKeys | None
    lock: IO[str]
    signed: Signed | None = None
    last: Moment | None = None

    def close(self) -> None:
        """Close the node, then let others in."""
        self.node.close()
        if self.signed is not None:
            self.signed.close()
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
    with lock_directory(settings.data):
        engine = open_engine(settings.url)
        try:
            migrate(engine)
            made = read_network(engine) is None
            if made:
                _found(engine, settings, int(time.time()) if now is None else now, tell)
            if not (settings.data / FOUNDED_NAME).exists():
                files.write(settings.data / FOUNDED_NAME, f"{settings.network_name}\n".encode())
        finally:
            engine.dispose()
    return made


def _found(engine: Engine, settings: Settings, now: int, tell: Report) -> None:
    """Make keys and settings, unless an earlier start has made them, then the database's network."""
    data = settings.data
    if (data / FOUNDED_NAME).exists():
        raise NetworkLost(
            f"a network was made in {data}, and its database is empty or gone; put the database back from your "
            "copy, or start with an empty data directory"
        )
    tell(f"making the network {settings.network_name} in {data}; its supply is in {settings.supply_path}")
    if not (data / KEYS_NAME).exists():
        write_keys(data, NodeKeys.fresh(), settings.network_name)
    if not (data / CONFIG_NAME).exists():
        files.write(data / CONFIG_NAME, commented_toml(settings).encode())
    keys = read_keys(data)
    holder = Keys.from_mnemonic(keys.mnemonic or supply_words(settings.supply_path)).derive()
    parameters, seeds = settings.parameters(), keys.coordinator_seeds
    if not keys.mnemonic:
        write_fund(data, _faucet_fund(holder, keys.faucet.address, settings.faucet_fund, parameters))
    create_network(engine, parameters, keys.milestone_keys, seeds, holder.address, now)


def _faucet_fund(holder: KeyPair, faucet: Address, fund: int, parameters: ProtocolParameters) -> Transaction:
    """What gives the faucet its part of the supply, once; all of a supply that is hardly more.

    It is posted when the faucet is first asked.
    """
    supply = Coin(GENESIS_OUTPUT_ID, BasicOutput.to(holder.address, parameters.token_supply))
    rest = parameters.token_supply - fund
    amount = fund if rest >= least_remainder(holder.address, parameters) else parameters.token_supply
    output, note = BasicOutput.to(faucet, amount), TaggedData(b"faucet", b"")
    return sign_transfer([supply], [output], lambda _: holder, holder.address, parameters, note)


def open_node(settings: Settings, report: Report | None = None) -> OpenNode:
    """Open the node over the network that `settings` names; compiles what is not compiled yet.

    Raises
    ------
    NoNetwork : there is none yet
    SetupError, StoreError, NodeError
    """
    tell = report or (lambda _: None)
    lock = lock_directory(settings.data)
    try:
        engine = open_engine(settings.url)
        try:
            migrate(engine)
            network = read_network(engine)
            if network is None:
                raise NoNetwork
            check_network(engine, settings.asked_parameters(network.parameters))
            signed, last = _signed(engine, settings, network) if settings.coordinator else (None, None)
        finally:
            engine.dispose()
        _check_faucet(settings, network.parameters)
        keys = _keys_for(settings, network.keys)
        if keys is not None and keys.mnemonic:
            log.warning(
                "%s holds the words of the supply, and the faucet gives all of it away; stop the node, put them "
                "into a wallet elsewhere (`tangle wallet new --mnemonic-stdin`), take the line supplyMnemonic out "
                "of the file, and send the faucet's new address some coins once it says which",
                settings.data / KEYS_NAME,
            )
        compile_pow(tell)
        compile_tipselect(tell)
        tell("reading the journal")
        seeds = keys.coordinator_seeds if keys and settings.coordinator else ()
        node = Node.open(settings.url, settings.node_settings(), coordinator_seeds=seeds)
        if seeds and node.reading.milestone.index == 0:
            commit(node, partial(node.issue, int(time.time()), rules=KNOWN_RULES))
        warm(node.engine)
    except BaseException:
        lock.close()
        raise
    return OpenNode(node, keys, lock, signed, last)


def _signed(engine: Engine, settings: Settings, network: Network) -> tuple[Signed, Moment | None]:
    """How far milestones were signed, and when the last was. Raises OlderCopy, DataUnusable."""
    with engine.connect() as connection:
        newest = latest_milestone(connection)
    index = newest.index if newest else 0
    signed = Signed(settings.data)
    known, store_id = signed.known(network.store_id), network.store_id
    if known is not None and index < known.kept:
        if settings.accept_older_copy != index:
            raise OlderCopy(index=index, signed=known.kept)
        store_id = renew_store(engine)
    signed.begin(store_id, index, Moment(time.time(), steady(), boot()))
    return signed, known.moment if known else None


def switch_on(settings: Settings, rule: str, report: Report | None = None) -> tuple[int, bool]:
    """Have the network of `settings` judge by `rule` from its next milestone on, which is issued here.

    Returns
    -------
    index of the newest milestone, and whether it switched the rule on; False where an earlier one had

    Raises
    ------
    SettingInvalid : this node does not sign milestones
    SetupError, StoreError, NodeError : as `open_node`; a node that runs keeps others out
    """
    if not settings.coordinator:
        raise SettingInvalid("coordinator", "must be true: rules are switched on by who signs the milestones")
    opened = open_node(settings, report)
    try:
        node, head = opened.node, opened.node.reading.milestone
        if rule in head.rules:
            return head.index, False
        assert opened.signed is not None, "who signs writes down how far"
        opened.signed.signing(head.index + 1, Moment(time.time(), steady(), boot()))
        # No clock is asked: a wrong one would hold up all milestones after this one.
        commit(node, partial(node.issue, head.timestamp + 1, rules=(rule,)))
        opened.signed.kept(head.index + 1)
        return head.index + 1, True
    finally:
        opened.close()


def _check_faucet(settings: Settings, parameters: ProtocolParameters) -> None:
    """Raise SettingInvalid unless what the faucet gives pays for its own storage."""
    least = storage_deposit(BasicOutput.to(Ed25519Address(bytes(32)), settings.faucet_amount), parameters)
    if settings.faucet and settings.faucet_amount < least:
        raise SettingInvalid("faucet_amount", f"must be at least {least}, the storage deposit of an output")


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
