"""Outputs of every type, and transactions that consume them, in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tangle.protocol.addresses import Address, AliasAddress, NftAddress
from tangle.protocol.locks import WITNESS_TAG
from tangle.protocol.outputs import (
    AddressUnlockCondition,
    AliasOutput,
    BasicOutput,
    ExpirationUnlockCondition,
    Feature,
    FoundryOutput,
    GovernorAddressUnlockCondition,
    ImmutableAliasAddressUnlockCondition,
    NativeToken,
    NftOutput,
    Output,
    SimpleTokenScheme,
    StateControllerAddressUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
)
from tangle.protocol.ruleset import LOCKS
from tangle.protocol.serial import blake2b_256
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
from tangle.state.rules import Consumed, Rule, semantic_context, violations
from tests.networks import PARAMETERS, T0, Key

ALICE, BOB, CAROL = Key.named("alice"), Key.named("bob"), Key.named("carol")
NO_ID = bytes(32)


@dataclass(frozen=True)
class Held:
    """An unspent output, its id, and when it was made."""

    output_id: bytes
    output: Output
    created_at: int = T0 - 1_000


def held(name: str, output: Output, created_at: int = T0 - 1_000) -> Held:
    """`output` under an id made from `name`."""
    return Held(blake2b_256(name.encode()) + b"\x00\x00", output, created_at)


def chain_of(name: str) -> bytes:
    """The id of the alias or NFT that the output `held(name, …)` creates or mints."""
    return blake2b_256(held(name, basic(1)).output_id)


def alias_of(name: str) -> AliasAddress:
    """The address of the alias that `held(name, …)` creates."""
    return AliasAddress(chain_of(name))


def nft_of(name: str) -> NftAddress:
    """The address of the NFT that `held(name, …)` mints."""
    return NftAddress(chain_of(name))


def basic(
    amount: int,
    to: Address = ALICE.address,
    *features: Feature,
    tokens: Iterable[NativeToken] = (),
    returns: tuple[Address, int] | None = None,
    timelock: int | None = None,
    expires: tuple[Address, int] | None = None,
) -> BasicOutput:
    """A basic output."""
    return BasicOutput(
        amount,
        native_tokens=tuple(tokens),
        unlock_conditions=conditions(to, returns, timelock, expires),
        features=features,
    )


def nft(
    amount: int,
    nft_id: bytes = NO_ID,
    to: Address = ALICE.address,
    *features: Feature,
    immutable: Iterable[Feature] = (),
    returns: tuple[Address, int] | None = None,
    timelock: int | None = None,
    expires: tuple[Address, int] | None = None,
) -> NftOutput:
    """An NFT output; one that mints where `nft_id` is zeros."""
    return NftOutput(
        amount,
        nft_id=nft_id,
        unlock_conditions=conditions(to, returns, timelock, expires),
        features=features,
        immutable_features=tuple(immutable),
    )


def conditions(
    to: Address,
    returns: tuple[Address, int] | None = None,
    timelock: int | None = None,
    expires: tuple[Address, int] | None = None,
) -> tuple[
    AddressUnlockCondition
    | StorageDepositReturnUnlockCondition
    | TimelockUnlockCondition
    | ExpirationUnlockCondition,
    ...,
]:
    """The unlock conditions of basic and NFT outputs, in order of their type."""
    all_of_them = (
        AddressUnlockCondition(to),
        StorageDepositReturnUnlockCondition(*returns) if returns else None,
        TimelockUnlockCondition(timelock) if timelock else None,
        ExpirationUnlockCondition(*expires) if expires else None,
    )
    return tuple(condition for condition in all_of_them if condition is not None)


def alias(
    amount: int,
    alias_id: bytes = NO_ID,
    state_index: int = 0,
    foundries: int = 0,
    *features: Feature,
    state: bytes = b"",
    controller: Address = ALICE.address,
    governor: Address = BOB.address,
    tokens: Iterable[NativeToken] = (),
    immutable: Iterable[Feature] = (),
) -> AliasOutput:
    """An alias output that Alice runs and Bob rules; one that creates where `alias_id` is zeros."""
    return AliasOutput(
        amount,
        native_tokens=tuple(tokens),
        alias_id=alias_id,
        state_index=state_index,
        state_metadata=state,
        foundry_counter=foundries,
        unlock_conditions=(
            StateControllerAddressUnlockCondition(controller),
            GovernorAddressUnlockCondition(governor),
        ),
        features=features,
        immutable_features=tuple(immutable),
    )


def foundry(
    amount: int,
    home: AliasAddress,
    serial_number: int = 1,
    minted: int = 0,
    melted: int = 0,
    maximum: int = 1_000,
    *features: Feature,
    tokens: Iterable[NativeToken] = (),
    immutable: Iterable[Feature] = (),
) -> FoundryOutput:
    """A foundry output of the alias `home`."""
    return FoundryOutput(
        amount,
        native_tokens=tuple(tokens),
        serial_number=serial_number,
        token_scheme=SimpleTokenScheme(minted, melted, maximum),
        unlock_conditions=(ImmutableAliasAddressUnlockCondition(home),),
        features=features,
        immutable_features=tuple(immutable),
    )


def token_of(home: AliasAddress, amount: int, serial_number: int = 1) -> NativeToken:
    """`amount` tokens of the foundry with that serial number."""
    return NativeToken(foundry(1, home, serial_number).foundry_id, amount)


@dataclass(frozen=True)
class Scene:
    """A transaction about to be made.

    Attributes
    ----------
    unlocks : one per input; a key stands for its signature, and for a reference to it the second time
    at : timestamp of the confirming milestone
    show : makes what is shown of locks, from the essence without it
    rules : that the milestone before names
    """

    consumed: Sequence[Held]
    unlocks: Sequence[Key | Unlock]
    outputs: Sequence[Output]
    at: int = T0
    commitment: bytes | None = None
    show: Callable[[TransactionEssence], bytes] | None = None
    rules: frozenset[str] = frozenset({LOCKS})

    def but(self, **changes: object) -> Scene:
        """This scene, changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def transaction(self) -> Transaction:
        """The transaction, signed."""
        essence = TransactionEssence(
            PARAMETERS.network_id,
            tuple(UtxoInput.of(one.output_id) for one in self.consumed),
            self.commitment or inputs_commitment([one.output for one in self.consumed]),
            tuple(self.outputs),
        )
        if self.show is not None:
            essence = replace(essence, payload=TaggedData(WITNESS_TAG, self.show(essence)))
        return Transaction(essence, signed(essence, self.unlocks))

    def broken(self) -> list[Rule[...]]:
        """The rules that the transaction breaks."""
        inputs = [Consumed(one.output_id, one.output, one.created_at) for one in self.consumed]
        return list(violations(semantic_context(self.transaction, inputs, self.at, self.rules)))


def signed(essence: TransactionEssence, unlocks: Sequence[Key | Unlock]) -> tuple[Unlock, ...]:
    """Each key's first place signed, its later places referring to the first."""
    made: list[Unlock] = []
    seen: dict[Key, int] = {}
    for position, unlock in enumerate(unlocks):
        if not isinstance(unlock, Key):
            made.append(unlock)
        elif unlock in seen:
            made.append(ReferenceUnlock(seen[unlock]))
        else:
            seen[unlock] = position
            made.append(SignatureUnlock(Ed25519Signature(unlock.public, sign(unlock.seed, essence.hash))))
    return tuple(made)
