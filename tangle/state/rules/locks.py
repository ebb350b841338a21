"""Locks: an input whose lock is shown asks these rules in place of its address's key (`docs/locks.md`).

A row per kind of condition: every one that is shown must be met. Signatures were verified when the block came in
(`tangle.protocol.locks.witness`); here it is asked whose they are, and whether the transaction does what the lock
asks for. What has to be paid is compared for all locks together (`dues`).

A signature counts wherever it stands in the transaction, an account only once an earlier input has unlocked it: so
circles of accounts still never unlock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from tangle.protocol.addresses import Address, AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.conflicts import Conflict
from tangle.protocol.locks import (
    BaseCoins,
    Carries,
    CoSignature,
    Makes,
    NoProof,
    OwnSignature,
    PartsShown,
    Pays,
    Preimage,
    Secret,
    Signed,
    Stake,
    Threshold,
    TokenAsset,
    Voucher,
    VoucherShown,
)
from tangle.protocol.locks.conditions import BLAKE2B_256, SHA_256
from tangle.protocol.locks.proofs import SignedProof
from tangle.protocol.outputs import AliasOutput, NftOutput, Output
from tangle.protocol.serial import blake2b_256
from tangle.protocol.transactions import AliasUnlock, NftUnlock, ReferenceUnlock, SignatureUnlock, Transaction
from tangle.state.rules.context import Context
from tangle.state.rules.dues import held_tokens
from tangle.state.rules.reasons import AnyRule, Rule, lock_rule

LockRule = Rule[[Context, int, Address]]
"""asked of the context, the position of the input, and the address that must be unlocked"""
ConditionRule = Rule[[Context, int, Any, Any]]
"""asked of the context, the position of the input, a condition that is shown, and its proof"""
AMOUNT = slice(1, 9)
"""bytes of the amount in the binary form of an output"""
HASHES: Mapping[int, Callable[[bytes], bytes]] = {
    BLAKE2B_256: blake2b_256,
    SHA_256: lambda data: hashlib.sha256(data).digest(),
}


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def lock_of_owner(ctx: Context, position: int, owner: Address) -> bool:
    """The lock that is shown for an input must hash to the address that must be unlocked."""
    return ctx.entries[position].lock.address == owner


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def key_unlock(ctx: Context, position: int, _: Address) -> bool:
    """An input whose lock is shown must have a Signature Unlock, by whatever key, or a Reference Unlock to one."""
    return isinstance(ctx.transaction.unlocks[position], SignatureUnlock | ReferenceUnlock)


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def covered(ctx: Context, position: int, _: Address) -> bool:
    """Where *signed* is shown, a signature unlock or an account of this transaction must meet one of them."""
    proofs = [proof for condition, proof in ctx.entries[position].shown if isinstance(condition, Signed)]
    return not proofs or any(isinstance(proof, OwnSignature) for proof in proofs)


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def signed(ctx: Context, _: int, condition: Signed, proof: SignedProof) -> bool:
    """*signed*: a key of the address must have signed, or an earlier input must have unlocked its alias or NFT."""
    if isinstance(proof, CoSignature):
        return True
    return condition.address in (ctx.signers if isinstance(condition.address, Ed25519Address) else ctx.unlocked)


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def co_signed(_: Context, __: int, condition: Signed, proof: SignedProof) -> bool:
    """*signed* by a co-signature: its key must be the address's."""
    if isinstance(proof, OwnSignature):
        return True
    return Ed25519Address.from_public_key(proof.public_key) == condition.address


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def threshold(_: Context, __: int, condition: Threshold, proof: PartsShown) -> bool:
    """*threshold*: the parts that are shown must weigh at least what is needed."""
    return sum(part.weight for part in condition.shown(proof.mask)) >= condition.need


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def preimage(_: Context, __: int, condition: Preimage, proof: Secret) -> bool:
    """*preimage*: what is shown must have the digest."""
    return HASHES[condition.hash](proof.preimage) == condition.digest


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def pays(ctx: Context, position: int, condition: Pays, _: NoProof) -> bool:
    """*pays* all of a native token: the input must hold some."""
    asset = condition.asset
    if condition.amount or not isinstance(asset, TokenAsset):
        return True
    return asset.token_id in held_tokens(ctx.consumed[position].output)


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def voucher(ctx: Context, position: int, condition: Voucher, proof: VoucherShown) -> bool:
    """*voucher*: what is taken must not exceed what the voucher allows, nor what the input holds."""
    output, asset = ctx.consumed[position].output, condition.asset
    held = output.amount if isinstance(asset, BaseCoins) else held_tokens(output).get(asset.token_id, 0)
    return proof.taken <= min(proof.cumulative, held)


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def stake(ctx: Context, position: int, condition: Stake, _: NoProof) -> bool:
    """*stake*: other inputs, opened by who owns them, must carry the tokens in outputs of that age."""
    if position not in ctx.owned:
        ctx.owned[position] = _Owners(ctx, position).tokens()
    owned = [held for since, held in ctx.owned[position] if ctx.at - since >= condition.age]
    return sum(held.get(condition.token_id, 0) for held in owned) >= condition.amount


