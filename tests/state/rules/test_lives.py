"""What outputs live through: expiry, returned deposits, accounts within accounts, creation to destruction."""

from __future__ import annotations

import itertools

import pytest

from tangle.protocol.addresses import AliasAddress
from tangle.protocol.conflicts import Conflict
from tangle.protocol.errors import UnlockMismatch
from tangle.protocol.outputs import IssuerFeature, MetadataFeature, Output, SenderFeature
from tangle.protocol.transactions import AliasUnlock, NftUnlock
from tangle.state.ledger import Found, apply, parties
from tangle.state.rules import balance, unlocks
from tangle.state.rules import foundry as foundries
from tests.networks import T0, Key
from tests.state.rules.builders import (
    ALICE,
    BOB,
    CAROL,
    Held,
    Scene,
    alias,
    alias_of,
    basic,
    chain_of,
    foundry,
    held,
    nft,
    nft_of,
    token_of,
)

SOON = T0 + 10


@pytest.mark.parametrize("make", [basic, lambda *args, **terms: nft(args[0], chain_of("n"), **terms)])
@pytest.mark.parametrize(
    ("at", "owner", "other"), [(SOON - 1, ALICE, BOB), (SOON, BOB, ALICE), (SOON + 1, BOB, ALICE)]
)
def test_expiration_changes_the_owner_at_its_time(make, at: int, owner: Key, other: Key) -> None:  # type: ignore[no-untyped-def]
    scene = Scene([held("x", make(1_000, expires=(BOB.address, SOON)))], [owner], [basic(1_000)], at=at)
    assert scene.broken() == []
    assert scene.but(unlocks=[other]).broken() == [unlocks.public_key]


def test_expired_and_timelocked_output_waits_for_its_timelock() -> None:
    locked = held("x", basic(1_000, timelock=SOON + 5, expires=(BOB.address, SOON)))
    scene = Scene([locked], [BOB], [basic(1_000)], at=SOON)
    assert scene.broken() == [unlocks.timelock]
    assert scene.but(at=SOON + 5).broken() == []


def test_timelocked_nft() -> None:
    scene = Scene([held("x", nft(1_000, chain_of("n"), timelock=SOON))], [ALICE], [basic(1_000)], at=SOON)
    assert scene.broken() == []
    assert scene.but(at=SOON - 1).broken() == [unlocks.timelock]


RETURNING = held("x", basic(1_000, returns=(CAROL.address, 300), expires=(BOB.address, SOON)))


def test_who_takes_an_expired_output_back_returns_nothing() -> None:
    scene = Scene([RETURNING], [BOB], [basic(1_000, BOB.address)], at=SOON)
    assert scene.broken() == []
    assert scene.but(unlocks=[ALICE], at=SOON - 1).broken() == [balance.returns]


@pytest.mark.parametrize(
    "deposit",
    [
        basic(300, CAROL.address, SenderFeature(ALICE.address)),
        basic(300, CAROL.address, MetadataFeature(b"thanks")),
        basic(300, CAROL.address, timelock=SOON),
        basic(300, CAROL.address, expires=(ALICE.address, SOON)),
        nft(300, to=CAROL.address),
        basic(300, BOB.address),
    ],
)
def test_deposit_is_returned_by_plain_outputs_only(deposit: Output) -> None:
    scene = Scene([RETURNING], [ALICE], [basic(700), basic(300, CAROL.address)])
    assert scene.broken() == []
    assert scene.but(outputs=[basic(700), deposit]).broken() == [balance.returns]


def test_deposits_for_one_address_add_up_over_inputs_and_outputs() -> None:
    nft_too = held("y", nft(1_000, chain_of("n"), returns=(CAROL.address, 200)))
    scene = Scene([RETURNING, nft_too], [ALICE, ALICE], [basic(1_500), *[basic(250, CAROL.address)] * 2])
    assert scene.broken() == []
    assert scene.but(outputs=[basic(1_501), basic(499, CAROL.address)]).broken() == [balance.returns]
    assert scene.but(outputs=[basic(1_000), basic(1_000, CAROL.address)]).broken() == []


