"""Strategies for every object of the wire format, and signed objects that pass all checks.

A strategy draws anything that its class accepts; the fixed objects are the smallest that a network accepts.
"""

import hashlib
from dataclasses import replace
from typing import Any

from hypothesis import assume, settings
from hypothesis import strategies as st

from tangle.protocol.addresses import AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.blocks import Block
from tangle.protocol.milestones import (
    FIRST_INDEX,
    Milestone,
    MilestoneEssence,
    MilestoneKeys,
    ProtocolParametersOption,
    sign_milestone,
)
from tangle.protocol.outputs import (
    NO_ID,
    AddressUnlockCondition,
    AliasOutput,
    BasicOutput,
    ChainOutput,
    ExpirationUnlockCondition,
    FoundryOutput,
    GovernorAddressUnlockCondition,
    ImmutableAliasAddressUnlockCondition,
    IssuerFeature,
    MetadataFeature,
    NativeToken,
    NftOutput,
    Output,
    SenderFeature,
    SimpleTokenScheme,
    StateControllerAddressUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TagFeature,
    TimelockUnlockCondition,
    UnlockCondition,
)
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.signatures import public_key, sign
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
    inputs_commitment,
)
from tests.tries import tries

fuzz = settings(deadline=None, max_examples=tries(60))
"""no deadline: machines differ, and a slow example is no wrong one"""

PARAMETERS = ProtocolParameters(min_pow_score=0)


def name(text: str) -> bytes:
    """32 bytes that stand for `text`."""
    return hashlib.sha256(text.encode()).digest()


SEEDS = sorted((name(f"seed {i}") for i in range(3)), key=public_key)
KEYS = MilestoneKeys(tuple(public_key(seed) for seed in SEEDS), threshold=2)
ADDRESSES = [Ed25519Address.from_public_key(public_key(seed)) for seed in SEEDS]
PARENTS = tuple(sorted(name(f"parent {i}") for i in range(2)))

# unsigned integers and bytes

u8 = st.integers(0, 2**8 - 1)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
u256 = st.integers(0, 2**256 - 1)
ids = st.binary(min_size=32, max_size=32)

# outputs


