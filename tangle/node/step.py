"""A step: what the node did in memory, and what has to follow of it outside.

The node touches no database with it and tells nobody. Who runs the node writes the batch, in one transaction; then
has the node show readers what it came to; then tells the events and gives the answers. Where writing fails nothing
of the step was ever true, and the node reloads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tangle.errors import TangleError
from tangle.state.ledger import Found
from tangle.store.events import Event
from tangle.store.rows import Batch


class Outcome(Enum):
    """What became of a block that was handed to `attach`."""

    ATTACHED = "attached"
    KNOWN = "known"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A block was taken; ATTACHED and KNOWN ones are durable once their step is."""

    block_id: bytes
    outcome: Outcome


@dataclass(slots=True)
class Step:
    """What is to be written, told and answered, in this order.

    Attributes
    ----------
    batch : rows of one transaction
    events : in order of number
    answers : one per block that was handed over, in order: a receipt, or the error that says why it was refused
    released : the same for blocks that had waited and whose parents came with this step, by block id
    stored : whether the database holds a block, by id, for those that it was asked for
    attached : ids of the blocks in `batch`, which the database does not know yet
    created : outputs that the step made, by id, which the database does not know yet either
    spent : ids of outputs that the step spends
    """

    batch: Batch = field(default_factory=Batch)
    events: list[Event] = field(default_factory=list)
    answers: list[Receipt | TangleError] = field(default_factory=list)
    released: dict[bytes, Receipt | TangleError] = field(default_factory=dict)
    stored: dict[bytes, bool] = field(default_factory=dict)
    attached: set[bytes] = field(default_factory=set)
    created: dict[bytes, Found] = field(default_factory=dict)
    spent: set[bytes] = field(default_factory=set)