class _Owners:
    """Which inputs their owners open, asked for the stake of the input `voter`.

    What the voter's own input opens is not its owner's, and neither is what a deal opens. What an alias or NFT
    opens has been its owner's for as long as the younger of the two is there. Accounts are asked of earlier inputs
    alone, and each input is asked once. Where a signature is missing that is shown, another rule is broken.
    """

    def __init__(self, ctx: Context, voter: int) -> None:
        self.ctx = ctx
        self.accounts = {
            _account(consumed.output, consumed.output_id): place for place, consumed in enumerate(ctx.consumed)
        }
        self.since: list[int | None] = []
        for place in range(len(ctx.consumed)):
            self.since.append(None if place == voter else self._since(place))

    def tokens(self) -> list[tuple[int, Mapping[bytes, int]]]:
        """Since when (seconds) and which tokens (id -> amount), for each such input that carries some."""
        held = (held_tokens(consumed.output) for consumed in self.ctx.consumed)
        return [(since, some) for since, some in zip(self.since, held, strict=True) if some and since is not None]

    def _since(self, place: int) -> int | None:
        ctx, unlock = self.ctx, self.ctx.transaction.unlocks[place]
        if isinstance(unlock, AliasUnlock | NftUnlock):
            openers = [self.since[unlock.reference]]
        elif place in ctx.entries:
            shown = ctx.entries[place].shown
            openers = [self._signed(one.address, place) for one, _ in shown if isinstance(one, Signed)]
        else:
            openers = [0]
        found = [opener for opener in openers if opener is not None]
        return max(ctx.consumed[place].created_at, min(found)) if found else None

    def _signed(self, address: Address, place: int) -> int | None:
        if isinstance(address, Ed25519Address):
            return 0
        opener = self.accounts.get(address, place)
        return self.since[opener] if opener < place else None


def _account(output: Output, output_id: bytes) -> AliasAddress | NftAddress | None:
    if isinstance(output, AliasOutput):
        return output.alias_address(output_id)
    return output.nft_address(output_id) if isinstance(output, NftOutput) else None


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def carries(ctx: Context, position: int, _: Carries, __: NoProof) -> bool:
    """*carries*: the alias or NFT of the input must have a next state."""
    consumed = ctx.consumed[position]
    account = _account(consumed.output, consumed.output_id)
    return account is not None and account.encode() in ctx.next


@lock_rule(Conflict.INPUT_UNLOCK_INVALID)
def makes(ctx: Context, _: int, condition: Makes, __: NoProof) -> bool:
    """*makes*: an alias output with the digest must be created, and none consumed."""
    if ctx.made is None:
        consumed = {blanked(one.output) for one in ctx.consumed if isinstance(one.output, AliasOutput)}
        ctx.made = {blanked(one) for one in ctx.created if isinstance(one, AliasOutput)} - consumed
    return condition.digest in ctx.made


def blanked(output: AliasOutput) -> bytes:
    """Digest of an alias output whose amount, tokens, state index, state metadata and counter are 0 or empty."""
    empty = replace(
        output, amount=1, native_tokens=(), state_index=0, state_metadata=b"", foundry_counter=0
    ).encode()
    return blake2b_256(empty[: AMOUNT.start] + bytes(8) + empty[AMOUNT.stop :])


def signers_of(transaction: Transaction) -> frozenset[Address]:
    """The addresses of the keys of all signature unlocks."""
    return frozenset(
        Ed25519Address.from_public_key(unlock.signature.public_key)
        for unlock in transaction.unlocks
        if isinstance(unlock, SignatureUnlock)
    )


ENTRY_RULES: tuple[LockRule, ...] = (lock_of_owner, key_unlock, covered)
"""asked of every input whose lock is shown"""
CONDITION_RULES: Mapping[int, tuple[ConditionRule, ...]] = {
    Signed.TYPE: (signed, co_signed),
    Threshold.TYPE: (threshold,),
    Preimage.TYPE: (preimage,),
    Pays.TYPE: (pays,),
    Voucher.TYPE: (voucher,),
    Stake.TYPE: (stake,),
    Carries.TYPE: (carries,),
    Makes.TYPE: (makes,),
}
"""kind of condition -> its rules, asked of every one that is shown"""
LOCK_RULES: tuple[AnyRule, ...] = (*ENTRY_RULES, *chain.from_iterable(CONDITION_RULES.values()))


def broken_by_lock(ctx: Context, position: int, owner: Address) -> AnyRule | None:
    """The first rule that a shown lock breaks: of the entry, then of its conditions, depth first."""
    for asked in ENTRY_RULES:
        if not asked.holds(ctx, position, owner):
            return asked
    for condition, proof in ctx.entries[position].shown:
        for rule in CONDITION_RULES[condition.TYPE]:
            if not rule.holds(ctx, position, condition, proof):
                return rule
    return None
