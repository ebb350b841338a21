"""Unlocks: each input is unlocked in its turn, by what comes with it or by an earlier one (TIP-20, TIP-18).

Every output names the address that must be unlocked (`OutputRules.owner`). A signature unlocks an Ed25519
address, a reference repeats it, and the address of an alias or an NFT is unlocked by consuming the output
that carries it. An unlock refers to an earlier input, so circles of accounts that hold each other never unlock.
An input whose lock is shown asks the rules of locks (`locks`) in place of its address's key.

What unlocks show by themselves was checked when the block was let in: that signatures verify and references point
back. Here it is asked whether the key is the owner's, and the input referred to the right one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from tangle.protocol.addresses import Address, AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.conflicts import Conflict
from tangle.protocol.outputs import AliasOutput, NftOutput, TimelockUnlockCondition
from tangle.protocol.transactions import AliasUnlock, NftUnlock, ReferenceUnlock, SignatureUnlock
from tangle.state.rules.context import Context
from tangle.state.rules.locks import broken_by_lock
from tangle.state.rules.reasons import AnyRule, Rule, lock_rule, rule
from tangle.state.rules.table import OUTPUT_RULES

UnlockRule = Rule[[Context, int, Address]]
"""asked of the context, the position of the input, and the address that must be unlocked"""


@rule(18, Conflict.TIMELOCK_NOT_EXPIRED)
def timelock(ctx: Context, position: int, _: Address) -> bool:
    """The confirming milestone's timestamp must be equal or past the Unix Time of a Timelock Unlock Condition."""
    output = ctx.consumed[position].output
    if len(output.unlock_conditions) < 2:
        return True
    condition = output.condition(TimelockUnlockCondition)
    return condition is None or condition.unix_time <= ctx.at


@rule(20, Conflict.INPUT_UNLOCK_INVALID)
def signed_address(_: Context, __: int, owner: Address) -> bool:
    """Signature and Reference Unlock: the address must be an Ed25519 Address."""
    return isinstance(owner, Ed25519Address)


@rule(20, Conflict.SIGNATURE_INVALID)
def public_key(ctx: Context, position: int, owner: Address) -> bool:
    """Signature Unlock: the BLAKE2b-256 hash of Public Key must match the address."""
    unlock = cast("SignatureUnlock", ctx.transaction.unlocks[position])
    return Ed25519Address.from_public_key(unlock.signature.public_key) == owner


@rule(20, Conflict.INPUT_UNLOCK_INVALID)
def signed_once(ctx: Context, _: int, owner: Address) -> bool:
    """A Reference Unlock must be used if several inputs can be unlocked via the same Unlock."""
    return owner not in ctx.unlocked


@rule(20, Conflict.INPUT_UNLOCK_INVALID)
def reference(ctx: Context, position: int, owner: Address) -> bool:
    """Reference Unlock: the referenced Signature Unlock must be valid with respect to the UTXO."""
    unlock = cast("ReferenceUnlock", ctx.transaction.unlocks[position])
    return ctx.unlocked.get(owner) == unlock.reference


@rule(18, Conflict.INPUT_UNLOCK_INVALID)
def alias_address(_: Context, __: int, owner: Address) -> bool:
    """Alias Unlock: the address must be an Alias Address."""
    return isinstance(owner, AliasAddress)


@rule(18, Conflict.INPUT_UNLOCK_INVALID)
def alias_input(ctx: Context, position: int, owner: Address) -> bool:
    """Alias Unlock: the input at its index must be the Alias Output that the address names."""
    unlock = cast("AliasUnlock", ctx.transaction.unlocks[position])
    referred = ctx.consumed[unlock.reference]
    output = referred.output
    return isinstance(output, AliasOutput) and output.alias_address(referred.output_id) == owner


@rule(18, Conflict.INPUT_UNLOCK_INVALID)
def alias_moves(ctx: Context, _: int, owner: Address) -> bool:
    """Alias Unlock: the referenced Alias Output must be unlocked for state transition."""
    return owner in ctx.unlocked


@rule(18, Conflict.INPUT_UNLOCK_INVALID)
def nft_address(_: Context, __: int, owner: Address) -> bool:
    """NFT Unlock: the address must be an NFT Address."""
    return isinstance(owner, NftAddress)


@rule(18, Conflict.INPUT_UNLOCK_INVALID)
def nft_input(ctx: Context, position: int, owner: Address) -> bool:
    """NFT Unlock: the input at its index must be the NFT Output that the address names."""
    unlock = cast("NftUnlock", ctx.transaction.unlocks[position])
    referred = ctx.consumed[unlock.reference]
    output = referred.output
    return isinstance(output, NftOutput) and output.nft_address(referred.output_id) == owner


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def nft_kept(ctx: Context, _: int, owner: Address) -> bool:
    """NFT Unlock: the lock of the NFT must show no *pays* and no *voucher*, and no due may name the NFT."""
    return owner not in ctx.dealt


UNLOCK_RULES: Mapping[int, tuple[UnlockRule, ...]] = {
    SignatureUnlock.TYPE: (signed_address, signed_once, public_key),
    ReferenceUnlock.TYPE: (signed_address, reference),
    AliasUnlock.TYPE: (alias_address, alias_input, alias_moves),
    NftUnlock.TYPE: (nft_address, nft_input, nft_kept),
}
"""unlock type -> its rules; a rule may rely on those before it"""


def unlock_inputs(ctx: Context) -> Iterator[AnyRule]:
    """Unlock the inputs of `ctx` in order, filling `ctx.unlocked`; yields the rule that keeps an input locked."""
    for position, consumed in enumerate(ctx.consumed):
        rules = OUTPUT_RULES[consumed.output.TYPE]
        owner = rules.owner(ctx, consumed)
        if not timelock.holds(ctx, position, owner):
            yield timelock
        if position in ctx.entries:
            broken = broken_by_lock(ctx, position, owner)
            if broken is not None:
                yield broken
                continue
            # The lock's own address is never unlocked: an entry opens its own input only. The key that signed is.
            owner = Ed25519Address.from_public_key(ctx.transaction.signature_of(position).public_key)
        for asked in UNLOCK_RULES[ctx.transaction.unlocks[position].TYPE]:
            if not asked.holds(ctx, position, owner):
                yield asked
                break
        else:
            ctx.unlocked.setdefault(owner, position)
            account = rules.account(ctx, consumed) if rules.account else None
            if account is not None and account not in ctx.dealt:
                ctx.unlocked.setdefault(account, position)
