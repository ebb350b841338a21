"""The little that a party needs of the Tangle, as a protocol, so that any node, or a few tables in a test,
can be it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tangle.client.wallet.selection import Coin
from tangle.protocol.addresses import Address
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.transactions import Transaction


@dataclass(frozen=True, slots=True)
class Heard:
    """Data found under a tag; `number` is the number of the event that brought it."""

    number: int
    data: bytes


class Ledger(Protocol):
    """What a party asks of a node."""

    async def parameters(self) -> ProtocolParameters:
        """The parameters of the network."""
        ...

    async def post(self, tag: bytes, data: bytes) -> bytes:
        """Post a tagged-data block; returns its id when the node has acknowledged it."""
        ...

    async def hear(self, tag: bytes, after: int) -> list[Heard]:
        """Data posted under `tag` after event number `after`, oldest first, at most a page of it."""
        ...

    async def coins(self, address: Address, tag: bytes | None = None) -> list[Coin]:
        """Unspent outputs of `address` in the ledger; with `tag`, those with that tag feature.

        Only plain ones count: who pays with an output that expires could take the units and then the coins back.
        """
        ...

    async def include(self, transaction: Transaction) -> int:
        """Bring `transaction` into the ledger, posting it as often as needed, and return its milestone's index.

        One that is in the ledger already is not posted again.

        Raises
        ------
        PaymentConflicting : another transaction has spent one of its inputs
        """
        ...
