"""Making a network: its supply in one output, and its first milestone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Engine

from tangle.node.node import Node
from tangle.node.settle import output_row
from tangle.protocol.addresses import Address
from tangle.protocol.milestones import NO_ID, MilestoneKeys
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.ruleset import KNOWN_RULES
from tangle.store import journal
from tangle.store.journal import Network

GENESIS_OUTPUT_ID = bytes(34)
"""the output that holds the whole supply of a new network"""


def create_network(
    engine: Engine,
    parameters: ProtocolParameters,
    keys: MilestoneKeys,
    seeds: Sequence[bytes],
    holder: Address,
    now: int,
    rules: Collection[str] = KNOWN_RULES,
) -> None:
    """Make a network in an empty, migrated database.

    Parameters
    ----------
    seeds : of the coordinator, 32 bytes each
    holder : address that the genesis output belongs to
    now : seconds since the Unix epoch
    rules : that its first milestone switches on

    Raises
    ------
    StoreError : the database holds a network, or cannot count this supply
    """
    genesis = output_row(GENESIS_OUTPUT_ID, BasicOutput.to(holder, parameters.token_supply), NO_ID, 0, now)
    journal.create_network(engine, Network(parameters, keys, now), genesis)
    node = Node(engine, coordinator_seeds=seeds)
    try:
        journal.write(node.own, node.issue(now, rules=rules).batch)
    finally:
        node.own.close()
