"""Random histories of a whole node: transactions over all output types, sound and spoiled, settled by milestones.

A `History` drives a node on a database file and keeps a ledger of its own beside it. After each milestone it takes
over what the node says was included, in the order in which the node says so, and looks at each transaction from
outside (`tests.state.rules.invariants`): were the inputs there and unspent, was each unlocked by whom it belongs
to, do the sums hold. Whether a transaction is a conflict, and why, must be what the pure rules say of it there.

Some transactions spend what others of the same milestone make, or what those spend; some are attached again; some
are confirmed at another time than they were made for; children come before their parents. Now and then a commit
fails, or the node starts anew.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from tangle.errors import TangleError
from tangle.node import Receipt
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.conflicts import Conflict
from tangle.protocol.errors import ProtocolError, SignatureInvalid
from tangle.protocol.outputs import Output
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.transactions import SignatureUnlock, Transaction
from tangle.state.rules import Consumed, check_semantics
from tangle.store import journal, queries
from tangle.store.journal import Inclusion
from tests.networks import T0, block_on, genesis_coin, note, open_node, spend
from tests.state.rules.builders import ALICE, basic
from tests.state.rules.invariants import check_chains, check_transaction, kinds
from tests.state.rules.world import KEYS, NoWay, World, spoil

PARAMETERS = ProtocolParameters(network_name="tangle-test", min_pow_score=0, below_max_depth=4)
FORGED, SPOILED, AS_DRAWN = "forged", "spoiled", "as drawn"


class History:
    """A node, and what it should have come to.

    Parameters
    ----------
    path : the database file, made if it is not there

    Attributes
    ----------
    world : the ledger kept beside that of the node
    sent : block id -> the transaction in it, for blocks that were attached
    refused : codes of what was refused at the door
    reasons : of conflicts, `NONE` for what was included
    steps : kinds of what was included
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.seed = path, seed
        self.rng = random.Random(seed)
        self.node = open_node(path, parameters=PARAMETERS, seed=seed)
        self.sent: dict[bytes, Transaction] = {}
        self.refused: Counter[str] = Counter()
        self.reasons: Counter[Conflict] = Counter()
        self.steps: Counter[str] = Counter()
        coin = genesis_coin(PARAMETERS)
        self.world = World(self.rng, {coin.output_id: coin.output}, at=T0 + 1)
        quarter, rest = divmod(coin.output.amount, 4)
        amounts = (quarter, quarter, quarter, quarter + rest)
        outputs = [basic(amount, to) for amount, to in zip(amounts, (*KEYS, ALICE.address), strict=True)]
        self.attach([block_on(self.node.reading.tips(), spend([coin], outputs, parameters=PARAMETERS))])
        self.settle(self.world.at)

    def step(self) -> None:
        """Attach some blocks and settle them; perhaps with a failing commit, or a restart, before that."""
        rng, at = self.rng, self.world.at
        batch = self.blocks()
        rng.shuffle(batch)
        middle = rng.randint(0, len(batch))
        self.attach(batch[:middle])
        self.trouble()
        self.attach(batch[middle:])
        self.node.refresh_tips()
        self.settle(at + rng.choice([0, 0, 0, 0, -1, 1]))

    def blocks(self) -> list[Block]:
        """New blocks that the door lets in, parents first."""
        blocks: list[Block] = []
        ahead = World(self.rng, dict(self.world.unspent), self.world.at)
        for number in range(self.rng.randint(2, 7)):
            kind = self.rng.choice([AS_DRAWN, AS_DRAWN, AS_DRAWN, SPOILED, SPOILED, FORGED])
            payload = self.transaction(kind, ahead) or note(f"{self.seed} {self.world.at} {number}")
            # The same transaction on the same parents is the same block.
            pool = sorted({*self.node.reading.tips(4), *(block.id for block in blocks[-3:])})
            block = block_on(self.rng.sample(pool, min(len(pool), self.rng.randint(1, 3))), payload)
            if self.let_in(block, forged=kind == FORGED and isinstance(payload, Transaction)):
                blocks.append(block)
        return blocks

    def transaction(self, kind: str, ahead: World) -> Transaction | None:
        """A transaction; None where none was found.

        Parameters
        ----------
        ahead : the ledger as it will be if what was drawn for this milestone is all applied
        """
        rng = self.rng
        if kind == AS_DRAWN and self.sent and rng.random() < 0.15:
            return rng.choice(list(self.sent.values()))
        world = ahead if rng.random() < 0.4 else self.world
        try:
            scene = world.draft()
            transaction = (spoil(scene, world) if kind == SPOILED else scene).transaction
        except (NoWay, TangleError):
            return None
        if kind == FORGED:
            return forged(transaction, rng)
        if kind == AS_DRAWN:
            for consumed in transaction.essence.inputs:
                ahead.unspent.pop(consumed.output_id, None)
            for index, output in enumerate(transaction.essence.outputs):
                ahead.unspent[transaction.output_id(index)] = output
        return transaction

    def let_in(self, block: Block, *, forged: bool) -> bool:
        """Whether the door lets the block in; with a forged signature it never does."""
        code = ""
        try:
            check_block(block, PARAMETERS)
        except ProtocolError as error:
            code = error.code
            self.refused[code] += 1
        # What was forged may break another rule as well, which is then named first.
        assert code if forged else code != SignatureInvalid.code, f"seed {self.seed}: {code}"
        return not code

    def attach(self, blocks: list[Block]) -> None:
        """Attach `blocks` in one commit."""
        answers = self.node.add(blocks, self.world.at * 1000).answers
        assert all(isinstance(answer, Receipt) for answer in answers), f"seed {self.seed}: {answers}"
        self.sent |= {block.id: block.payload for block in blocks if isinstance(block.payload, Transaction)}

    def trouble(self) -> None:
        """Perhaps a milestone whose commit fails, or a start from the journal; neither may change anything."""
        chance = self.rng.random()
        if self.node.reading.waiting_count or chance > 0.2:
            return
        if chance < 0.1:
            self.fail()
        else:
            self.node.close()
            self.node = open_node(self.path, parameters=PARAMETERS, seed=self.seed)

    def fail(self) -> None:
        """Issue a milestone that cannot be written."""
        with self.node.engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE TRIGGER no_more BEFORE INSERT ON milestones "
                    "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
                )
            )
        with pytest.raises(DatabaseError, match="disk is full"):
            self.node.issue_milestone(self.world.at)
        with self.node.engine.begin() as connection:
            connection.execute(text("DROP TRIGGER no_more"))

    def settle(self, at: int) -> None:
        """Issue the milestone of time `at`, and look at all that it did."""
        world = self.world
        essence = self.node.issue_milestone(at)
        assert essence.timestamp == at
        before = dict(world.gone)
        with self.node.engine.connect() as connection:
            records = queries.milestone_blocks(connection, essence.index)
        for record in records:
            transaction = self.sent.get(record.block.block_id)
            assert record.referenced is not None
            assert (transaction is None) == (record.referenced.inclusion == Inclusion.NO_TRANSACTION)
            if transaction is not None:
                self.take_over(transaction, Conflict(record.referenced.conflict_reason or 0), at, before)
        check_chains(world.unspent, self.seed)
        self.compare()
        world.at = at + 2

    def take_over(
        self, transaction: Transaction, reason: Conflict, at: int, before: Mapping[bytes, Output]
    ) -> None:
        """Look at what became of a transaction, and do the same in the world.

        Parameters
        ----------
        before : what earlier milestones had spent
        """
        place = f"seed {self.seed}, at {at}, transaction {transaction.id.hex()}"
        self.reasons[reason] += 1
        assert reason is self.expected(transaction, at, before), place
        if reason is not Conflict.NONE:
            return
        world, ids = self.world, [consumed.output_id for consumed in transaction.essence.inputs]
        inputs = {output_id: world.unspent.pop(output_id) for output_id in ids}
        try:
            check_transaction(transaction, inputs, at)
        except AssertionError as error:
            raise AssertionError(place) from error
        self.steps.update(kinds(transaction, list(inputs.values())))
        world.gone |= inputs
        for index, output in enumerate(transaction.essence.outputs):
            world.unspent[transaction.output_id(index)] = output

    def expected(self, transaction: Transaction, at: int, before: Mapping[bytes, Output]) -> Conflict:
        """What the world says of a transaction that is next in order."""
        world, ids = self.world, [consumed.output_id for consumed in transaction.essence.inputs]
        for output_id in ids:
            if output_id in before:
                return Conflict.INPUT_ALREADY_SPENT
            if output_id in world.gone:
                return Conflict.INPUT_ALREADY_SPENT_IN_THIS_MILESTONE
            if output_id not in world.unspent:
                return Conflict.INPUT_NOT_FOUND
        return check_semantics(transaction, [Consumed(i, world.unspent[i], at) for i in ids], at)

    def compare(self) -> None:
        """The tables of the node say what the world says."""
        with self.node.engine.connect() as connection:
            rows = list(journal.all_outputs(connection))
            assert journal.unspent_total(connection) == PARAMETERS.token_supply, f"seed {self.seed}"
        unspent = {row.output_id: row.data for row in rows if row.spent_index is None}
        spent = {row.output_id: row.data for row in rows if row.spent_index is not None}
        assert unspent == {i: output.encode() for i, output in self.world.unspent.items()}, f"seed {self.seed}"
        assert spent == {i: output.encode() for i, output in self.world.gone.items()}, f"seed {self.seed}"


def forged(transaction: Transaction, rng: random.Random) -> Transaction:
    """The same with one bit of a signature, or of what it signs, turned."""
    places = [i for i, unlock in enumerate(transaction.unlocks) if isinstance(unlock, SignatureUnlock)]
    if rng.random() < 0.3:
        wrong = bytes(byte ^ 1 for byte in transaction.essence.inputs_commitment)
        return replace(transaction, essence=replace(transaction.essence, inputs_commitment=wrong))
    unlocks = list(transaction.unlocks)
    place = rng.choice(places)
    chosen = unlocks[place]
    assert isinstance(chosen, SignatureUnlock)
    data = bytearray(chosen.signature.signature)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    unlocks[place] = SignatureUnlock(replace(chosen.signature, signature=bytes(data)))
    return replace(transaction, unlocks=tuple(unlocks))
