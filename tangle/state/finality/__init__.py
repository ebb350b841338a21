"""When blocks become final: four questions, asked of whatever rule a network follows.

An implementation holds keys and parameters; what it is asked about is in the `Window` that it is handed. It
changes nothing, so a settlement may be judged as often as one likes, on any node.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from tangle.protocol.blocks import Block
from tangle.state.ledger import Find
from tangle.state.settlement import Settlement
from tangle.state.window import Window


class Finality(Protocol):
    """A rule of finality."""

    def judge(self, window: Window, block: Block, find: Find) -> Settlement | None:
        """What becomes final by attaching `block`, whose parents are in the window; None for an ordinary one.

        Raises
        ------
        MilestoneOutOfOrder : it does not follow the newest settlement
        MilestoneInvalid : what it carries as evidence proves nothing
        """

    def propose(
        self, window: Window, parents: Sequence[bytes], find: Find, now: int, rules: Collection[str] = ()
    ) -> Settlement:
        """What a block upon `parents` that carries the evidence of the returned settlement would settle.

        Parameters
        ----------
        now : seconds since the Unix epoch; a settlement is later than the one before, whatever the clock says
        rules : that it switches on for all that follows it
        """

    def entries(self, window: Window) -> list[int] | None:
        """Indices of blocks that walks start at, whose past is settled; None leaves it to the walks."""

    def floor(self, index: int) -> int:
        """The oldest cone root that blocks may have which the settlement after `index` references.

        Roots are those as of settlement `index`. What has an older one is too old, for ever: its root stays the
        same as long as it is not referenced, and the floor rises.
        """
