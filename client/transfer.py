"""A signed transaction from chosen coins (TIP-20): remainder, inputs commitment, unlocks.

Pure and deterministic: the same coins, outputs and keys always give the same bytes, so a transaction that is built
twice is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from client.keys import KeyPair
from client.selection import Coin, check_fit
from tangle.protocol.addresses import Address
from tangle.protocol.errors import BlockTooLong
from tangle.protocol.outputs import BasicOutput, Output, storage_deposit
from tangle.protocol.parameters import BLOCK_BYTES_MAX, PARENTS_MAX, ProtocolParameters
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    Ed25519Signature,
    ReferenceUnlock,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    Unlock,
    UtxoInput,
    check_transaction,
    inputs_commitment,
)

TRANSACTION_BYTES_MAX = BLOCK_BYTES_MAX - (1 + 1 + 32 * PARENTS_MAX + 4 + 8)
"""bytes; what a block with all its parents leaves for its payload; TIP-24"""


def least_remainder(address: Address, parameters: ProtocolParameters) -> int:
    """Storage deposit, in base units, of an output that holds nothing but an amount for `address`."""
    return storage_deposit(BasicOutput.to(address, 1), parameters)


def sign_transfer(
    coins: Sequence[Coin],
    outputs: Sequence[Output],
    key_of: Callable[[Address], KeyPair],
    remainder_to: Address,
    parameters: ProtocolParameters,
    payload: TaggedData | None = None,
) -> Transaction:
    """A transaction that turns `coins` into `outputs` and one more for what remains; checked as a node checks it.

    Raises
    ------
    InsufficientFunds, RemainderTooSmall : the coins do not fit the outputs
    ProtocolError : an output or the transaction breaks a rule of TIP-19, 20 or 24
    """
    total, needed = sum(coin.amount for coin in coins), sum(output.amount for output in outputs)
    check_fit(total, needed, least_remainder(remainder_to, parameters))
    rest = [BasicOutput.to(remainder_to, total - needed)] if total > needed else []
    essence = TransactionEssence(
        parameters.network_id,
        tuple(UtxoInput.of(coin.output_id) for coin in coins),
        inputs_commitment(coin.output for coin in coins),
        (*outputs, *rest),
        payload,
    )
    transaction = Transaction(essence, _unlocks(coins, key_of, essence.hash))
    check_transaction(transaction, parameters)
    size = len(transaction.encoded)
    if size > TRANSACTION_BYTES_MAX:
        raise BlockTooLong(
            "transaction", f"{size} bytes are more than the {TRANSACTION_BYTES_MAX} a block can hold"
        )
    return transaction


def _unlocks(coins: Sequence[Coin], key_of: Callable[[Address], KeyPair], message: bytes) -> tuple[Unlock, ...]:
    """One signature per address, at its first input; the others refer to it."""
    signed_at: dict[Address, int] = {}
    unlocks: list[Unlock] = []
    for i, coin in enumerate(coins):
        address = coin.output.owner
        first = signed_at.setdefault(address, i)
        if first < i:
            unlocks.append(ReferenceUnlock(first))
        else:
            key = key_of(address)
            unlocks.append(SignatureUnlock(Ed25519Signature(key.public_key, key.sign(message))))
    return tuple(unlocks)
