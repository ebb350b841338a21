"""Random transactions over all output types: sound ones, and sound ones with one thing made wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from tangle.protocol.addresses import Address, AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.outputs import (
    NO_ID,
    AliasOutput,
    BasicOutput,
    ExpirationUnlockCondition,
    FoundryOutput,
    IssuerFeature,
    MetadataFeature,
    NativeToken,
    NftOutput,
    Output,
    SenderFeature,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
)
from tangle.protocol.transactions import AliasUnlock, NftUnlock, Unlock
from tests.networks import T0, Key
from tests.state.rules.builders import ALICE, BOB, CAROL, Held, Scene, alias, basic, foundry, nft

KEYS = {key.address: key for key in (ALICE, BOB, CAROL)}
MOVE, GOVERN, END = "move", "govern", "end"
WEIGHTS = {BasicOutput.TYPE: 2, AliasOutput.TYPE: 4, FoundryOutput.TYPE: 9, NftOutput.TYPE: 1}
"""how often outputs of a type are drawn; foundries are few and need much"""


class NoWay(Exception):
    """What was drawn cannot be unlocked."""


@dataclass
class World:
    """Everything unspent, and the time."""

    rng: random.Random
    unspent: dict[bytes, Output]
    at: int = T0
    gone: dict[bytes, Output] = field(default_factory=dict)

    def draft(self) -> Scene:
        """A sound transaction over one to three outputs and what is needed to unlock them. Raises NoWay."""
        return Draft(self).scene()

    def address(self) -> Address:
        """A key's address, or that of an alias or NFT that is there."""
        addresses: list[Address] = list(KEYS)
        for output_id, output in self.unspent.items():
            if isinstance(output, AliasOutput):
                addresses.append(AliasAddress(output.chain_id(output_id)))
            elif isinstance(output, NftOutput):
                addresses.append(NftAddress(output.chain_id(output_id)))
        return self.rng.choice(addresses[:3] if self.rng.random() < 0.6 else addresses)


