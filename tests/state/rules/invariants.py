"""What every applied transaction must have kept to, asked in other words than the rules of the ledger ask it.

Nothing here uses `tangle.state.rules`: what the ledger lets through is looked at from outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tangle.protocol.addresses import Address, AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    ChainOutput,
    FoundryOutput,
    NftOutput,
    Output,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
)
from tangle.protocol.transactions import SignatureUnlock, Transaction
from tests.state.rules.builders import basic
from tests.state.rules.world import GOVERN, KEYS, MOVE, expired, owner_of


def check_transaction(transaction: Transaction, inputs: Mapping[bytes, Output], at: int) -> None:
    """All that can be said of one transaction, what it consumes, and the time at which it was confirmed."""
    check_balance(transaction, inputs)
    check_unlocked(transaction, inputs, at)
    check_returned(transaction, inputs, at)
    check_tokens(transaction, inputs)
    check_lasting(transaction, inputs)


def check_balance(transaction: Transaction, inputs: Mapping[bytes, Output]) -> None:
    """Base coins are neither made nor lost."""
    consumed = sum(output.amount for output in inputs.values())
    assert consumed == sum(output.amount for output in transaction.essence.outputs)


def next_state(created: tuple[Output, ...], output: Output, output_id: bytes) -> Output | None:
    """The created output that carries on the chain of `output`, if there is one."""
    if isinstance(output, BasicOutput):
        return None
    name = output.chain_id(output_id)
    same = [one for one in created if type(one) is type(output) and one.chain_id(bytes(34)) == name]
    return same[0] if same else None


def check_unlocked(transaction: Transaction, inputs: Mapping[bytes, Output], at: int) -> None:
    """Each input by itself: who owns it, and is there a signature at the end of the way?"""
    signers = {
        Ed25519Address.from_public_key(unlock.signature.public_key)
        for unlock in transaction.unlocks
        if isinstance(unlock, SignatureUnlock)
    }

    def opened(address: Address, depth: int = 0) -> bool:
        assert depth < 10
        if isinstance(address, Ed25519Address):
            return address in signers
        for output_id, output in inputs.items():
            if isinstance(output, AliasOutput) and AliasAddress(output.chain_id(output_id)) == address:
                return plan(output_id, output) == MOVE and opened(owner_of(output, MOVE, at), depth + 1)
            if isinstance(output, NftOutput) and NftAddress(output.chain_id(output_id)) == address:
                return opened(owner_of(output, MOVE, at), depth + 1)
        return False

    def plan(output_id: bytes, output: Output) -> str:
        following = next_state(transaction.essence.outputs, output, output_id)
        if isinstance(following, AliasOutput) and isinstance(output, AliasOutput):
            return MOVE if following.state_index == output.state_index + 1 else GOVERN
        return GOVERN

    for output_id, output in inputs.items():
        assert opened(owner_of(output, plan(output_id, output), at))
        timelock = output.condition(TimelockUnlockCondition)
        assert timelock is None or timelock.unix_time <= at
    consumed = {name_of(output_id, output) for output_id, output in inputs.items()}
    for index, created in enumerate(transaction.essence.outputs):
        assert created.sender is None or opened(created.sender)
        if isinstance(created, ChainOutput) and name_of(transaction.output_id(index), created) not in consumed:
            assert created.issuer is None or opened(created.issuer)


def name_of(output_id: bytes, output: Output) -> tuple[int, bytes]:
    """Tells chains apart, whatever their type."""
    return output.TYPE, b"" if isinstance(output, BasicOutput) else output.chain_id(output_id)


def check_returned(transaction: Transaction, inputs: Mapping[bytes, Output], at: int) -> None:
    """Whoever lent a storage deposit has it back, by outputs that ask for nothing."""
    for address in KEYS:
        owed = [
            output.condition(StorageDepositReturnUnlockCondition)
            for output in inputs.values()
            if not expired(output, at)
        ]
        due = sum(condition.amount for condition in owed if condition and condition.return_address == address)
        plain = (output for output in transaction.essence.outputs if output == basic(output.amount, address))
        assert sum(output.amount for output in plain) >= due


def check_lasting(transaction: Transaction, inputs: Mapping[bytes, Output]) -> None:
    """What must never change of a chain does not."""
    for output_id, output in inputs.items():
        following = next_state(transaction.essence.outputs, output, output_id)
        if isinstance(output, ChainOutput) and isinstance(following, ChainOutput):
            assert output.immutable_features == following.immutable_features
        if isinstance(output, FoundryOutput) and isinstance(following, FoundryOutput):
            assert output.token_scheme.maximum_supply == following.token_scheme.maximum_supply


def check_tokens(transaction: Transaction, inputs: Mapping[bytes, Output]) -> None:
    """Tokens increase by what their foundry says it minted, and by nothing else."""
    sums: Counter[bytes] = Counter()
    minted: Counter[bytes] = Counter()
    for sign, outputs in ((1, transaction.essence.outputs), (-1, tuple(inputs.values()))):
        for output in outputs:
            for token in output.native_tokens:
                sums[token.token_id] += sign * token.amount
            if isinstance(output, FoundryOutput):
                minted[output.foundry_id] += sign * output.token_scheme.minted
    for token_id, amount in sums.items():
        assert amount <= 0 or amount == minted[token_id]


def check_chains(unspent: Mapping[bytes, Output], seed: int) -> None:
    """No chain has two states, and no foundry has more tokens about than it minted and did not melt."""
    chains = [(o.TYPE, o.chain_id(i)) for i, o in unspent.items() if not isinstance(o, BasicOutput)]
    assert len(chains) == len(set(chains)), f"seed {seed}"
    about: Counter[bytes] = Counter()
    for output in unspent.values():
        for token in output.native_tokens:
            about[token.token_id] += token.amount
    for output in unspent.values():
        if isinstance(output, FoundryOutput):
            assert about[output.foundry_id] <= output.token_scheme.circulating, f"seed {seed}"


def kinds(transaction: Transaction, inputs: Sequence[Output]) -> set[str]:
    """What an applied transaction does with chains."""
    found = set()
    created = transaction.essence.outputs
    for consumed, output in zip(transaction.essence.inputs, inputs, strict=True):
        following = next_state(created, output, consumed.output_id)
        if isinstance(output, AliasOutput):
            same = isinstance(following, AliasOutput) and following.state_index == output.state_index
            found.add("ended" if following is None else "governed" if same else "alias")
        elif isinstance(output, NftOutput):
            found.add("nft" if following else "burned")
        elif isinstance(output, FoundryOutput):
            found.add("foundry" if following else "closed")
            if isinstance(following, FoundryOutput):
                found.add("minted" if following.token_scheme.minted > output.token_scheme.minted else "foundry")
                found.add("melted" if following.token_scheme.melted > output.token_scheme.melted else "foundry")
    return found
