"""Milestones: their id, their signers, and the rules that need the network's keys (TIP-29)."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from tangle.protocol.errors import LengthOutOfRange, MilestoneInvalid, NotSorted, ProtocolError, Repeated
from tangle.protocol.milestones import (
    Milestone,
    MilestoneEssence,
    MilestoneKeys,
    ProtocolParametersOption,
    check_milestone,
    sign_milestone,
)
from tangle.protocol.serial import Reader
from tangle.protocol.signatures import public_key
from tangle.protocol.transactions import Ed25519Signature
from tests.protocol import twin
from tests.protocol.objects import (
    FIRST_MILESTONE_ESSENCE,
    KEYS,
    MILESTONE,
    MILESTONE_ESSENCE,
    PARAMETERS,
    PARENTS,
    SEEDS,
    name,
)


def refusal(milestone: Milestone, keys: MilestoneKeys = KEYS) -> tuple[str, str]:
    with pytest.raises(ProtocolError) as caught:
        check_milestone(milestone, keys, PARAMETERS)
    return caught.value.code, caught.value.field


def resigned(essence: MilestoneEssence) -> Milestone:
    return sign_milestone(essence, SEEDS)


def test_the_id_is_the_hash_of_the_essence_alone() -> None:
    expected = hashlib.blake2b(twin.milestone_essence(MILESTONE.to_json()), digest_size=32).digest()
    assert MILESTONE.id == expected
    assert sign_milestone(MILESTONE_ESSENCE, SEEDS).id == expected
    assert MILESTONE.index == MILESTONE_ESSENCE.index


def test_the_essence_is_read_from_the_middle_of_other_bytes() -> None:
    reader = Reader(b"before" + MILESTONE_ESSENCE.encoded + b"after")
    reader.take(6, "before")
    essence = MilestoneEssence.decode(reader)
    assert essence == MILESTONE_ESSENCE
    assert essence.id == MILESTONE.id


@pytest.mark.parametrize("seeds", [SEEDS[:2], SEEDS[1:], SEEDS, SEEDS[::-1]])
def test_any_keys_in_any_order_that_reach_the_threshold(seeds: list[bytes]) -> None:
    milestone = sign_milestone(MILESTONE_ESSENCE, seeds)
    keys = [signed.public_key for signed in milestone.signatures]
    assert keys == sorted(keys)
    check_milestone(milestone, KEYS, PARAMETERS)


def test_the_first_milestone_refers_to_nothing() -> None:
    check_milestone(resigned(FIRST_MILESTONE_ESSENCE), KEYS, PARAMETERS)


@pytest.mark.parametrize(
    ("essence", "field"),
    [
        (replace(FIRST_MILESTONE_ESSENCE, previous_id=name("x")), "previousMilestoneId"),
        (replace(FIRST_MILESTONE_ESSENCE, inclusion_root=name("x")), "inclusionMerkleRoot"),
        (replace(FIRST_MILESTONE_ESSENCE, applied_root=name("x")), "appliedMerkleRoot"),
        (replace(FIRST_MILESTONE_ESSENCE, index=0), "index"),
        (replace(MILESTONE_ESSENCE, protocol_version=3), "protocolVersion"),
    ],
)
def test_an_essence_that_no_signature_makes_right(essence: MilestoneEssence, field: str) -> None:
    assert refusal(resigned(essence)) == ("milestone_invalid", field)


def test_too_few_signatures() -> None:
    assert refusal(sign_milestone(MILESTONE_ESSENCE, SEEDS[:1])) == ("milestone_invalid", "signatures")
    assert refusal(MILESTONE, replace(KEYS, threshold=3)) == ("milestone_invalid", "signatures")


def test_a_key_of_no_signer() -> None:
    keys = MilestoneKeys((public_key(SEEDS[0]), public_key(SEEDS[2])))
    assert refusal(MILESTONE, keys) == ("milestone_invalid", "signatures[1].publicKey")


def test_a_signature_over_another_essence() -> None:
    other = sign_milestone(replace(MILESTONE_ESSENCE, timestamp=1), SEEDS[:2])
    mixed = Milestone(MILESTONE_ESSENCE, (MILESTONE.signatures[0], other.signatures[1]))
    assert refusal(mixed) == ("milestone_invalid", "signatures[1].signature")


def test_one_bad_signature_above_the_threshold_is_one_too_many() -> None:
    full = resigned(MILESTONE_ESSENCE)
    bad = Ed25519Signature(full.signatures[2].public_key, bytes(64))
    assert refusal(replace(full, signatures=(*full.signatures[:2], bad)))[1] == "signatures[2].signature"


def test_signatures_are_in_order_of_their_keys_and_unique() -> None:
    one, other = MILESTONE.signatures
    with pytest.raises(NotSorted, match=r"signatures\[1\]"):
        Milestone(MILESTONE_ESSENCE, (other, one))
    with pytest.raises(Repeated, match=r"signatures\[1\]"):
        Milestone(MILESTONE_ESSENCE, (one, Ed25519Signature(one.public_key, other.signature)))


@pytest.mark.parametrize("threshold", [-1, 0, 4])
def test_a_threshold_that_keys_cannot_meet(threshold: int) -> None:
    with pytest.raises(MilestoneInvalid, match="threshold"):
        replace(KEYS, threshold=threshold)


def test_keys_are_distinct_and_have_32_bytes() -> None:
    with pytest.raises(MilestoneInvalid, match="distinct"):
        MilestoneKeys(KEYS.public_keys[:1] * 2)
    with pytest.raises(LengthOutOfRange, match=r"publicKeys\[1\]: must be 32 bytes, not 31"):
        MilestoneKeys((KEYS.public_keys[0], KEYS.public_keys[1][:31]))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: replace(MILESTONE_ESSENCE, previous_id=bytes(31)), "previousMilestoneId"),
        (lambda: replace(MILESTONE_ESSENCE, inclusion_root=bytes(33)), "inclusionMerkleRoot"),
        (lambda: replace(MILESTONE_ESSENCE, applied_root=b""), "appliedMerkleRoot"),
        (lambda: replace(MILESTONE_ESSENCE, parents=(PARENTS[0], PARENTS[1][:31])), "parents[1]"),
    ],
)
def test_ids_have_32_bytes(make: Callable[[], object], field: str) -> None:
    with pytest.raises(LengthOutOfRange) as caught:
        make()
    assert caught.value.field == field


@pytest.mark.parametrize("distance", [1, 30])
def test_parameters_change_1_to_30_milestones_later(distance: int) -> None:
    index = MILESTONE_ESSENCE.index
    option = ProtocolParametersOption(index + distance, 2, PARAMETERS.encode())
    milestone = resigned(replace(MILESTONE_ESSENCE, options=(option,)))
    check_milestone(milestone, KEYS, PARAMETERS)
    for wrong in (index, index + 31):
        with pytest.raises(MilestoneInvalid, match=r"options\[0\].targetMilestoneIndex"):
            replace(MILESTONE_ESSENCE, options=(replace(option, target_index=wrong),))
