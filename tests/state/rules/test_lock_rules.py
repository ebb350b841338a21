"""Every rule of locks broken alone: a transaction that breaks it and nothing else, and a twin that is valid."""

from __future__ import annotations

import hashlib

import pytest

from tangle.protocol.conflicts import Conflict
from tangle.protocol.locks import (
    BaseCoins,
    Carries,
    Makes,
    NftAsset,
    Pays,
    Preimage,
    Signed,
    Stake,
    Threshold,
    TokenAsset,
)
from tangle.protocol.outputs import MetadataFeature
from tangle.protocol.serial import blake2b_256
from tangle.protocol.transactions import AliasUnlock, NftUnlock
from tangle.state.rules import Rule, dues, locks, unlocks
from tangle.state.rules.text import lock_tables
from tests.networks import T0
from tests.state.rules.builders import (
    ALICE,
    BOB,
    CAROL,
    Scene,
    alias,
    alias_of,
    basic,
    chain_of,
    held,
    nft,
    nft_of,
    token_of,
)
from tests.state.rules.locked import SECRET, Way, at, by, channel, lock_of, opening, show
from tests.state.rules.test_rules import in_a_ledger

A, N = chain_of("a"), chain_of("n")
HOME = alias_of("t")
TOKEN = token_of(HOME, 1).token_id
OFFER = Pays(ALICE.address, BaseCoins(), 1_000)
ANY_KEY = Threshold.any(Signed(BOB.address), Signed(CAROL.address))

PREIMAGE = Threshold.all(Signed(BOB.address), Preimage(0, blake2b_256(SECRET)))
SHA = Threshold.all(Signed(BOB.address), Preimage(1, hashlib.sha256(SECRET).digest()))
TWO_OF_THREE = Threshold(3, Threshold.all(Signed(BOB.address), Signed(CAROL.address), Signed(ALICE.address)).parts)
OPEN_CHANNEL = opening(channel(), Way(cumulative=500, taken=500), basic(500, BOB.address), basic(500))

# Bob pays 1,000 for whatever lies behind the offer: coins go in and out, the point is who gets them.
BUY = Scene(
    [held("coins of Bob", basic(1_000, BOB.address)), at(lock_of(OFFER))],
    [BOB, BOB],
    [basic(1_000), basic(1_000, BOB.address)],
    show=show((1, lock_of(OFFER), Way())),
)

VOTES = Stake(TOKEN, 10, 500)
STAKED = held("stake", basic(1_000, BOB.address, tokens=[token_of(HOME, 10)]), T0 - 500)
YOUNG = held("stake", basic(1_000, BOB.address, tokens=[token_of(HOME, 10)]), T0 - 499)
VOTE = Scene(
    [STAKED, at(lock_of(VOTES))],
    [BOB, BOB],
    [basic(2_000, BOB.address, tokens=[token_of(HOME, 10)])],
    show=show((1, lock_of(VOTES), Way())),
)

CARRY = lock_of(Threshold.all(Signed(BOB.address), Carries()))
LOCKED_NFT = held("n, later", nft(1_000, N, CARRY.address))
CARRY_ON = Scene([LOCKED_NFT], [BOB], [nft(1_000, N, CAROL.address)], show=show((0, CARRY, Way())))

LEASE = alias(700, state=b"now", tokens=[token_of(HOME, 1)])
MAKE = lock_of(Makes(locks.blanked(LEASE)))
MAKE_IT = Scene(
    [held("tokens", basic(1_000, BOB.address, tokens=[token_of(HOME, 1)])), at(MAKE)],
    [BOB, BOB],
    [LEASE, basic(1_300, BOB.address)],
    show=show((1, MAKE, Way())),
)

ALL_TOKENS = lock_of(Pays(ALICE.address, TokenAsset(TOKEN), 0))
TOKENS = at(ALL_TOKENS, output=basic(1_000, ALL_TOKENS.address, tokens=[token_of(HOME, 7)]))
SELL_TOKENS = Scene(
    [TOKENS],
    [BOB],
    [basic(500, BOB.address), basic(500, tokens=[token_of(HOME, 7)])],
    show=show((0, ALL_TOKENS, Way())),
)

# Carol's bid of 1,000 for the NFT that Bob holds.
BID = lock_of(Pays(CAROL.address, NftAsset(N), 0))
NOTE = MetadataFeature(b"a title")
HIS_NFT = held("n, later", nft(1_000, N, BOB.address, NOTE))
TAKE_BID = Scene(
    [HIS_NFT, at(BID)],
    [BOB, BOB],
    [nft(1_000, N, CAROL.address, NOTE), basic(1_000, BOB.address)],
    show=show((1, BID, Way())),
)
OTHER_BID = lock_of(BID.condition, b"another!")

OF_NFT = held("coins of the NFT", basic(1_000, nft_of("n")))
FREE_NFT = lock_of(Signed(BOB.address))
FREE_TITLE = Scene(
    [held("n, later", nft(1_000, N, FREE_NFT.address)), OF_NFT],
    [BOB, NftUnlock(0)],
    [nft(1_000, N, CAROL.address), basic(1_000)],
    show=show((0, FREE_NFT, Way())),
)
SOLD_NFT = lock_of(Pays(ALICE.address, BaseCoins(), 500))

