"""What an operator may choose, and why a node may not start."""

from __future__ import annotations

from dataclasses import dataclass

from tangle.protocol.errors import TangleError
from tangle.state.solidify import WAITING_BYTES_MAX
from tipselect.walk import ALPHA


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What an operator may choose.

    Attributes
    ----------
    alpha : how strongly walks prefer heavy branches, per block of weight
    tip_count : tips handed out when a caller names no number, 1 to 8
    tip_pool_min, tip_pool_max : selections kept ready; between the two, as many as were lately asked for
    confidence_walks : n, walks behind each confidence
    confidence_thresholds : shares told as events when first reached
    waiting_bytes_max : bytes of blocks that may wait for parents
    window_blocks_max : blocks in memory; more are refused until milestones move the window on
    seed : of all random choices; None draws one
    """

    alpha: float = ALPHA
    tip_count: int = 2
    tip_pool_min: int = 8
    tip_pool_max: int = 256
    confidence_walks: int = 100
    confidence_thresholds: tuple[float, ...] = (0.5, 0.95)
    waiting_bytes_max: int = WAITING_BYTES_MAX
    window_blocks_max: int = 1_000_000
    seed: int | None = None


class NodeError(TangleError):
    """The node cannot start or go on."""

    code = "node"


class AuditFailed(NodeError):
    """The ledger does not add up to the supply."""

    code = "audit_failed"

    def __init__(self, unspent: int, supply: int) -> None:
        super().__init__(unspent, supply)
        self.unspent = unspent
        self.supply = supply

    def __str__(self) -> str:
        return f"unspent outputs add up to {self.unspent} base units, the supply is {self.supply}"


class NoNetwork(NodeError):
    """The database holds no network yet."""

    code = "no_network"

    def __str__(self) -> str:
        return "the database holds no network; make one with `tangle init`"
