"""Where a subscription stands, in a form that can be kept: reading goes on from it without a loss or a repeat.

A block has a number only within one journal of one node, so those are used with that one alone; with another the
tree of the channel is read again from its beginning, and what was delivered before is left out by its index.

A bookmark holds root and side key: it is as secret as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tangle.mam import Access, ArgumentInvalid, Mode
from tangle.protocol.errors import ProtocolError
from tangle.protocol.serial import Fields, Json, to_hex

VERSION = 1
"""of the JSON form"""
_COUNT_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where to go on.

    Attributes
    ----------
    access : the way into the tree to read
    start : index from which that tree is read, None before its first message; at most `index`
    index : of the first message that was not delivered
    after : number of the last block under the address that need not be read again
    told : number of the last block under the address whose event was delivered
    node : URL of the node to which the numbers belong
    store : the node's journal to which they belong, empty where it names none
    """

    access: Access
    start: int | None = None
    index: int = 0
    after: int = 0
    told: int = 0
    node: str = ""
    store: str = ""

    def to_json(self) -> Json:
        """The JSON form."""
        json: Json = {
            "version": VERSION,
            "mode": self.access.mode.name.lower(),
            "root": to_hex(self.access.root),
            "index": self.index,
            "after": self.after,
            "told": self.told,
            "node": self.node,
        }
        if self.access.side_key is not None:
            json["sideKey"] = to_hex(self.access.side_key)
        if self.start is not None:
            json["start"] = self.start
        if self.store:
            json["store"] = self.store
        return json

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read the JSON form. Raises ArgumentInvalid."""
        try:
            fields = Fields(value, "bookmark")
            if fields.integer("version", _COUNT_MAX) != VERSION:
                raise ArgumentInvalid("bookmark", f"its version must be {VERSION}")
            side_key = fields.data("sideKey", size=32) if "sideKey" in fields else None
            access = Access(Mode.named(fields.text("mode")), fields.data("root", size=32), side_key)
            start = fields.integer("start", _COUNT_MAX) if "start" in fields else None
            index, after, told = (fields.integer(name, _COUNT_MAX) for name in ("index", "after", "told"))
            store = fields.text("store") if "store" in fields else ""
            return cls(access, start, index, after, told, fields.text("node"), store)
        except ProtocolError as error:
            raise ArgumentInvalid("bookmark", str(error)) from None