def test_implicit_ids_become_explicit() -> None:
    created, minted = held("a", alias(1_000)), held("n", nft(1_000))
    owned = [held("of a", basic(1_000, alias_of("a"))), held("of n", basic(1_000, nft_of("n")))]
    scene = Scene(
        [created, minted, *owned],
        [ALICE, ALICE, AliasUnlock(0), NftUnlock(1)],
        [alias(1_000, chain_of("a"), 1), nft(1_000, chain_of("n")), basic(2_000)],
    )
    assert scene.broken() == []


def test_zeroed_id_on_the_output_side_is_another_nft() -> None:
    scene = Scene([held("n", nft(1_000))], [ALICE], [nft(1_000, immutable=[IssuerFeature(ALICE.address)])])
    assert scene.broken() == []
    assert scene.but(outputs=[nft(1_000, immutable=[IssuerFeature(nft_of("n"))])]).broken() == []


def test_accounts_within_accounts() -> None:
    outer = held("n, later", nft(1_000, chain_of("n")))
    inner = held("a, later", alias(1_000, chain_of("a"), 1, controller=nft_of("n")))
    coins = held("coins", basic(1_000, alias_of("a")))
    moved = alias(1_000, chain_of("a"), 2, 0, SenderFeature(nft_of("n")), controller=nft_of("n"))
    paid = basic(1_000, BOB.address, SenderFeature(alias_of("a")))
    scene = Scene(
        [outer, inner, coins], [ALICE, NftUnlock(0), AliasUnlock(1)], [nft(1_000, chain_of("n")), moved, paid]
    )
    assert scene.broken() == []
    assert scene.but(unlocks=[BOB, NftUnlock(0), AliasUnlock(1)]).broken()[0] is unlocks.public_key


def test_accounts_that_hold_each_other_never_unlock() -> None:
    one = held("a, later", alias(1_000, chain_of("a"), 1, controller=nft_of("n")))
    other = held("n, later", nft(1_000, chain_of("n"), alias_of("a")))
    coins = held("coins", basic(1_000))
    outputs: list[Output] = [
        alias(1_000, chain_of("a"), 2, controller=nft_of("n")),
        nft(1_000, chain_of("n")),
        basic(1_000),
    ]
    choices = [ALICE, *(kind(i) for kind in (AliasUnlock, NftUnlock) for i in (0, 1))]
    tried = 0
    for inputs in itertools.permutations([one, other, coins]):
        for unlocking in itertools.product(choices, repeat=3):
            try:
                broken = Scene(inputs, unlocking, outputs).broken()
            except UnlockMismatch:
                continue
            tried += 1
            assert {rule.conflict for rule in broken} & {Conflict.INPUT_UNLOCK_INVALID, Conflict.SIGNATURE_INVALID}
    assert tried


SENT_BY_ALIAS = [basic(1_000, CAROL.address, SenderFeature(alias_of("a")))]
ALIAS, COINS = held("a, later", alias(1_000, chain_of("a"), 4)), held("coins", basic(1_000))


def test_governance_transition_speaks_for_nobody() -> None:
    moved = Scene([ALIAS, COINS], [ALICE, ALICE], [alias(1_000, chain_of("a"), 5), *SENT_BY_ALIAS])
    assert moved.broken() == []
    governed = moved.but(unlocks=[BOB, ALICE], outputs=[alias(1_000, chain_of("a"), 4), *SENT_BY_ALIAS])
    assert governed.broken() == [balance.sender]


def test_governor_rules_and_ends_what_the_controller_moves() -> None:
    handed_over = alias(
        1_000, chain_of("a"), 4, 0, MetadataFeature(b"v2"), controller=CAROL.address, governor=CAROL.address
    )
    ways: list[list[Output]] = [[handed_over], [basic(1_000)]]
    for outputs in ways:
        assert Scene([ALIAS], [BOB], outputs).broken() == []
        assert Scene([ALIAS], [ALICE], outputs).broken() == [unlocks.public_key]
    moved = Scene([ALIAS], [ALICE], [alias(1_000, chain_of("a"), 5, state=b"state")])
    assert moved.broken() == []
    assert moved.but(unlocks=[BOB]).broken() == [unlocks.public_key]


