"""Builders of outputs: the least deposit for whatever they are asked for, and chains carried on by the rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.client.wallet import outputs as build
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.errors import AmountOutOfRange, DepositTooSmall
from tangle.protocol.outputs import (
    OUTPUTS,
    Output,
    SenderFeature,
    SimpleTokenScheme,
    StorageDepositReturnUnlockCondition,
    check_deposit,
    least_return,
    storage_deposit,
)
from tangle.protocol.parameters import ProtocolParameters, RentStructure
from tangle.protocol.serial import Reader, uint
from tests.tries import tries

ONE, TWO = Ed25519Address(b"\1" * 32), Ed25519Address(b"\2" * 32)
ID = b"\7" * 34
PARAMETERS = ProtocolParameters()

networks = st.builds(
    lambda cost, data, key: ProtocolParameters(rent_structure=RentStructure(cost, data, key)),
    st.integers(1, 1000),
    st.integers(1, 10),
    st.integers(1, 20),
)
token_ids = st.integers(1, 90).map(lambda n: b"\x08" + uint(n, 32) + uint(1, 4) + b"\0")
held_tokens = st.dictionaries(token_ids, st.integers(0, 2**256 - 1), max_size=64)
bytes_or_none = st.none() | st.binary(min_size=1, max_size=64)
addresses = st.sampled_from([ONE, TWO])


@st.composite
def drawn(draw: st.DrawFn, parameters: ProtocolParameters) -> Output:
    kind = draw(st.sampled_from(["basic", "nft", "alias", "foundry"]))
    tokens = draw(held_tokens)
    metadata = draw(bytes_or_none)
    if kind == "foundry":
        scheme = SimpleTokenScheme(9, 3, 2**256 - 1)
        return build.foundry(
            parameters,
            ID[:32],
            1,
            scheme,
            tokens=tokens,
            metadata=metadata,
            immutable_metadata=draw(bytes_or_none),
        )
    sender = draw(st.none() | addresses)
    if kind == "alias":
        return build.alias(
            parameters,
            ONE,
            draw(st.none() | addresses),
            state_metadata=draw(st.binary(max_size=50)),
            tokens=tokens,
            sender=sender,
            metadata=metadata,
            issuer=draw(st.none() | addresses),
            immutable_metadata=draw(bytes_or_none),
        )
    make = build.basic if kind == "basic" else build.nft
    made: Output = make(
        parameters,
        ONE,
        tokens=tokens,
        sender=sender,
        metadata=metadata,
        tag=draw(bytes_or_none),
        return_deposit_to=draw(st.none() | addresses),
        expires=draw(st.none() | st.tuples(addresses, st.integers(1, 2**32 - 1))),
        locked_until=draw(st.none() | st.integers(1, 2**32 - 1)),
    )
    return made


@given(data=st.data(), parameters=networks)
@settings(max_examples=tries(200), deadline=None)
def test_an_output_without_an_amount_holds_its_deposit_and_no_more(
    data: st.DataObject, parameters: ProtocolParameters
) -> None:
    output = data.draw(drawn(parameters))
    check_deposit(output, parameters)
    least = storage_deposit(output, parameters)
    owed = output.condition(StorageDepositReturnUnlockCondition)
    if owed is None:
        assert output.amount == least
    else:
        assert owed.amount == output.amount
        assert output.amount == max(least, least_return(owed.return_address, parameters))
    assert OUTPUTS.decode(Reader(output.encoded)) == output


@given(kept=st.integers(0, 10**12))
def test_what_the_receiver_keeps_is_what_was_said(kept: int) -> None:
    output = build.basic(PARAMETERS, ONE, kept, return_deposit_to=TWO)
    owed = output.condition(StorageDepositReturnUnlockCondition)
    assert owed is not None
    assert owed.return_address == TWO
    assert output.amount - owed.amount == kept
    check_deposit(output, PARAMETERS)


def test_an_amount_below_the_deposit_names_the_least() -> None:
    with pytest.raises(DepositTooSmall, match="425 base units are below the storage deposit of 426"):
        build.basic(PARAMETERS, ONE, 425)
    assert build.basic(PARAMETERS, ONE, 426).amount == 426
    with pytest.raises(AmountOutOfRange):
        build.basic(PARAMETERS, ONE, 0)


def test_the_next_state_of_an_alias() -> None:
    new = build.alias(PARAMETERS, ONE, TWO, sender=ONE, metadata=b"m", state_metadata=b"s", issuer=ONE)
    first = build.next_alias(PARAMETERS, new, ID)
    assert first.alias_id == new.chain_id(ID)
    assert (first.state_index, first.foundry_counter, first.sender) == (1, 0, None)
    assert (first.unlock_conditions, first.metadata) == (new.unlock_conditions, b"m")
    assert (first.state_metadata, first.immutable_features) == (b"s", new.immutable_features)
    second = build.next_alias(PARAMETERS, first, b"\x09" * 34, foundry_counter=2, state_metadata=b"t" * 100)
    assert (second.alias_id, second.state_index, second.foundry_counter) == (first.alias_id, 2, 2)
    assert second.amount == storage_deposit(second, PARAMETERS) > first.amount


def test_a_governor_s_step() -> None:
    new = build.alias(PARAMETERS, ONE, TWO, 1000, alias_id=ID[:32], state_index=4, sender=ONE, metadata=b"mm")
    ruled = build.governed_alias(PARAMETERS, new, ID, state_controller=TWO)
    assert (ruled.state_index, ruled.amount, ruled.metadata, ruled.sender) == (4, 1000, b"mm", None)
    assert (ruled.state_controller, ruled.governor) == (TWO, TWO)
    handed = build.governed_alias(PARAMETERS, new, ID, governor=ONE, metadata=b"other")
    assert (handed.state_controller, handed.governor, handed.metadata) == (ONE, ONE, b"other")
    with pytest.raises(DepositTooSmall):
        build.governed_alias(PARAMETERS, new, ID, metadata=bytes(2000))


def test_the_next_state_of_a_foundry_and_of_an_nft() -> None:
    foundry = build.foundry(PARAMETERS, ID[:32], 3, SimpleTokenScheme(5, 1, 10), immutable_metadata=b"i")
    after = build.next_foundry(PARAMETERS, foundry, minted=2)
    assert after.token_scheme == SimpleTokenScheme(7, 1, 10)
    assert after.foundry_id == foundry.foundry_id
    assert build.next_foundry(PARAMETERS, foundry, melted=2).token_scheme == SimpleTokenScheme(5, 3, 10)
    nft = build.nft(
        PARAMETERS, ONE, sender=ONE, metadata=b"m", tag=b"t", immutable_metadata=b"i", expires=(TWO, 9)
    )
    kept = build.next_nft(PARAMETERS, nft, ID, TWO)
    assert (kept.address, len(kept.unlock_conditions), kept.feature(SenderFeature)) == (TWO, 1, None)
    assert (kept.metadata, kept.tag, kept.immutable_features) == (b"m", b"t", nft.immutable_features)
    assert (kept.nft_id, kept.amount) == (nft.chain_id(ID), nft.amount)
    least = build.next_nft(PARAMETERS, nft, ID, TWO, amount=1)
    assert least.amount == storage_deposit(least, PARAMETERS)
