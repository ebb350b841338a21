"""What a wallet received and sent, from the node's records of its addresses.

A transaction that touches several own addresses is one entry, and own addresses are no counterparts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tangle.client.node.rest import NodeClient
from tangle.protocol.addresses import Address


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What one included transaction changed for a wallet.

    Attributes
    ----------
    amount : base units; positive when received, negative when sent, 0 when only moved between own addresses
    timestamp : of the milestone, unix seconds
    counterparts : bech32 addresses of others in the transaction
    """

    transaction_id: bytes
    amount: int
    milestone_index: int
    timestamp: int
    counterparts: tuple[str, ...]

    @property
    def kind(self) -> str:
        """``received``, ``sent`` or ``moved``."""
        return "received" if self.amount > 0 else "sent" if self.amount < 0 else "moved"


async def history_of(node: NodeClient, addresses: Collection[Address]) -> list[HistoryEntry]:
    """What every included transaction changed for the owner of `addresses`, oldest first."""
    own = {await node.bech32(address) for address in addresses}
    entries: dict[bytes, HistoryEntry] = {}
    for address in sorted(own):
        async for item in node.address_history(address):
            before = entries.get(item.transaction_id)
            entries[item.transaction_id] = HistoryEntry(
                item.transaction_id,
                item.amount + (before.amount if before else 0),
                item.milestone_index,
                item.timestamp,
                tuple(sorted({*item.counterparts, *(before.counterparts if before else ())} - own)),
            )
    return sorted(entries.values(), key=lambda entry: entry.milestone_index)
