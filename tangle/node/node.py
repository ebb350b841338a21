"""The node: memory and what is asked of it.

What changes it (`attach`, `issue`, `sample`) changes memory and returns a `Step`. Who runs the node writes the
step, then has it shown to readers (`publish`). When that fails, or no step could be taken at all, memory is wrong:
`lose` drops it, and nothing is answered from it until `reload` has made it what the database says. Threads: one
calls all methods; all others use `reading`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tangle.errors import TangleError
from tangle.node.attach import attach
from tangle.node.errors import MemoryUnsound
from tangle.node.issue import Search, has_news, issue
from tangle.node.memory import Memory, load
from tangle.node.reading import Reading
from tangle.node.settings import NodeSettings
from tangle.node.step import Step
from tangle.node.still import Still
from tangle.node.tips import fill_pool
from tangle.protocol.blocks import Block
from tangle.protocol.milestones import NO_ID
from tangle.state.confidence import Sample
from tangle.state.finality import Finality
from tangle.state.finality.milestones import Milestones
from tangle.store import journal, queries, seals
from tangle.store.engine import OwnConnection, check_pages, migrate, open_engine
from tangle.store.errors import AuditFailed, DatabaseDamaged, NoNetwork
from tangle.store.rows import CrossingRow
from tangle.tipselect import confidence

PAGES_AT_START_BYTES = 16 * 2**20
"""bytes of a database whose pages are all looked through at each start; `tangle audit` does so with any"""


class Node:
    """A ledger node over one database.

    Parameters
    ----------
    engine : of a migrated database that holds a network; the node only reads
    coordinator_seeds : Ed25519 seeds (32 bytes) that sign milestones; empty for a node that only follows

    Attributes
    ----------
    engine : for all other threads
    own : the connection of the thread that calls the methods
    reading : for all other threads; replaced whole

    Raises
    ------
    NoNetwork : the database holds none
    """

    reading: Reading

    def __init__(
        self,
        engine: Engine,
        settings: NodeSettings | None = None,
        *,
        coordinator_seeds: Sequence[bytes] = (),
    ) -> None:
        network = journal.read_network(engine)
        if network is None:
            raise NoNetwork
        self.engine = engine
        self.settings = settings or NodeSettings()
        self.network = network
        self.parameters = network.parameters
        self._finality: Finality = Milestones(network.parameters, coordinator_seeds)
        self._rng = np.random.default_rng(self.settings.seed)
        self._select = self.settings.selection()
        self._loaded: Memory | None = None
        self._given: int
        self.own = OwnConnection(engine)
        try:
            self.reload()
        except BaseException:
            self.own.close()
            raise

    @classmethod
    def open(cls, url: str, settings: NodeSettings | None = None, **kwargs: Any) -> Self:
        """Open the database at `url`, migrate it, and audit the ledger.

        Raises
        ------
        StoreError : an unknown revision, a damaged file
        NoNetwork, AuditFailed
        """
        engine = open_engine(url)
        try:
            migrate(engine)
            check_pages(engine, PAGES_AT_START_BYTES)
            node = cls(engine, settings, **kwargs)
            node.audit()
        except (TangleError, SQLAlchemyError):
            engine.dispose()
            raise
        except Exception as error:
            # A damaged file can read as anything, a missing value where there must be one included.
            engine.dispose()
            raise DatabaseDamaged(str(error)) from error
        return node

    def close(self) -> None:
        """Let go of the database."""
        self.own.close()
        self.engine.dispose()

    def audit(self) -> None:
        """Check what a start has time for: the newest rows against their seals, the ledger against the supply.

        Raises
        ------
        AuditFailed, DatabaseDamaged
        """
        with self.own.reading() as connection:
            seals.check(connection, seals.CHECKED_AT_START)
            unspent = journal.unspent_total(connection)
        if unspent != self.parameters.token_supply:
            supply = self.parameters.token_supply
            raise AuditFailed(f"unspent outputs add up to {unspent} base units, the supply is {supply}")

    def reload(self) -> None:
        """Make memory what the database says. When this raises, there is none."""
        self.lose()
        self._loaded = memory = load(self.own, self.network, self._finality, self.settings)
        self._given = 0
        try:
            self.reading = self._with_tips(Reading.of(memory))
        except BaseException:
            self.lose()
            raise

    def lose(self) -> None:
        """Forget everything: a step was taken in memory, and not, or perhaps not, in the database."""
        self._loaded = None

    @property
    def lost(self) -> bool:
        """Whether `reload` is needed before anything else."""
        return self._loaded is None

    @property
    def committed(self) -> int:
        """The number of the last durable event."""
        return self._memory.committed

    def _settled(self) -> Memory:
        """Memory that a step may begin on: all of it is durable."""
        memory = self._memory
        if memory.next_number - 1 > memory.committed:
            raise MemoryUnsound("it holds a step that was never written")
        return memory

    @property
    def _memory(self) -> Memory:
        if self._loaded is None:
            raise MemoryUnsound("it has to be read again after a failure")
        return self._loaded

    def publish(self) -> None:
        """Show readers what has become durable."""
        memory = self._memory
        self.reading = self.reading.followed_by(memory)
        memory.committed = memory.next_number - 1

    def attach(self, blocks: Sequence[Block], now_ms: int | None = None) -> Step:
        """Attach a batch of blocks that passed `check_block`.

        Parameters
        ----------
        now_ms : arrival time, milliseconds since the Unix epoch
        """
        return attach(self._settled(), blocks, int(time.time() * 1000) if now_ms is None else now_ms)

    def forget_waiting(self, block_id: bytes) -> bytes | None:
        """Give up on a block that waits; returns a parent it missed, None when it does not wait (any more)."""
        room = self._memory.room
        if block_id not in room:
            return None
        missing = room.missing(block_id)
        room.forget(block_id)
        self.publish()
        return missing

    def has_news(self) -> bool:
        """Whether a milestone would reference more than its predecessor; lazy blocks alone can wait."""
        return has_news(self._memory)

    def issue(self, now: int, search: Search | None = None, rules: Collection[str] = ()) -> Step:
        """Issue, sign and apply the next milestone.

        Parameters
        ----------
        now : seconds since the Unix epoch
        search : does the work of checkpoint blocks, which bring in what others left behind or pass by; without it
            that waits its turn
        rules : that the milestone switches on for all that follow
        """
        return issue(self._settled(), self._select, self._rng, now, search, rules)

    def refresh_tips(self) -> None:
        """Fill the pool with new selections."""
        self.reading = self._with_tips(self.reading)

    def sample(self) -> Step:
        """Draw walks anew, and write the crossings of thresholds down."""
        memory, step, walks = self._settled(), Step(), self.settings.confidence_walks
        dag, entry = memory.window.dag, self._finality.entries(memory.window)
        dag.flush()
        hits = confidence.hits(dag.graph, walks, self._rng, alpha=self._select.alpha, entry=entry)
        for crossing in memory.board.update(Sample(dag.low, dag.numbers, hits, walks)):
            block_id = dag.id_of(crossing.index)
            if block_id == NO_ID:
                continue
            values = crossing.threshold, crossing.hits, crossing.walks
            number = memory.take_number()
            step.batch.crossings.append(CrossingRow(number, dag.number_of(crossing.index), *values))
            step.events.append(queries.CrossingEvent(number, block_id, *values))
        return step

    def still(self) -> Still:
        """A copy of the window, for questions that take long."""
        return Still.of(self._memory, self._select)

    def _with_tips(self, reading: Reading) -> Reading:
        given = next(reading.asked)
        pool, total = fill_pool(self._memory, self._select, self._rng, given - self._given)
        self._given = given + 1
        return replace(reading, pool=pool, tip_total=total)
