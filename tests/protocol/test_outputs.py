"""Outputs: what they give to whoever asks, and what cannot be built."""

from collections.abc import Callable

import pytest

from tangle.protocol.errors import (
    AmountOutOfRange,
    CountOutOfRange,
    DepositTooSmall,
    NotSorted,
    ProtocolError,
    Repeated,
)
from tangle.protocol.outputs import (
    AddressUnlockCondition,
    BasicOutput,
    MetadataFeature,
    SenderFeature,
    TagFeature,
    check_deposit,
    storage_deposit,
)
from tangle.protocol.serial import Reader
from tests.protocol.objects import ADDRESSES, PARAMETERS

OWNER, SENDER = ADDRESSES[0], ADDRESSES[1]
FULL = BasicOutput.to(OWNER, 1_000, SenderFeature(SENDER), MetadataFeature(b"note"), TagFeature(b"tag"))
PLAIN = BasicOutput.to(OWNER, 1_000)


def test_features_are_found_by_kind() -> None:
    assert (FULL.address, FULL.sender, FULL.tag) == (OWNER, SENDER, b"tag")
    assert FULL.feature(MetadataFeature) == MetadataFeature(b"note")
    assert (PLAIN.address, PLAIN.sender, PLAIN.tag, PLAIN.feature(MetadataFeature)) == (OWNER, None, None, None)


@pytest.mark.parametrize(
    ("make", "error", "field"),
    [
        (lambda: BasicOutput.to(OWNER, 0), AmountOutOfRange, "amount"),
        (lambda: BasicOutput.to(OWNER, -1), AmountOutOfRange, "amount"),
        (lambda: BasicOutput.to(OWNER, 2**64), AmountOutOfRange, "amount"),
        (lambda: BasicOutput(1, ()), CountOutOfRange, "unlockConditions"),
        (lambda: BasicOutput(1, (AddressUnlockCondition(OWNER),) * 2), Repeated, "unlockConditions[1]"),
        (lambda: BasicOutput.to(OWNER, 1, TagFeature(b"a"), TagFeature(b"b")), Repeated, "features[1]"),
        (lambda: BasicOutput.to(OWNER, 1, TagFeature(b"a"), SenderFeature(OWNER)), NotSorted, "features[1]"),
    ],
)
def test_what_breaks_a_rule_cannot_be_built(
    make: Callable[[], object], error: type[ProtocolError], field: str
) -> None:
    with pytest.raises(error) as caught:
        make()
    assert caught.value.field == field


def test_the_deposit_is_the_least_amount() -> None:
    least = storage_deposit(FULL, PARAMETERS)
    assert least == 426 + len(FULL.encoded) - len(PLAIN.encoded)
    exact = BasicOutput.to(OWNER, least, *FULL.features)
    check_deposit(exact, PARAMETERS)
    with pytest.raises(DepositTooSmall, match=f"amount: {least - 1} base units .* {least} "):
        check_deposit(BasicOutput.to(OWNER, least - 1, *FULL.features), PARAMETERS)


def test_an_output_is_read_from_the_middle_of_other_bytes() -> None:
    reader = Reader(b"before" + FULL.encoded + b"after")
    reader.take(6, "before")
    read = BasicOutput.decode(reader)
    assert read == FULL
    assert read.encoded == FULL.encoded
    assert reader.take(5, "after") == b"after"
