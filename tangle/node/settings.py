"""What an operator may choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tangle.node.selection import Selection
from tangle.state.solidify import WAITING_BYTES_MAX
from tangle.tipselect.walk import ALPHA


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What an operator may choose.

    Attributes
    ----------
    selector : name of the tip selection, of `tangle.tipselect.selectors.SELECTORS`
    selector_settings : what that selector takes beside alpha, by name
    alpha : how strongly walks prefer heavy branches, per block of weight
    tip_count : tips handed out when a caller names no number, 1 to 8
    tip_pool_min, tip_pool_max : selections kept ready; between the two, as many as were lately asked for
    confidence_walks : n, walks behind each confidence; 400 put the interval of m = n above 0.99
    confidence_thresholds : shares told as events when first reached
    waiting_bytes_max : bytes of blocks that may wait for parents
    window_blocks_max : blocks in memory; more are refused until milestones move the window on
    seed : of all random choices; None draws one

    Raises
    ------
    tipselect.errors.BadSetting : a selector or a setting of one that nobody knows, or a value it cannot have
    """

    selector: str = "weighted"
    selector_settings: Mapping[str, float] = field(default_factory=dict)
    alpha: float = ALPHA
    tip_count: int = 2
    tip_pool_min: int = 8
    tip_pool_max: int = 256
    confidence_walks: int = 400
    confidence_thresholds: tuple[float, ...] = (0.5, 0.95, 0.99)
    waiting_bytes_max: int = WAITING_BYTES_MAX
    window_blocks_max: int = 1_000_000
    seed: int | None = None

    def __post_init__(self) -> None:
        self.selection()

    def selection(self) -> Selection:
        """The tip selection that these settings ask for."""
        return Selection.of(self.selector, self.alpha, self.selector_settings)
