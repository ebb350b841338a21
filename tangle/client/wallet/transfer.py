"""A signed transaction from chosen inputs (TIP-20): inputs commitment and unlocks.

Pure and deterministic: the same coins, outputs and keys always give the same bytes, so a transaction that is built
twice is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tangle.client.errors import NotControlled
from tangle.client.wallet.draft import Draft, Unlocked
from tangle.client.wallet.selection import Coin, check_fit
from tangle.protocol.addresses import Address, AliasAddress
from tangle.protocol.errors import BlockTooLong
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import BasicOutput, Output, storage_deposit
from tangle.protocol.parameters import PAYLOAD_BYTES_MAX, ProtocolParameters
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    AliasUnlock,
    Ed25519Signature,
    NftUnlock,
    ReferenceUnlock,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    Unlock,
    UtxoInput,
    check_transaction,
    inputs_commitment,
)


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
    inputs = tuple(Unlocked(coin, coin.output.owner) for coin in coins)
    return sign_draft(Draft(inputs, (*outputs, *rest)), key_of, parameters, payload)


def sign_draft(
    draft: Draft,
    key_of: Callable[[Address], KeyPair],
    parameters: ProtocolParameters,
    payload: TaggedData | None = None,
) -> Transaction:
    """The transaction of a draft, signed, and checked as a node checks it.

    Parameters
    ----------
    key_of : the keys of an Ed25519 address; KeyError for an address without

    Raises
    ------
    NotControlled : an input's address is opened by no key and no earlier input
    ProtocolError : an output or the transaction breaks a rule of TIP-19, 20 or 24
    """
    essence = TransactionEssence(
        parameters.network_id,
        tuple(UtxoInput.of(one.coin.output_id) for one in draft.inputs),
        inputs_commitment(one.coin.output for one in draft.inputs),
        draft.outputs,
        payload,
    )
    transaction = Transaction(essence, _unlocks(draft.inputs, key_of, essence.hash))
    check_transaction(transaction, parameters)
    size = len(transaction.encoded)
    if size > PAYLOAD_BYTES_MAX:
        raise BlockTooLong("transaction", f"{size} bytes are more than the {PAYLOAD_BYTES_MAX} a block can hold")
    return transaction


def _unlocks(
    inputs: Sequence[Unlocked], key_of: Callable[[Address], KeyPair], message: bytes
) -> tuple[Unlock, ...]:
    """One signature per key, at its first input; others refer to it, or to the alias or NFT they belong to."""
    signed_at: dict[Address, int] = {}
    opened_at: dict[Address, int] = {}
    unlocks: list[Unlock] = []
    for i, one in enumerate(inputs):
        address = one.unlocker
        if address in opened_at:
            kind = AliasUnlock if isinstance(address, AliasAddress) else NftUnlock
            unlocks.append(kind(opened_at[address]))
        elif address in signed_at:
            unlocks.append(ReferenceUnlock(signed_at[address]))
        else:
            try:
                key = key_of(address)
            except KeyError:
                raise NotControlled(address.encode(), f"inputs[{i}]") from None
            signed_at[address] = i
            unlocks.append(SignatureUnlock(Ed25519Signature(key.public_key, key.sign(message))))
        if one.account is not None:
            opened_at.setdefault(one.account, i)
    return tuple(unlocks)
