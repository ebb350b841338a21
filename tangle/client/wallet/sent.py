"""What became of something that a wallet was asked to do."""

from __future__ import annotations

from dataclasses import dataclass

from tangle.protocol.outputs import ChainOutput
from tangle.protocol.transactions import Transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction on its way; `milestone_index` is None when nobody waited for its inclusion."""

    transaction: Transaction
    block_id: bytes
    milestone_index: int | None


@dataclass(frozen=True, slots=True)
class Created:
    """A transaction that made an alias, a token or an NFT, its first output."""

    sent: Sent

    @property
    def chain_id(self) -> bytes:
        """The id of the alias or NFT (32 bytes), or of the token and its foundry (38 bytes)."""
        made = self.sent.transaction.essence.outputs[0]
        assert isinstance(made, ChainOutput)
        return made.chain_id(self.sent.transaction.output_id(0))

    @property
    def alias_id(self) -> bytes:
        return self.chain_id

    @property
    def nft_id(self) -> bytes:
        return self.chain_id

    @property
    def token_id(self) -> bytes:
        return self.chain_id


@dataclass(frozen=True, slots=True)
class Rounds:
    """Transactions that together did one thing.

    Attributes
    ----------
    rounds : at least one, in order
    left : ids (34 bytes) of outputs for whose place in the ledger the wallet had too few coins of its own
    """

    rounds: tuple[Sent, ...]
    left: tuple[bytes, ...] = ()

    @property
    def sent(self) -> Sent:
        """The last one."""
        return self.rounds[-1]
