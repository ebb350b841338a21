"""Unspent outputs that milestones created lately, as the objects they came in as.

A coin that moves is mostly a young one. What came in decoded need not be read from the database and decoded again
for the transaction that consumes it. The database stays the truth: what is not here is asked there, and after a
failed commit this begins empty.
"""

from __future__ import annotations

from collections.abc import Iterable

from tangle.protocol.outputs import Output
from tangle.state.ledger import Changes, Found

RECENT_BYTES_MAX = 64 * 1024 * 1024
"""bytes, estimated, that are kept"""
OBJECT_BYTES = 1_024
"""bytes of an output's objects beside its binary form, estimated (a basic output with one condition)"""


class RecentOutputs:
    """Unspent outputs by id, the oldest of which go when there is no more room.

    Parameters
    ----------
    bytes_max : of all that is kept, estimated
    """

    def __init__(self, bytes_max: int = RECENT_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.bytes_held = 0
        self._held: dict[bytes, Found] = {}

    def __len__(self) -> int:
        return len(self._held)

    def find(self, output_ids: Iterable[bytes]) -> dict[bytes, Found]:
        """Those of `output_ids` (34 bytes each) that are here."""
        return {output_id: self._held[output_id] for output_id in output_ids if output_id in self._held}

    def take(self, changes: Changes, at: int) -> None:
        """Follow what a milestone of time `at` did: forget what it spent, keep what it created."""
        for output_id in changes.spent:
            self._drop(output_id)
        for output_id, (output, _) in changes.created.items():
            if output_id not in changes.spent:
                self._held[output_id] = Found(output, at)
                self.bytes_held += _size(output)
        while self.bytes_held > self.bytes_max:
            self._drop(next(iter(self._held)))

    def _drop(self, output_id: bytes) -> None:
        found = self._held.pop(output_id, None)
        if found is not None:
            self.bytes_held -= _size(found.output)


def _size(output: Output) -> int:
    return len(output.encode()) + OBJECT_BYTES