CASES: list[tuple[Rule[...], Scene, Scene]] = [
    # rule, twin, broken
    (locks.lock_of_owner, BUY, BUY.but(show=show((1, lock_of(OFFER, b"another!"), Way())))),
    (
        locks.key_unlock,
        BUY,
        Scene(
            [held("a, later", alias(1_000, A, 4)), at(lock_of(Carries()))],
            [ALICE, AliasUnlock(0)],
            [alias(1_000, A, 5), basic(1_000)],
            show=show((1, lock_of(Carries()), Way())),
        ),
    ),
    (locks.signed, opening(Signed(BOB.address)), opening(Signed(BOB.address), signer=CAROL)),
    (
        locks.signed,
        Scene(
            [held("a, later", alias(1_000, A, 4)), at(lock_of(Signed(alias_of("a"))))],
            [ALICE, ALICE],
            [alias(1_000, A, 5), basic(1_000)],
            show=show((1, lock_of(Signed(alias_of("a"))), Way())),
        ),
        # The account comes later than the lock.
        Scene(
            [at(lock_of(Signed(alias_of("a")))), held("a, later", alias(1_000, A, 4))],
            [BOB, ALICE],
            [alias(1_000, A, 5), basic(1_000)],
            show=show((0, lock_of(Signed(alias_of("a"))), Way())),
        ),
    ),
    (
        locks.co_signed,
        opening(Threshold.all(Signed(BOB.address), Signed(CAROL.address)), Way(signers=by(CAROL))),
        opening(Threshold.all(Signed(BOB.address), Signed(CAROL.address)), Way(signers={CAROL.address: ALICE})),
    ),
    (
        locks.covered,
        opening(TWO_OF_THREE, Way(signers=by(CAROL, ALICE))),
        opening(TWO_OF_THREE, Way(signers=by(CAROL, ALICE, BOB))),
    ),
    (
        locks.threshold,
        opening(ANY_KEY, Way([[0]])),
        opening(ANY_KEY, Way([[]])),
    ),
    (locks.preimage, opening(PREIMAGE), opening(PREIMAGE, Way(secret=bytes(32)))),
    (locks.preimage, opening(SHA), opening(SHA, Way(secret=bytes(32)))),
    (
        locks.pays,
        SELL_TOKENS,
        SELL_TOKENS.but(consumed=[at(ALL_TOKENS)], outputs=[basic(1_000, BOB.address)]),
    ),
    (
        locks.voucher,
        OPEN_CHANNEL,
        opening(channel(), Way(cumulative=499, taken=500), basic(500, BOB.address), basic(500)),
    ),
    (locks.stake, VOTE, VOTE.but(consumed=[YOUNG, VOTE.consumed[1]])),
    (locks.carries, CARRY_ON, CARRY_ON.but(outputs=[basic(1_000, CAROL.address)])),
    (locks.makes, MAKE_IT, MAKE_IT.but(outputs=[alias(700, controller=BOB.address), basic(1_300, BOB.address)])),
    (dues.coin_dues, BUY, BUY.but(outputs=[basic(999), basic(1_001, BOB.address)])),
    (
        dues.token_dues,
        SELL_TOKENS,
        SELL_TOKENS.but(
            outputs=[
                basic(500, BOB.address, tokens=[token_of(HOME, 1)]),
                basic(500, tokens=[token_of(HOME, 6)]),
            ]
        ),
    ),
    (
        dues.nft_dues,
        TAKE_BID,
        TAKE_BID.but(outputs=[nft(1_000, N, BOB.address, NOTE), basic(1_000, BOB.address)]),
    ),
    (
        dues.nft_once,
        TAKE_BID,
        TAKE_BID.but(
            consumed=[*TAKE_BID.consumed, at(OTHER_BID, "another bid")],
            unlocks=[BOB, BOB, BOB],
            outputs=[nft(1_000, N, CAROL.address, NOTE), basic(2_000, BOB.address)],
            show=show((1, BID, Way()), (2, OTHER_BID, Way())),
        ),
    ),
    (
        unlocks.nft_kept,
        FREE_TITLE,
        FREE_TITLE.but(
            consumed=[held("n, later", nft(1_000, N, SOLD_NFT.address)), OF_NFT],
            outputs=[nft(1_000, N, BOB.address), basic(1_000)],
            show=show((0, SOLD_NFT, Way())),
        ),
    ),
    (
        unlocks.nft_kept,
        Scene([HIS_NFT, OF_NFT], [BOB, NftUnlock(0)], [nft(1_000, N, CAROL.address, NOTE), basic(1_000)]),
        TAKE_BID.but(
            consumed=[*TAKE_BID.consumed, OF_NFT],
            unlocks=[BOB, BOB, NftUnlock(0)],
            outputs=[nft(1_000, N, CAROL.address, NOTE), basic(2_000, BOB.address)],
        ),
    ),
]
NAMES = [rule.name for rule, _, _ in CASES]


def test_every_rule_has_a_case() -> None:
    asked = {rule for rules in lock_tables().values() for rule in rules} | {unlocks.nft_kept}
    assert asked == {rule for rule, _, _ in CASES}


@pytest.mark.parametrize(("rule", "twin", "broken"), CASES, ids=NAMES)
def test_rule_alone(rule: Rule[...], twin: Scene, broken: Scene) -> None:
    assert twin.broken() == []
    assert broken.broken() == [rule]
    assert in_a_ledger(twin) is Conflict.NONE
    assert in_a_ledger(broken) is rule.conflict
