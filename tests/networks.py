"""Networks, keys and transactions for tests: everything real, nothing signed with a key that anybody keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tangle.node import GENESIS_OUTPUT_ID, Node, NodeSettings, create_network
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.milestones import MilestoneKeys
from tangle.protocol.outputs import BasicOutput, Output
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import blake2b_256
from tangle.protocol.signatures import public_key, sign
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    Ed25519Signature,
    ReferenceUnlock,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    Unlock,
    UtxoInput,
    inputs_commitment,
)
from tangle.store.engine import migrate, open_engine

T0 = 1_700_000_000
"""seconds since the Unix epoch at which test networks begin"""
PARAMETERS = ProtocolParameters(network_name="tangle-test", min_pow_score=0)
_OPEN: list[Node] = []


@dataclass(frozen=True)
class Key:
    """An Ed25519 key made from a name."""

    seed: bytes

    @classmethod
    def named(cls, name: str) -> Key:
        """The same key for the same name."""
        return cls(blake2b_256(name.encode()))

    @property
    def public(self) -> bytes:
        """32 bytes."""
        return public_key(self.seed)

    @property
    def address(self) -> Ed25519Address:
        """The address it unlocks."""
        return Ed25519Address.from_public_key(self.public)


COORDINATOR = Key.named("coordinator")
HOLDER = Key.named("holder of the genesis output")


@dataclass(frozen=True)
class Coin:
    """An output, its id and the key that unlocks it."""

    output_id: bytes
    output: Output
    key: Key


def genesis_coin(parameters: ProtocolParameters = PARAMETERS) -> Coin:
    """The coin that holds the whole supply of a test network."""
    return Coin(GENESIS_OUTPUT_ID, BasicOutput.to(HOLDER.address, parameters.token_supply), HOLDER)


def spend(
    coins: Sequence[Coin],
    outputs: Iterable[Output],
    *,
    parameters: ProtocolParameters = PARAMETERS,
    commitment: bytes | None = None,
    signers: Sequence[Key] | None = None,
) -> Transaction:
    """A signed transaction that consumes `coins`; `commitment` and `signers` replace the right ones."""
    essence = TransactionEssence(
        parameters.network_id,
        tuple(UtxoInput.of(coin.output_id) for coin in coins),
        commitment or inputs_commitment([coin.output for coin in coins]),
        tuple(outputs),
    )
    unlocks: list[Unlock] = []
    seen: dict[Key, int] = {}
    for position, key in enumerate(signers or [coin.key for coin in coins]):
        if key in seen:
            unlocks.append(ReferenceUnlock(seen[key]))
        else:
            seen[key] = position
            unlocks.append(SignatureUnlock(Ed25519Signature(key.public, sign(key.seed, essence.hash))))
    return Transaction(essence, tuple(unlocks))


def coins_of(transaction: Transaction, keys: Iterable[Key]) -> list[Coin]:
    """The coins that `transaction` makes for `keys`."""
    by_address = {key.address: key for key in keys}
    return [
        Coin(transaction.output_id(index), output, by_address[output.owner])
        for index, output in enumerate(transaction.essence.outputs)
        if output.owner in by_address
    ]


def found(url: str, parameters: ProtocolParameters = PARAMETERS, now: int = T0) -> None:
    """Make a test network in the database at `url`."""
    engine = open_engine(url)
    migrate(engine)
    keys = MilestoneKeys((COORDINATOR.public,))
    create_network(engine, parameters, keys, [COORDINATOR.seed], HOLDER.address, now)
    engine.dispose()


def open_node(path: Path, *, parameters: ProtocolParameters = PARAMETERS, seed: int = 1, **kwargs: Any) -> Node:
    """A node on the database file `path`, whose network is made when there is none."""
    url = f"sqlite:///{path}"
    if not path.exists():
        found(url, parameters)
    settings = kwargs.pop("settings", NodeSettings(seed=seed))
    node = Node.open(url, settings, coordinator_seeds=[COORDINATOR.seed], **kwargs)
    _OPEN.append(node)
    return node


def close_nodes() -> None:
    """Close what `open_node` has opened since the last time."""
    while _OPEN:
        _OPEN.pop().close()


def block_on(parents: Iterable[bytes], payload: Payload | None = None) -> Block:
    """A block without work; test networks ask for none."""
    return Block(tuple(sorted(parents)), payload)


def note(text: str) -> TaggedData:
    """Tagged data."""
    return TaggedData(b"note", text.encode())
