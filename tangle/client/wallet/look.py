"""What a wallet sees at one moment, and the transaction that an intent becomes there. Pure: no node, no clock.

A program without a wallet makes one from unspent outputs that it knows::

    look = Look(holdings(coins, [key.address], at), parameters, key.address)
    transaction = sign_draft(look.draft(Intent([output])), {key.address: key}.__getitem__, parameters)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tangle.client.errors import UnknownChain
from tangle.client.wallet.compose import compose
from tangle.client.wallet.draft import Draft, Intent
from tangle.client.wallet.holdings import Holding, Holdings
from tangle.protocol.addresses import Address
from tangle.protocol.parameters import ProtocolParameters


@dataclass(frozen=True, slots=True)
class Look:
    """Holdings at one moment.

    Attributes
    ----------
    home : own address that takes what remains
    pending : output id -> id of the pending transaction that consumes it
    """

    held: Holdings
    parameters: ProtocolParameters
    home: Address
    pending: Mapping[bytes, bytes] = field(default_factory=dict)

    def draft(self, intent: Intent, *, choose: bool = True) -> Draft:
        """The transaction that does what `intent` says and nothing else. Raises as `compose`."""
        return compose(self.held, intent, self.home, self.parameters, pending=self.pending, choose=choose)

    def is_free(self, one: Holding) -> bool:
        """Whether no pending transaction consumes it."""
        return one.output_id not in self.pending

    def chain(self, kind: str, chain_id: bytes) -> Holding:
        """What carries an alias, NFT or foundry of ours. Raises UnknownChain."""
        if chain_id not in self.held.chains:
            raise UnknownChain(kind, chain_id)
        return self.held.chains[chain_id]
