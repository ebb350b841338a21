"""Networks, keys and transactions for tests: everything real, nothing signed with a key that anybody keeps."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tangle.node import GENESIS_OUTPUT_ID, Node, NodeSettings, Step, create_network
from tangle.node.issue import Search
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.milestones import Milestone, MilestoneEssence, MilestoneKeys
from tangle.protocol.outputs import BasicOutput, Output
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.ruleset import KNOWN_RULES
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
from tangle.service.writer import commit
from tangle.store import queries
from tangle.store.engine import migrate, open_engine
from tangle.store.events import Event

T0 = 1_700_000_000
"""seconds since the Unix epoch at which test networks begin"""
PARAMETERS = ProtocolParameters(network_name="tangle-test", min_pow_score=0)
_OPEN: list[Node] = []
_TEMPLATES = TemporaryDirectory()


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


class Alone(Node):
    """A node that nobody runs: what it is asked to do here is durable when it returns, and told."""

    on_events: Callable[[list[Event]], None] | None = None

    def add(self, blocks: Sequence[Block], now_ms: int | None = None) -> Step:
        """Attach blocks."""
        return self._kept(partial(self.attach, blocks, now_ms))

    def issue_milestone(self, now: int, search: Search | None = None) -> MilestoneEssence:
        """Issue the next milestone; returns it."""
        step = self._kept(partial(self.issue, now, search))
        milestone = Block.decode(step.batch.blocks[-1].data).payload
        assert isinstance(milestone, Milestone)
        return milestone.essence

    def sample_confidence(self) -> None:
        """Draw walks anew."""
        self._kept(self.sample)

    def number_of(self, block_id: bytes) -> int:
        """The number of a block's solid event."""
        with self.engine.connect() as connection:
            return queries.block_numbers(connection, [block_id])[block_id]

    def _kept(self, act: Callable[[], Step]) -> Step:
        step = commit(self, act)
        if step.events and self.on_events is not None:
            self.on_events(step.events)
        return step


def found(
    url: str,
    parameters: ProtocolParameters = PARAMETERS,
    now: int = T0,
    rules: Collection[str] = KNOWN_RULES,
) -> None:
    """Make a test network in the database at `url`."""
    engine = open_engine(url)
    migrate(engine)
    keys = MilestoneKeys((COORDINATOR.public,))
    create_network(engine, parameters, keys, [COORDINATOR.seed], HOLDER.address, now, rules)
    engine.dispose()


@cache
def _founded(parameters: ProtocolParameters) -> Path:
    """A database with a new network, to copy: that takes a tenth of the time of making one."""
    path = Path(_TEMPLATES.name) / f"{_founded.cache_info().currsize}.db"
    found(f"sqlite:///{path}", parameters)
    return path


def open_node(
    path: Path,
    *,
    parameters: ProtocolParameters = PARAMETERS,
    seed: int = 1,
    settings: NodeSettings | None = None,
    on_events: Callable[[list[Event]], None] | None = None,
) -> Alone:
    """A node on the database file `path`, whose network is made when there is none."""
    url = f"sqlite:///{path}"
    if not path.exists():
        shutil.copy(_founded(parameters), path)
    node = Alone.open(url, settings or NodeSettings(seed=seed), coordinator_seeds=[COORDINATOR.seed])
    node.on_events = on_events
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