def some(*kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Of each kind one or none, in order."""
    return st.tuples(*(st.none() | kind for kind in kinds)).map(
        lambda held: tuple(element for element in held if element is not None)
    )


alias_addresses = st.builds(AliasAddress, ids)
addresses = st.one_of(st.builds(Ed25519Address, ids), alias_addresses, st.builds(NftAddress, ids))
times = serial_numbers = st.integers(1, 2**32 - 1)
amounts = st.integers(1, 2**64 - 1)
address_conditions = st.builds(AddressUnlockCondition, addresses)
timelocks = st.builds(TimelockUnlockCondition, times)
expirations = st.builds(ExpirationUnlockCondition, addresses, times)
state_controllers = st.builds(StateControllerAddressUnlockCondition, addresses)
governors = st.builds(GovernorAddressUnlockCondition, addresses)
immutable_aliases = st.builds(ImmutableAliasAddressUnlockCondition, alias_addresses)


def returns(most: int) -> st.SearchStrategy[StorageDepositReturnUnlockCondition]:
    """Returns of `most` base units at the most."""
    return st.builds(StorageDepositReturnUnlockCondition, addresses, st.integers(0, most))


conditions = st.one_of(
    address_conditions,
    returns(2**64 - 1),
    timelocks,
    expirations,
    state_controllers,
    governors,
    immutable_aliases,
)
senders = st.builds(SenderFeature, addresses)
issuers = st.builds(IssuerFeature, addresses)
metadata = st.builds(MetadataFeature, st.binary(min_size=1, max_size=300))
tags = st.builds(TagFeature, st.binary(min_size=1, max_size=64))
features = st.one_of(senders, issuers, metadata, tags)
feature_lists = some(senders, metadata, tags)
immutable_lists = some(issuers, metadata)
token_ids = st.binary(min_size=38, max_size=38)
native_tokens = st.builds(NativeToken, token_ids, st.integers(1, 2**256 - 1))
token_lists = st.lists(native_tokens, max_size=4, unique_by=lambda token: token.token_id).map(
    lambda found: tuple(sorted(found, key=lambda token: token.token_id))
)


@st.composite
def condition_lists(draw: st.DrawFn, amount: int) -> tuple[UnlockCondition, ...]:
    """The unlock conditions of a basic or NFT output that holds `amount`."""
    return (draw(address_conditions), *draw(some(returns(amount), timelocks, expirations)))


@st.composite
def basic_outputs(draw: st.DrawFn) -> BasicOutput:
    """Basic outputs with everything that they may hold."""
    amount = draw(amounts)
    return BasicOutput(amount, draw(condition_lists(amount)), draw(feature_lists), draw(token_lists))


@st.composite
def nft_outputs(draw: st.DrawFn) -> NftOutput:
    """NFT outputs, minted or moved, that do not own themselves."""
    amount = draw(amounts)
    held = draw(condition_lists(amount))
    nft_id = draw(st.just(NO_ID) | ids)
    assume(AddressUnlockCondition(NftAddress(nft_id)) not in held)
    return NftOutput(
        amount,
        held,
        draw(feature_lists),
        draw(token_lists),
        immutable_features=draw(immutable_lists),
        nft_id=nft_id,
    )


@st.composite
def alias_outputs(draw: st.DrawFn) -> AliasOutput:
    """Alias outputs, created or moved, that do not control themselves."""
    held = draw(st.tuples(state_controllers, governors))
    alias_id = draw(st.just(NO_ID) | ids)
    assume(AliasAddress(alias_id) not in [condition.address for condition in held])
    counters = st.just(0) if alias_id == NO_ID else u32
    return AliasOutput(
        draw(amounts),
        held,
        draw(some(senders, metadata)),
        draw(token_lists),
        immutable_features=draw(immutable_lists),
        alias_id=alias_id,
        state_index=draw(counters),
        state_metadata=draw(st.binary(max_size=300)),
        foundry_counter=draw(counters),
    )


@st.composite
def schemes(draw: st.DrawFn) -> SimpleTokenScheme:
    """Token schemes within their maximum supply."""
    minted = draw(u256)
    melted = draw(st.integers(0, minted))
    return SimpleTokenScheme(minted, melted, draw(st.integers(max(1, minted - melted), 2**256 - 1)))


token_schemes = schemes()
foundry_outputs = st.builds(
    FoundryOutput,
    amounts,
    st.tuples(immutable_aliases),
    some(metadata),
    token_lists,
    immutable_features=some(metadata),
    serial_number=serial_numbers,
    token_scheme=token_schemes,
)
outputs: st.SearchStrategy[Output] = st.one_of(basic_outputs(), alias_outputs(), foundry_outputs, nft_outputs())


def chain_of(output: Output) -> object:
    """The chain whose state `output` carries; something unique where it carries none."""
    return (isinstance(output, ChainOutput) and output.explicit_id) or object()


# payloads

tagged_data = st.builds(TaggedData, st.binary(max_size=64), st.binary(max_size=300))
inputs = st.builds(UtxoInput, ids, st.integers(0, 127))
signatures = st.builds(Ed25519Signature, ids, st.binary(min_size=64, max_size=64))
signature_unlocks = st.builds(SignatureUnlock, signatures)
reference_unlocks = st.builds(ReferenceUnlock, st.integers(0, 2**16 - 1))
references = st.integers(0, 2**16 - 1)
unlocks = st.one_of(
    signature_unlocks, reference_unlocks, st.builds(AliasUnlock, references), st.builds(NftUnlock, references)
)
essences = st.builds(
    TransactionEssence,
    u64,
    st.lists(inputs, min_size=1, max_size=6, unique=True).map(tuple),
    ids,
    st.lists(outputs, min_size=1, max_size=4, unique_by=chain_of).map(tuple),
    st.none() | tagged_data,
)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Transactions whose references all name an earlier unlock that they may name."""
    essence = draw(essences)
    count = len(essence.inputs)
    held: list[Unlock] = list(draw(st.lists(signature_unlocks, min_size=count, max_size=count, unique=True)))
    for i in range(1, count):
        signed = [k for k in range(i) if isinstance(held[k], SignatureUnlock)]
        earlier = st.integers(0, i - 1)
        held[i] = draw(
            st.one_of(
                st.just(held[i]),
                st.sampled_from(signed).map(ReferenceUnlock),
                st.builds(AliasUnlock, earlier),
                st.builds(NftUnlock, earlier),
            )
        )
    return Transaction(essence, tuple(held))


parents = st.lists(ids, min_size=1, max_size=8, unique=True).map(lambda found: tuple(sorted(found)))


@st.composite
def options(draw: st.DrawFn, index: int = 7) -> ProtocolParametersOption:
    """Options that fit a milestone of `index`."""
    target = draw(st.integers(index + 1, min(index + 30, 2**32 - 1)))
    return ProtocolParametersOption(target, draw(u8), draw(st.binary(max_size=300)))


@st.composite
def milestone_essences(draw: st.DrawFn) -> MilestoneEssence:
    """Essences as their class accepts them; their roots stand for nothing."""
    index = draw(st.integers(0, 2**32 - 2))
    held = draw(st.lists(options(index), max_size=1))
    fixed = [draw(ids) for _ in range(3)]
    return MilestoneEssence(
        index,
        draw(u32),
        draw(u8),
        fixed[0],
        draw(parents),
        fixed[1],
        fixed[2],
        draw(st.binary(max_size=300)),
        tuple(held),
    )


milestones = st.builds(
    Milestone,
    milestone_essences(),
    st.lists(signatures, min_size=1, max_size=4, unique_by=lambda signed: signed.public_key).map(
        lambda found: tuple(sorted(found, key=lambda signed: signed.public_key))
    ),
)
blocks = st.one_of(
    st.builds(Block, parents, st.none() | tagged_data | transactions(), u64),
    milestones.map(lambda milestone: Block(milestone.essence.parents, milestone)),
)

# parameters

rents = st.builds(RentStructure, st.integers(1, 2**32 - 1), st.integers(1, 255), st.integers(1, 255))
network_names = st.text(min_size=1, max_size=60)
hrps = st.text("abcdefghijklmnopqrstuvwxyz0123456789!?-", min_size=1, max_size=30)
parameters = st.builds(
    ProtocolParameters, network_names, hrps, u32, st.integers(1, 255), rents, st.integers(1, 2**64 - 1)
)

# objects that pass every check


def unlock(essence: TransactionEssence, seed: bytes) -> SignatureUnlock:
    """The signature unlock of the key of `seed` over `essence`."""
    return SignatureUnlock(Ed25519Signature(public_key(seed), sign(seed, essence.hash)))


def signed(essence: TransactionEssence, *seeds: bytes) -> Transaction:
    """`essence` with one signature unlock for each seed."""
    return Transaction(essence, tuple(unlock(essence, seed) for seed in seeds))


CONSUMED = BasicOutput.to(ADDRESSES[0], 5_000)
ESSENCE = TransactionEssence(
    PARAMETERS.network_id,
    (UtxoInput(name("funding"), 0),),
    inputs_commitment([CONSUMED]),
    (BasicOutput.to(ADDRESSES[1], 1_000), BasicOutput.to(ADDRESSES[0], 4_000)),
)
TRANSACTION = signed(ESSENCE, SEEDS[0])
MILESTONE_ESSENCE = MilestoneEssence(
    FIRST_INDEX + 1, 1_700_000_000, 2, name("previous"), PARENTS, name("inclusion"), name("applied")
)
MILESTONE = sign_milestone(MILESTONE_ESSENCE, SEEDS[:2])
FIRST_MILESTONE_ESSENCE = replace(
    MILESTONE_ESSENCE,
    index=FIRST_INDEX,
    previous_id=bytes(32),
    inclusion_root=bytes(32),
    applied_root=bytes(32),
)
