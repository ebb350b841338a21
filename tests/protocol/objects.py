"""Strategies for every object of the wire format, and signed objects that pass all checks.

A strategy draws anything that its class accepts; the fixed objects are the smallest that a network accepts.
"""

import hashlib
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from tangle.protocol.addresses import Ed25519Address
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
    AddressUnlockCondition,
    BasicOutput,
    MetadataFeature,
    SenderFeature,
    TagFeature,
)
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.signatures import public_key, sign
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

fuzz = settings(deadline=None, max_examples=60)
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
ids = st.binary(min_size=32, max_size=32)

# outputs

addresses = st.builds(Ed25519Address, ids)
conditions = st.builds(AddressUnlockCondition, addresses)
senders = st.builds(SenderFeature, addresses)
metadata = st.builds(MetadataFeature, st.binary(min_size=1, max_size=300))
tags = st.builds(TagFeature, st.binary(min_size=1, max_size=64))
features = st.one_of(senders, metadata, tags)
feature_lists = st.tuples(st.none() | senders, st.none() | metadata, st.none() | tags).map(
    lambda held: tuple(feature for feature in held if feature is not None)
)
outputs = st.builds(BasicOutput, st.integers(1, 2**64 - 1), st.tuples(conditions), feature_lists)

# payloads

tagged_data = st.builds(TaggedData, st.binary(max_size=64), st.binary(max_size=300))
inputs = st.builds(UtxoInput, ids, st.integers(0, 127))
signatures = st.builds(Ed25519Signature, ids, st.binary(min_size=64, max_size=64))
signature_unlocks = st.builds(SignatureUnlock, signatures)
reference_unlocks = st.builds(ReferenceUnlock, st.integers(0, 2**16 - 1))
unlocks = st.one_of(signature_unlocks, reference_unlocks)
essences = st.builds(
    TransactionEssence,
    u64,
    st.lists(inputs, min_size=1, max_size=6, unique=True).map(tuple),
    ids,
    st.lists(outputs, min_size=1, max_size=6).map(tuple),
    st.none() | tagged_data,
)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Transactions whose references all name an earlier signature unlock."""
    essence = draw(essences)
    count = len(essence.inputs)
    held: list[Unlock] = list(draw(st.lists(signature_unlocks, min_size=count, max_size=count, unique=True)))
    for i in range(1, count):
        earlier = [k for k in range(i) if isinstance(held[k], SignatureUnlock)]
        held[i] = draw(st.just(held[i]) | st.sampled_from(earlier).map(ReferenceUnlock))
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