class Draft:
    """A transaction in the making."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, world.rng
        self.consumed: list[Held] = []
        self.unlocks: list[Key | Unlock] = []
        self.plans: dict[bytes, str] = {}
        self.under_way: set[bytes] = set()

    def scene(self) -> Scene:
        pool = list(self.world.unspent)
        weights = [6 if output.native_tokens else WEIGHTS[output.TYPE] for output in self.world.unspent.values()]
        for output_id in self.rng.choices(pool, weights, k=self.rng.randint(1, 3)):
            self.consume(output_id, self.rng.choice([MOVE, MOVE, MOVE, MOVE, GOVERN, END]))
        if self.rng.random() < 0.5:
            self.gather()
        return Scene(self.consumed, self.unlocks, self.outputs(), at=self.world.at)

    def gather(self) -> None:
        """Consume all tokens of a consumed foundry, so that it may be destroyed."""
        foundries = {one.output.foundry_id for one in self.consumed if isinstance(one.output, FoundryOutput)}
        for output_id, output in self.world.unspent.items():
            if foundries & {token.token_id for token in output.native_tokens}:
                self.consume(output_id, MOVE)

    def consume(self, output_id: bytes, plan: str) -> int:
        """Add the input after those that it needs; returns its position."""
        for position, there in enumerate(self.consumed):
            if there.output_id == output_id:
                if plan == MOVE != self.plans[output_id] and isinstance(there.output, AliasOutput):
                    raise NoWay
                return position
        if output_id in self.under_way:
            raise NoWay
        self.under_way.add(output_id)
        self.plans[output_id] = plan
        output = self.world.unspent[output_id]
        timelock = output.condition(TimelockUnlockCondition)
        if timelock is not None and timelock.unix_time > self.world.at:
            raise NoWay
        unlock = self.unlock(owner_of(output, plan, self.world.at))
        self.consumed.append(Held(output_id, output))
        self.unlocks.append(unlock)
        return len(self.consumed) - 1

    def unlock(self, owner: Address) -> Key | Unlock:
        if isinstance(owner, Ed25519Address):
            return KEYS[owner]
        for output_id, output in self.world.unspent.items():
            if isinstance(output, AliasOutput) and AliasAddress(output.chain_id(output_id)) == owner:
                return AliasUnlock(self.consume(output_id, MOVE))
            if isinstance(output, NftOutput) and NftAddress(output.chain_id(output_id)) == owner:
                return NftUnlock(self.consume(output_id, MOVE))
        raise NoWay

    def outputs(self) -> list[Output]:
        self.made: list[Output] = []
        self.left = sum(one.output.amount for one in self.consumed)
        self.tokens: dict[bytes, int] = {}
        for one in self.consumed:
            for token in one.output.native_tokens:
                self.tokens[token.token_id] = self.tokens.get(token.token_id, 0) + token.amount
        for one in self.consumed:
            self.carry_on(one)
        self.pay_back()
        self.create()
        return self.made

    def make(self, output: Output) -> None:
        self.made.append(output)
        self.left -= output.amount
        for token in output.native_tokens:
            self.tokens[token.token_id] -= token.amount

    def carry_on(self, one: Held) -> None:
        output, plan = one.output, self.plans[one.output_id]
        if isinstance(output, AliasOutput):
            if plan == MOVE:
                self.move(output, output.chain_id(one.output_id))
            elif plan == GOVERN:
                holders = alias(1, controller=self.world.address(), governor=self.rng.choice(list(KEYS)))
                if output.alias_address(one.output_id) == holders.state_controller:
                    raise NoWay
                governed = replace(output, unlock_conditions=holders.unlock_conditions, features=())
                self.make(replace(governed, alias_id=output.chain_id(one.output_id)))
        elif isinstance(output, FoundryOutput):
            self.supply(output)
        elif isinstance(output, NftOutput) and plan != END:
            sent = nft(output.amount, output.chain_id(one.output_id), self.rng.choice(list(KEYS)))
            self.make(replace(sent, immutable_features=output.immutable_features))

    def move(self, output: AliasOutput, alias_id: bytes) -> None:
        new = self.rng.random() < 0.5 and output.foundry_counter < 3
        following = replace(
            output,
            alias_id=alias_id,
            state_index=output.state_index + 1,
            foundry_counter=output.foundry_counter + new,
            native_tokens=(),
            features=(),
        )
        if following.metadata != output.metadata:
            raise NoWay
        spare = following.amount // 2 if new else 0
        if new and not spare:
            raise NoWay
        self.make(replace(following, amount=following.amount - spare))
        if new:
            minted = self.rng.randint(0, 50)
            opened = foundry(spare, AliasAddress(alias_id), following.foundry_counter, minted, maximum=100)
            self.make(opened)
            self.tokens[opened.foundry_id] = minted

    def supply(self, output: FoundryOutput) -> None:
        scheme, token = output.token_scheme, output.foundry_id
        at_hand = self.tokens.get(token, 0)
        if at_hand == scheme.circulating and self.rng.random() < 0.3:
            self.tokens[token] = 0
            return
        minted = melted = 0
        if self.rng.random() < 0.5:
            minted = self.rng.randint(0, scheme.maximum_supply - scheme.circulating)
        else:
            melted = self.rng.randint(0, at_hand)
        counters = replace(scheme, minted=scheme.minted + minted, melted=scheme.melted + melted)
        self.make(replace(output, token_scheme=counters, native_tokens=()))
        self.tokens[token] = at_hand + minted - melted

    def pay_back(self) -> None:
        due: dict[Address, int] = {}
        for one in self.consumed:
            owed = one.output.condition(StorageDepositReturnUnlockCondition)
            if owed is not None and not expired(one.output, self.world.at):
                due[owed.return_address] = due.get(owed.return_address, 0) + owed.amount
        for address, amount in due.items():
            self.make(basic(amount, address))

    def create(self) -> None:
        """Whatever is left goes to new outputs; tokens that find no place in the last of them are burned."""
        rng = self.rng
        if self.left < 0:
            raise NoWay
        senders = [key.address for key in self.unlocks if isinstance(key, Key)]
        if self.left > 20 and rng.random() < 0.4:
            issuer = [IssuerFeature(rng.choice(senders))] if senders and rng.random() < 0.5 else []
            amount = rng.randint(1, self.left // 2)
            if rng.random() < 0.5:
                self.make(nft(amount, NO_ID, self.world.address(), immutable=issuer))
            else:
                self.make(alias(amount, controller=self.world.address(), immutable=issuer))
        while self.left > 0:
            amount = self.left if self.left < 20 or rng.random() < 0.5 else rng.randint(1, self.left)
            features = [SenderFeature(rng.choice(senders))] if senders and rng.random() < 0.3 else []
            self.make(
                basic(amount, self.world.address(), *features, tokens=self.some_tokens(), **self.terms(amount))
            )

    def terms(self, amount: int) -> dict[str, Any]:
        rng, at = self.rng, self.world.at
        terms: dict[str, Any] = {}
        if rng.random() < 0.2:
            terms["returns"] = (rng.choice(list(KEYS)), rng.randint(1, amount))
        if rng.random() < 0.2:
            terms["timelock"] = at + rng.randint(1, 3)
        if rng.random() < 0.3:
            terms["expires"] = (rng.choice(list(KEYS)), at + rng.randint(1, 3))
        return terms

    def some_tokens(self) -> list[NativeToken]:
        found = []
        for token in sorted(self.tokens):
            amount = self.tokens[token]
            if amount > 0 and self.rng.random() < 0.9:
                found.append(
                    NativeToken(token, self.rng.randint(1, amount) if self.rng.random() < 0.3 else amount)
                )
        return found


def owner_of(output: Output, plan: str, at: int) -> Address:
    """Who must unlock `output`, written down a second time, for tests."""
    if isinstance(output, AliasOutput):
        conditions = {condition.TYPE: condition for condition in output.unlock_conditions}
        return cast("Address", conditions[4 if plan == MOVE else 5].address)  # type: ignore[union-attr]
    expiration = output.condition(ExpirationUnlockCondition)
    if expiration is not None and at >= expiration.unix_time:
        return expiration.return_address
    return cast("Address", output.unlock_conditions[0].address)  # type: ignore[union-attr]


def expired(output: Output, at: int) -> bool:
    """Whether the time of the expiration condition has come."""
    expiration = output.condition(ExpirationUnlockCondition)
    return expiration is not None and at >= expiration.unix_time


Spoil = Callable[[Scene, World], Scene]


def spoil(scene: Scene, world: World) -> Scene:
    """`scene` with one thing changed. May raise the errors of values that cannot exist."""
    return world.rng.choice(SPOILS)(scene, world)


def _one_output(scene: Scene, rng: random.Random, change: Callable[[Output], Output]) -> Scene:
    outputs = list(scene.outputs)
    place = rng.randrange(len(outputs))
    outputs[place] = change(outputs[place])
    return scene.but(outputs=outputs)


def _amount(scene: Scene, world: World) -> Scene:
    more = world.rng.choice([-1, 1])
    return _one_output(scene, world.rng, lambda output: replace(output, amount=output.amount + more))


def _tokens(scene: Scene, world: World) -> Scene:
    more = world.rng.choice([-1, 1, 5])

    def change(output: Output) -> Output:
        tokens = (replace(token, amount=token.amount + more) for token in output.native_tokens)
        return replace(output, native_tokens=tuple(tokens))

    return scene.but(outputs=[change(output) for output in scene.outputs])


def _signer(scene: Scene, world: World) -> Scene:
    unlocks = list(scene.unlocks)
    unlocks[world.rng.randrange(len(unlocks))] = world.rng.choice([ALICE, BOB, CAROL])
    return scene.but(unlocks=unlocks)


def _refer(scene: Scene, world: World) -> Scene:
    """An unlock that refers to another input, as if that were the account."""
    unlocks = list(scene.unlocks)
    place = world.rng.randrange(len(unlocks))
    reference = world.rng.randrange(len(unlocks))
    unlocks[place] = AliasUnlock(reference) if world.rng.random() < 0.5 else NftUnlock(reference)
    return scene.but(unlocks=unlocks)


def _chain(scene: Scene, world: World) -> Scene:
    rng = world.rng

    def change(output: Output) -> Output:
        if isinstance(output, BasicOutput):
            return replace(output, features=(SenderFeature(rng.choice(list(KEYS))),))
        if rng.random() < 0.4:
            forged = MetadataFeature(b"forged") if rng.random() < 0.5 else IssuerFeature(rng.choice(list(KEYS)))
            return replace(output, immutable_features=(forged,))
        if isinstance(output, AliasOutput):
            if rng.random() < 0.5:
                return replace(output, state_index=output.state_index + 1)
            return replace(output, foundry_counter=3)
        if isinstance(output, FoundryOutput):
            scheme = output.token_scheme
            if rng.random() < 0.5:
                more = replace(scheme, maximum_supply=scheme.maximum_supply + 1)
                return replace(output, token_scheme=more)
            counters = {
                "minted": scheme.minted + rng.choice([-1, 1, 5]),
                "melted": scheme.melted + rng.choice([0, 1]),
            }
            return replace(output, token_scheme=replace(scheme, **counters))
        return output

    return _one_output(scene, rng, change)


def _divert(scene: Scene, world: World) -> Scene:
    """What one output holds goes to another address instead."""
    return _one_output(scene, world.rng, lambda output: basic(output.amount, world.rng.choice(list(KEYS))))


def _double(scene: Scene, world: World) -> Scene:
    """One output becomes two like it, base coins shared between them."""
    outputs = list(scene.outputs)
    one = outputs.pop(world.rng.randrange(len(outputs)))
    half = one.amount // 2
    return scene.but(outputs=[*outputs, replace(one, amount=half), replace(one, amount=one.amount - half)])


def _forge(scene: Scene, world: World) -> Scene:
    """One output becomes a chain's next state though the chain is somewhere else."""
    output_id, there = world.rng.choice(list(world.unspent.items()))
    if isinstance(there, AliasOutput):
        there = replace(there, alias_id=there.chain_id(output_id), state_index=there.state_index + 1)
    elif isinstance(there, NftOutput):
        there = replace(there, nft_id=there.chain_id(output_id))
    return _one_output(scene, world.rng, lambda output: replace(there, amount=output.amount))