def test_burned_nft_unlocks_its_address_one_last_time() -> None:
    scene = Scene(
        [held("n", nft(1_000)), held("of n", basic(1_000, nft_of("n")))],
        [ALICE, NftUnlock(0)],
        [basic(2_000, BOB.address, SenderFeature(nft_of("n")))],
    )
    assert scene.broken() == []


def test_ended_alias_unlocks_nothing() -> None:
    scene = Scene([ALIAS, held("of a", basic(1_000, alias_of("a")))], [BOB, AliasUnlock(0)], [basic(2_000)])
    assert scene.broken() == [unlocks.alias_moves]


def test_foundry_stays_with_its_alias() -> None:
    home = alias_of("a")
    inputs = [held("a, later", alias(1_000, chain_of("a"), 4, 1)), held("f", foundry(500, home, minted=5))]
    kept = Scene(
        inputs, [ALICE, AliasUnlock(0)], [alias(1_000, chain_of("a"), 5, 1), foundry(500, home, minted=5)]
    )
    assert kept.broken() == []
    moved = kept.but(outputs=[alias(1_000, chain_of("a"), 5, 1), foundry(500, alias_of("b"), minted=5)])
    assert foundries.alias_unlocked in moved.broken()
    assert foundries.all_melted in moved.broken()


def test_melting_and_burning_at_once_and_room_for_more() -> None:
    home = alias_of("a")
    inputs = [
        held("a, later", alias(1_000, chain_of("a"), 4, 1)),
        held("f", foundry(500, home, minted=100, maximum=100)),
        held("tokens", basic(500, tokens=[token_of(home, 100)])),
    ]
    after: list[Output] = [
        alias(1_000, chain_of("a"), 5, 1),
        foundry(500, home, minted=100, melted=30, maximum=100),
        basic(500, tokens=[token_of(home, 50)]),
    ]
    assert Scene(inputs, [ALICE, AliasUnlock(0), ALICE], after).broken() == []
    again: list[Output] = [
        alias(1_000, chain_of("a"), 6, 1),
        foundry(500, home, minted=130, melted=30, maximum=100),
        basic(500, tokens=[token_of(home, 80)]),
    ]
    later = [held(str(i), output) for i, output in enumerate(after)]
    assert Scene(later, [ALICE, AliasUnlock(0), ALICE], again).broken() == []


def test_chain_moves_through_one_milestone() -> None:
    first = Scene([held("coins", basic(1_000))], [ALICE], [alias(1_000)])
    created = Held(first.transaction.output_id(0), alias(1_000))
    name = AliasAddress.created_by(created.output_id)
    second = Scene([created], [ALICE], [alias(500, name.alias_id, 1), basic(500, name)])
    moved, paid = (Held(second.transaction.output_id(i), output) for i, output in enumerate(second.outputs))
    third = Scene([moved, paid], [ALICE, AliasUnlock(0)], [alias(500, name.alias_id, 2), basic(500)])
    transactions = [scene.transaction for scene in (first, second, third)]
    known = {first.consumed[0].output_id: Found(first.consumed[0].output, T0)}
    changes = apply(transactions, lambda ids: {i: known[i] for i in ids if i in known}, T0)
    assert changes.conflicts == [Conflict.NONE] * 3
    assert changes.touched[2] == {ALICE.address, BOB.address, name}


def test_parties_are_all_addresses_that_conditions_name() -> None:
    output = basic(1_000, returns=(BOB.address, 1), timelock=SOON, expires=(CAROL.address, SOON))
    assert list(parties(output)) == [ALICE.address, BOB.address, CAROL.address]
    assert list(parties(alias(1_000))) == [ALICE.address, BOB.address]
    assert list(parties(foundry(1_000, alias_of("a")))) == [alias_of("a")]
