"""Messages of streams, made once however many listen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

FRAMES_BYTES = 4 * 2**20
"""bytes of frames kept for all listeners together"""


class Frames:
    """The newest frames, by the number of what they tell.

    Parameters
    ----------
    kept_bytes : of frames
    """

    def __init__(self, kept_bytes: int = FRAMES_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._frames: OrderedDict[int, bytes] = OrderedDict()
        self._size = 0

    def get(self, number: int) -> bytes | None:
        """The frame of that number, where it is kept."""
        return self._frames.get(number)

    def of(self, number: int, make: Callable[[], bytes]) -> bytes:
        """The frame of that number; what `make` returns, where it is not kept."""
        text = self._frames.get(number)
        if text is None:
            text = self._frames[number] = make()
            self._size += len(text)
            while self._size > self._kept_bytes:
                self._size -= len(self._frames.popitem(last=False)[1])
        return text
