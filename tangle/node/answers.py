"""What the node answers: receipts, and its newest milestone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tangle.errors import TangleError


class Outcome(Enum):
    """What became of a block that was handed to `attach`."""

    ATTACHED = "attached"
    KNOWN = "known"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A block was taken; ATTACHED and KNOWN ones are durable."""

    block_id: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Attached:
    """The answer to a batch.

    Attributes
    ----------
    answers : one per block, in order: a receipt, or the error that says why it was refused
    released : the same for blocks that had waited and whose parents came with this batch, by block id
    """

    answers: list[Receipt | TangleError]
    released: dict[bytes, Receipt | TangleError]


@dataclass(frozen=True, slots=True)
class MilestoneState:
    """The newest milestone as readers see it."""

    index: int
    timestamp: int
    id: bytes
