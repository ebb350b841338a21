"""What a reader waits for once it has read all that its node holds, in words: a silence has a reason."""

from __future__ import annotations

from dataclasses import dataclass

from tangle.mam import Access
from tangle.protocol.serial import to_hex

_ROOT_DIGITS = 8
"""digits of a root that are shown; whoever reads along may not get the whole"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing comes.

    Attributes
    ----------
    index : of the message that is awaited
    access : under whose address it is looked for
    seen : blocks that lay under the addresses of the channel so far
    has_read : whether any message of the channel was among them
    missing : indexes that are awaited while a later message is there; None if none is
    """

    index: int
    access: Access
    seen: int
    has_read: bool
    missing: range | None = None

    def __str__(self) -> str:
        if self.missing is not None:
            return f"message {self.missing.start}, which is missing: message {self.missing.stop} is there"
        if self.has_read:
            return f"message {self.index}"
        return f"message {self.index} of root {self._root}; {self._there}"

    @property
    def _root(self) -> str:
        root = to_hex(self.access.root)
        return f"{root[: 2 + _ROOT_DIGITS]}… ({self.access.mode.name.lower()})"

    @property
    def _there(self) -> str:
        address = to_hex(self.access.address)
        if not self.seen:
            return f"nothing lies under its address {address}"
        blocks = "1 block" if self.seen == 1 else f"{self.seen:,} blocks"
        return f"{blocks} seen under its address {address}, none opens with this key"