def _steal(scene: Scene, world: World) -> Scene:
    """Something that an account owns is consumed as well, as if another input were the account."""
    inputs = {one.output_id for one in scene.consumed}
    owners = {i: owner_of(o, MOVE, world.at) for i, o in world.unspent.items() if i not in inputs}
    stolen = [i for i, owner in owners.items() if not isinstance(owner, Ed25519Address)]
    if not stolen:
        raise NoWay
    output_id = world.rng.choice(stolen)
    output, reference = world.unspent[output_id], world.rng.randrange(len(scene.consumed))
    unlock = AliasUnlock(reference) if isinstance(owners[output_id], AliasAddress) else NftUnlock(reference)
    return scene.but(
        consumed=[*scene.consumed, Held(output_id, output)],
        unlocks=[*scene.unlocks, unlock],
        outputs=[*scene.outputs, basic(output.amount, world.rng.choice(list(KEYS)))],
    )


def _hurry(scene: Scene, world: World) -> Scene:
    """Something that is locked for a while is consumed as well."""
    locked = [
        (Held(output_id, output), KEYS[owner])
        for output_id, output in world.unspent.items()
        if (timelock := output.condition(TimelockUnlockCondition)) and timelock.unix_time > world.at
        if isinstance(owner := owner_of(output, MOVE, world.at), Ed25519Address)
    ]
    if not locked:
        raise NoWay
    one, key = world.rng.choice(locked)
    return scene.but(
        consumed=[*scene.consumed, one],
        unlocks=[*scene.unlocks, key],
        outputs=[*scene.outputs, basic(one.output.amount, key.address)],
    )


def _commit(scene: Scene, world: World) -> Scene:
    """The signatures are for other contents of what is consumed."""
    return scene.but(commitment=world.rng.randbytes(32))


SPOILS: tuple[Spoil, ...] = (
    _amount,
    _tokens,
    _tokens,
    _signer,
    _refer,
    _chain,
    _chain,
    _divert,
    _double,
    _forge,
    _commit,
    _steal,
    _hurry,
)
