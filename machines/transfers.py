"""Transfers of coins, built and signed without asking anyone.

Inputs, outputs and the note are all given, and Ed25519 signatures are deterministic, so the same call
always makes the same transaction with the same id. That is what exactly-once rests on: a transfer that is
posted twice is one transfer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client.keys import KeyPair
from tangle.protocol.outputs import Output
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.signatures import sign
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    Ed25519Signature,
    ReferenceUnlock,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    Unlock,
    UtxoInput,
    inputs_commitment,
)


@dataclass(frozen=True, slots=True)
class Coin:
    """An output that exists or, once a stored transaction is included, will exist."""

    output_id: bytes
    output: Output

    @property
    def amount(self) -> int:
        """Base units."""
        return self.output.amount


def transfer(
    coins: Sequence[Coin],
    outputs: Sequence[Output],
    note: TaggedData,
    key: KeyPair,
    parameters: ProtocolParameters,
) -> Transaction:
    """A signed transaction that turns `coins`, all of `key`, into `outputs`.

    Raises
    ------
    ValueError : the amounts differ, or a coin belongs to another key
    """
    if sum(coin.amount for coin in coins) != sum(output.amount for output in outputs):
        raise ValueError("a transfer gives exactly what it takes")
    if any(coin.output.address != key.address for coin in coins):
        raise ValueError("a coin belongs to another key")
    essence = TransactionEssence(
        parameters.network_id,
        tuple(UtxoInput.of(coin.output_id) for coin in coins),
        inputs_commitment(coin.output for coin in coins),
        tuple(outputs),
        note,
    )
    signature = Ed25519Signature(key.public_key, sign(key.seed, essence.hash))
    unlocks: list[Unlock] = [SignatureUnlock(signature)]
    unlocks += [ReferenceUnlock(0) for _ in coins[1:]]
    return Transaction(essence, tuple(unlocks))


def made_by(transaction: Transaction) -> list[Coin]:
    """The coins that `transaction` makes, in order of its outputs."""
    return [Coin(transaction.output_id(index), output) for index, output in enumerate(transaction.essence.outputs)]
