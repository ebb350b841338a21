"""What somebody would try against locks: each scene is refused for its reason, and its honest twin is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tangle.protocol.addresses import Address, NftAddress
from tangle.protocol.conflicts import Conflict
from tangle.protocol.locks import (
    BaseCoins,
    Everything,
    NftAsset,
    Part,
    Pays,
    Signed,
    Stake,
    Threshold,
    TokenAsset,
    Witness,
)
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    IssuerFeature,
    MetadataFeature,
    NftOutput,
    Output,
    SenderFeature,
    TagFeature,
)
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    AliasUnlock,
    Ed25519Signature,
    NftUnlock,
    ReferenceUnlock,
    SignatureUnlock,
    Transaction,
    Unlock,
)
from tangle.state.ledger import Found, apply
from tangle.state.rules import Consumed, check_semantics
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
    held,
    nft,
    nft_of,
    signed,
    token_of,
)
from tests.state.rules.locked import DEVICE, SALT, Way, at, by, channel, lock_of, opening, show
from tests.state.rules.test_rules import in_a_ledger

N, M, A = chain_of("n"), chain_of("m"), chain_of("a")
HOME = alias_of("t")
TOKENS = [token_of(HOME, 10)]
TOKEN = TOKENS[0].token_id
DEADLINE = T0 + 600
BAD, UNPAID, TAKEN = Conflict.INPUT_UNLOCK_INVALID, Conflict.RETURN_AMOUNT_NOT_FULFILLED, Conflict.NONE
NO_KEY = Conflict.SIGNATURE_INVALID

CHANNEL = lock_of(channel())
FUNDED = at(CHANNEL, expires=(ALICE.address, DEADLINE))


def claim(
    *outputs: Output,
    cumulative: int = 700,
    taken: int = 500,
    signer: Key = BOB,
    device: Key = DEVICE,
    time: int = T0,
) -> Conflict:
    """What becomes of a claim of the payment channel that Alice funded with 1,000."""
    how = Way(cumulative=cumulative, taken=taken, device=device)
    scene = Scene(
        [FUNDED],
        [signer],
        outputs or [basic(taken, BOB.address), basic(1_000 - taken)],
        at=time,
        show=show((0, CHANNEL, how)),
    )
    return in_a_ledger(scene)


def test_a_voucher_is_a_ceiling() -> None:
    assert claim(taken=700) is TAKEN
    assert claim(taken=500) is TAKEN
    assert claim(basic(1_000), taken=0) is TAKEN
    assert claim(taken=701) is BAD
    assert claim(basic(1_000, BOB.address), cumulative=1_500, taken=1_001) is BAD


def test_the_payer_cannot_close_nor_anybody_else() -> None:
    assert claim(signer=ALICE) is BAD
    assert claim(signer=CAROL) is BAD
    assert claim(signer=DEVICE) is BAD


def test_a_voucher_of_another_key_is_no_witness() -> None:
    assert claim(device=CAROL) is NO_KEY


def test_the_refund_goes_to_the_payer() -> None:
    assert claim(basic(1_000, BOB.address)) is UNPAID
    assert claim(basic(500, BOB.address), basic(500, CAROL.address)) is UNPAID
    assert claim(basic(501, BOB.address), basic(499)) is UNPAID


def test_claim_and_refund_never_overlap() -> None:
    refund = Scene([FUNDED], [ALICE], [basic(1_000)])
    for time, lock, owner in ((DEADLINE - 1, TAKEN, NO_KEY), (DEADLINE, BAD, TAKEN), (DEADLINE + 9, BAD, TAKEN)):
        assert claim(time=time) is lock
        assert in_a_ledger(refund.but(at=time)) is owner


def test_tokens_and_nft_are_not_taken_beside_the_coins() -> None:
    lock = lock_of(channel())
    rich = at(lock, output=basic(1_000, lock.address, tokens=TOKENS))
    how = show((0, lock, Way(cumulative=700, taken=500)))
    stolen = Scene([rich], [BOB], [basic(500, BOB.address, tokens=TOKENS), basic(500)], show=how)
    assert in_a_ledger(stolen) is UNPAID
    assert in_a_ledger(stolen.but(outputs=[basic(1_000, BOB.address)])) is UNPAID
    fair = stolen.but(outputs=[basic(500, BOB.address), basic(500, tokens=TOKENS)])
    assert in_a_ledger(fair) is TAKEN
    locked, coins = held("n, later", nft(1_000, N, lock.address)), held("coins", basic(500, BOB.address))
    title = Scene([locked, coins], [BOB, BOB], [nft(1_000, N, BOB.address), basic(500, BOB.address)], show=how)
    assert in_a_ledger(title) is UNPAID
    assert in_a_ledger(title.but(outputs=[nft(1_000, N), basic(500, BOB.address)])) is TAKEN


def test_a_channel_in_tokens_sends_coins_and_other_tokens_back() -> None:
    lock = lock_of(channel(asset=TokenAsset(TOKEN)))
    other = token_of(HOME, 3, 2)
    rich = at(lock, output=basic(1_000, lock.address, tokens=[*TOKENS, other]))
    more = held("coins of Bob", basic(500, BOB.address))
    how = show((0, lock, Way(cumulative=9, taken=6)))
    fair = Scene(
        [rich, more],
        [BOB, BOB],
        [basic(500, BOB.address, tokens=[token_of(HOME, 6)]), basic(1_000, tokens=[token_of(HOME, 4), other])],
        show=how,
    )
    assert in_a_ledger(fair) is TAKEN
    greedy = fair.but(
        outputs=[
            basic(500, BOB.address, tokens=[token_of(HOME, 6), other]),
            basic(1_000, tokens=[token_of(HOME, 4)]),
        ]
    )
    assert in_a_ledger(greedy) is UNPAID
    assert in_a_ledger(fair.but(show=show((0, lock, Way(cumulative=12, taken=11))))) is BAD


PRICE = 20
OFFERS = [lock_of(Pays(ALICE.address, BaseCoins(), PRICE), salt) for salt in (b"1st sale", b"2nd sale")]
CARS = [held(name, nft(1_000, chain_of(name), offer.address)) for name, offer in zip("xy", OFFERS, strict=True)]


def buy_both(*paid: BasicOutput) -> Conflict:
    """Bob posts a purchase of two NFTs, each for 20, with his 100."""
    first, second = (nft(1_000, chain_of(name), BOB.address) for name in "xy")
    left = 100 - sum(output.amount for output in paid)
    scene = Scene(
        [held("coins of Bob", basic(100, BOB.address)), *CARS],
        [BOB, BOB, BOB],
        [first, second, *paid, basic(left, BOB.address)],
        show=show((1, OFFERS[0], Way()), (2, OFFERS[1], Way())),
    )
    return in_a_ledger(scene)


def test_one_payment_serves_one_offer() -> None:
    assert buy_both(basic(20)) is UNPAID
    assert buy_both(basic(39)) is UNPAID
    assert buy_both(basic(40)) is TAKEN
    assert buy_both(basic(20), basic(20)) is TAKEN


@pytest.mark.parametrize(
    "payment",
    [
        basic(40, expires=(BOB.address, T0 + 1)),
        basic(40, timelock=T0 + 10**6),
        basic(40, returns=(BOB.address, 40)),
        nft(40),
        basic(40, BOB.address),
    ],
    ids=["expires", "is locked", "asks money back", "is an NFT", "goes elsewhere"],
)
def test_what_is_no_payment(payment: BasicOutput) -> None:
    assert buy_both(payment) is UNPAID


def test_a_payment_may_carry_tokens_and_features() -> None:
    assert buy_both(basic(40, ALICE.address, MetadataFeature(b"for both"), TagFeature(b"cars"))) is TAKEN


def test_returns_and_dues_are_paid_apart() -> None:
    offer = lock_of(Pays(ALICE.address, BaseCoins(), 300))
    scene = Scene(
        [held("a gift", basic(1_000, BOB.address, returns=(ALICE.address, 200))), at(offer)],
        [BOB, BOB],
        [basic(300), basic(1_700, BOB.address)],
        show=show((1, offer, Way())),
    )
    assert in_a_ledger(scene) is UNPAID
    assert in_a_ledger(scene.but(outputs=[basic(499), basic(1_501, BOB.address)])) is UNPAID
    assert in_a_ledger(scene.but(outputs=[basic(500), basic(1_500, BOB.address)])) is TAKEN
    noted = [basic(300, ALICE.address, MetadataFeature(b"price")), basic(200), basic(1_500, BOB.address)]
    assert in_a_ledger(scene.but(outputs=noted)) is TAKEN
    # A deposit return counts plain outputs only, as ever (TIP-18).
    assert in_a_ledger(scene.but(outputs=[basic(500, ALICE.address, MetadataFeature(b"x")), noted[2]])) is UNPAID


def test_an_entry_opens_its_own_input_only() -> None:
    lock = OFFERS[0]
    two = [held("one", nft(1_000, N, lock.address)), held("two", nft(1_000, M, lock.address))]
    coins = held("coins of Bob", basic(100, BOB.address))
    taken: list[Output] = [nft(1_000, N, BOB.address), nft(1_000, M, BOB.address)]
    scene = Scene(
        [coins, *two], [BOB, BOB, BOB], [*taken, basic(20), basic(80, BOB.address)], show=show((1, lock, Way()))
    )
    assert in_a_ledger(scene) is BAD  # the second is referred to the key's signature, whose address it is not
    assert in_a_ledger(scene.but(unlocks=[BOB, CAROL, ReferenceUnlock(1)])) is BAD
    both = show((1, lock, Way()), (2, lock, Way()))
    assert in_a_ledger(scene.but(show=both)) is UNPAID
    paid = [*taken, basic(40), basic(60, BOB.address)]
    assert in_a_ledger(scene.but(show=both, outputs=paid)) is TAKEN


def test_a_voucher_of_one_channel_empties_no_other_of_the_same_lock() -> None:
    two = [at(CHANNEL, "one"), at(CHANNEL, "two")]
    how = Way(cumulative=700, taken=700)
    outputs = [basic(1_400, BOB.address), basic(600)]
    scene = Scene(two, [BOB, BOB], outputs, show=show((0, CHANNEL, how)))
    assert in_a_ledger(scene) is BAD
    assert in_a_ledger(scene.but(show=show((0, CHANNEL, how), (1, CHANNEL, how)))) is TAKEN
    swapped = scene.but(consumed=two[::-1]).transaction.witness
    assert swapped is not None
    made = scene.transaction
    stolen = replace(made.essence, payload=TaggedData(b"lock/1", swapped.encode()))
    assert Transaction(stolen, signed(stolen, [BOB, BOB])).witness is None


def test_the_locks_address_is_never_unlocked() -> None:
    lock = lock_of(Signed(BOB.address))
    scene = Scene(
        [at(lock)], [BOB], [basic(1_000, CAROL.address, SenderFeature(lock.address))], show=show((0, lock, Way()))
    )
    assert in_a_ledger(scene) is Conflict.SENDER_NOT_UNLOCKED
    his = scene.but(outputs=[basic(1_000, CAROL.address, SenderFeature(BOB.address))])
    assert in_a_ledger(his) is TAKEN


def test_signed_never_means_a_lock() -> None:
    inner = lock_of(Pays(BOB.address, BaseCoins(), 1))
    outer = lock_of(Signed(inner.address))
    scene = Scene(
        [at(inner, "dust of the thief"), at(outer)],
        [BOB, BOB],
        [basic(2_000, BOB.address)],
        show=show((0, inner, Way()), (1, outer, Way())),
    )
    assert in_a_ledger(scene) is BAD


def test_a_key_signs_once_and_is_referred_to() -> None:
    lock = lock_of(Signed(BOB.address))
    mine = held("coins of Bob", basic(1_000, BOB.address))
    for inputs, place in (([at(lock), mine], 0), ([mine, at(lock)], 1)):
        scene = Scene(inputs, [BOB, BOB], [basic(2_000, CAROL.address)], show=show((place, lock, Way())))
        assert in_a_ledger(scene) is TAKEN
        # A second signature of the same key, with other bytes, is no reference.
        forged = SignatureUnlock(Ed25519Signature(BOB.public, bytes(64)))
        assert in_a_ledger(scene.but(unlocks=[BOB, forged])) is BAD


def test_an_entry_for_what_is_no_lock() -> None:
    lock = lock_of(Signed(BOB.address))
    for owner in (BOB.address, NftAddress(N)):
        scene = Scene(
            [held("coins", basic(1_000, owner))], [BOB], [basic(1_000, CAROL.address)], show=show((0, lock, Way()))
        )
        assert in_a_ledger(scene) is BAD


def test_nothing_of_it_counts_before_the_rules_are_switched_on() -> None:
    scene = opening(channel(), Way(cumulative=700, taken=500), basic(500, BOB.address), basic(500))
    assert in_a_ledger(scene) is TAKEN
    assert in_a_ledger(scene.but(rules=frozenset())) is NO_KEY
    plain = Scene([held("coins", basic(1_000))], [ALICE], [basic(1_000)], show=lambda _: b"anything at all")
    for rules in (frozenset[str](), frozenset({"locks/1"})):
        assert in_a_ledger(plain.but(rules=rules)) is TAKEN


def test_the_witness_is_covered_by_a_signer() -> None:
    """Who only co-signed has signed no payload: somebody else could exchange the rest of the witness."""
    both = Threshold(1, (Part(1, Signed(BOB.address)), Part(1, Signed(CAROL.address))))
    assert in_a_ledger(opening(both, Way([[0, 1]], by(CAROL)))) is TAKEN
    assert in_a_ledger(opening(both, Way([[0, 1]], by(BOB, CAROL)), signer=ALICE)) is BAD
    assert in_a_ledger(opening(both, Way([[1]], by(CAROL)), signer=ALICE)) is BAD


def test_surplus_parts_must_be_met_too() -> None:
    either = Threshold.any(Signed(BOB.address), Pays(ALICE.address, BaseCoins(), 600))
    assert in_a_ledger(opening(either, Way([[0]]))) is TAKEN
    assert in_a_ledger(opening(either, Way([[0, 1]]))) is UNPAID
    assert in_a_ledger(opening(either, Way([[0, 1]]), basic(600), basic(400, BOB.address))) is TAKEN
    assert in_a_ledger(opening(either, Way([[0, 1]]), basic(1_000), signer=CAROL)) is BAD


def test_a_title_in_a_deal_opens_nothing() -> None:
    """Whoever posts the purchase of a car must not empty the car's wallet, nor mint in its name."""
    offer = OFFERS[0]
    car, coins = held("n, later", nft(1_000, N, offer.address)), held("coins of Bob", basic(100, BOB.address))
    wallet = held("wallet of the car", basic(5_000, nft_of("n")))
    bought: list[Output] = [nft(1_000, N, BOB.address), basic(20), basic(80, BOB.address)]
    fair = Scene([car, coins], [BOB, BOB], bought, show=show((0, offer, Way())))
    assert in_a_ledger(fair) is TAKEN
    emptied = fair.but(
        consumed=[car, coins, wallet],
        unlocks=[BOB, BOB, NftUnlock(0)],
        outputs=[*bought, basic(5_000, BOB.address)],
    )
    assert in_a_ledger(emptied) is BAD
    minted = nft(80, immutable=[IssuerFeature(nft_of("n"))])
    assert in_a_ledger(fair.but(outputs=[*bought[:2], minted])) is Conflict.CHAIN_TRANSITION_INVALID
    said = basic(80, BOB.address, SenderFeature(nft_of("n")))
    assert in_a_ledger(fair.but(outputs=[*bought[:2], said])) is Conflict.SENDER_NOT_UNLOCKED
    of_car = lock_of(Signed(nft_of("n")))
    behind = fair.but(
        consumed=[car, coins, at(of_car)],
        unlocks=[BOB, BOB, BOB],
        outputs=[*bought, basic(1_000, BOB.address)],
        show=show((0, offer, Way()), (2, of_car, Way())),
    )
    assert in_a_ledger(behind) is BAD


def test_everything_means_everything() -> None:
    escrow = lock_of(Threshold.all(Signed(CAROL.address), Pays(ALICE.address, Everything(), 0)))
    rich = at(escrow, output=basic(1_000, escrow.address, tokens=TOKENS))
    kept = Scene(
        [rich], [CAROL], [basic(900), basic(100, CAROL.address, tokens=TOKENS)], show=show((0, escrow, Way()))
    )
    assert in_a_ledger(kept) is UNPAID
    assert in_a_ledger(kept.but(outputs=[basic(1_000)])) is UNPAID  # tokens burned
    assert in_a_ledger(kept.but(outputs=[basic(1_000, tokens=TOKENS)])) is TAKEN
    title = nft(1_000, N, escrow.address, MetadataFeature(b"deed"))
    scene = kept.but(consumed=[held("n, later", replace(title, native_tokens=tuple(TOKENS)))])
    whole = replace(nft(1_000, N, ALICE.address, MetadataFeature(b"deed")), native_tokens=tuple(TOKENS))
    assert in_a_ledger(scene.but(outputs=[whole])) is TAKEN
    stripped: list[list[Output]] = [
        [replace(whole, native_tokens=())],
        [replace(whole, features=())],
        [replace(whole, amount=900), basic(100, CAROL.address)],
        [replace(whole, unlock_conditions=basic(1, expires=(CAROL.address, T0 + 9)).unlock_conditions)],
        [basic(1_000, tokens=TOKENS)],
    ]
    for outputs in stripped:
        assert in_a_ledger(scene.but(outputs=outputs)) is UNPAID
    sent = replace(whole, features=(SenderFeature(CAROL.address), *whole.features))
    assert in_a_ledger(scene.but(outputs=[sent])) is TAKEN


def test_a_raised_bid_spends_the_old_one() -> None:
    bids = [lock_of(Pays(CAROL.address, NftAsset(N), 0), salt) for salt in (b"1st bid!", b"2nd bid!")]
    old, new = at(bids[0], "old"), held("new", basic(3_000, bids[1].address))
    car = held("n, later", nft(1_000, N, BOB.address))
    sold = nft(1_000, N, CAROL.address)
    both = show((1, bids[0], Way()), (2, bids[1], Way()))
    scene = Scene([car, old, new], [BOB, BOB, BOB], [sold, basic(4_000, BOB.address)], show=both)
    assert in_a_ledger(scene) is UNPAID
    one = scene.but(
        consumed=[car, new],
        unlocks=[BOB, BOB],
        outputs=[sold, basic(3_000, BOB.address)],
        show=show((1, bids[1], Way())),
    )
    assert in_a_ledger(one) is TAKEN
    # Without the NFT the bid gives nothing.
    alone = Scene([new], [BOB], [basic(3_000, BOB.address)], show=show((0, bids[1], Way())))
    assert in_a_ledger(alone) is UNPAID


TO_CAROL = basic(1, CAROL.address).unlock_conditions
MINE = held("stake of Bob", basic(1_000, BOB.address, tokens=TOKENS), T0 - 1_000)


def vote(*others: Held, unlocks: Sequence[Key | Unlock]) -> Conflict:
    """What becomes of a vote of 10 tokens of age 500 for the coins behind a lock, whose input comes last."""
    lock = lock_of(Stake(TOKEN, 10, 500))
    inputs = [*others, at(lock, "what is voted for")]
    made: list[Output] = []
    for output in (one.output for one in inputs):
        if isinstance(output, AliasOutput):
            made.append(replace(output, state_index=output.state_index + 1))
        else:
            made.append(output if isinstance(output, NftOutput) else replace(output, unlock_conditions=TO_CAROL))
    return in_a_ledger(Scene(inputs, [*unlocks, BOB], made, show=show((len(others), lock, Way()))))


def test_a_vote_needs_ones_own_old_tokens() -> None:
    assert vote(MINE, unlocks=[BOB]) is TAKEN
    assert vote(replace(MINE, created_at=T0 - 500), unlocks=[BOB]) is TAKEN
    assert vote(replace(MINE, created_at=T0 - 499), unlocks=[BOB]) is BAD
    assert vote(held("few", basic(1_000, BOB.address, tokens=[token_of(HOME, 9)])), unlocks=[BOB]) is BAD
    assert vote(held("none", basic(1_000, BOB.address)), unlocks=[BOB]) is BAD


def test_the_voted_input_is_no_stake() -> None:
    lock = lock_of(Stake(TOKEN, 10, 0))
    own = held("treasury", basic(1_000, lock.address, tokens=TOKENS), T0 - 5_000)
    scene = Scene([own], [BOB], [basic(1_000, BOB.address, tokens=TOKENS)], show=show((0, lock, Way())))
    assert in_a_ledger(scene) is BAD


def test_tokens_from_an_open_offer_do_not_vote() -> None:
    offer = lock_of(Pays(ALICE.address, BaseCoins(), 1))
    sold = held("for sale", basic(1_000, offer.address, tokens=TOKENS), T0 - 5_000)
    coins = held("coins", basic(1_000, BOB.address))
    lock = lock_of(Stake(TOKEN, 10, 500))
    scene = Scene(
        [coins, sold, at(lock)],
        [BOB, BOB, BOB],
        [basic(1), basic(2_999, BOB.address, tokens=TOKENS)],
        show=show((1, offer, Way()), (2, lock, Way())),
    )
    assert in_a_ledger(scene) is BAD
    signed_for = lock_of(Signed(BOB.address))
    owned = scene.but(
        consumed=[coins, replace(sold, output=basic(1_000, signed_for.address, tokens=TOKENS)), at(lock)],
        show=show((1, signed_for, Way()), (2, lock, Way())),
    )
    assert in_a_ledger(owned) is TAKEN


@pytest.mark.parametrize("direct", [True, False], ids=["at its address", "behind a lock that it signs"])
def test_tokens_that_the_voted_account_opens_do_not_vote(direct: bool) -> None:
    rule = lock_of(Stake(TOKEN, 10, 0))
    dac = held("a, later", alias(1_000, A, 4, controller=rule.address), T0 - 9_000)
    inner = lock_of(Signed(alias_of("a")), b"treasury")
    home: Address = alias_of("a") if direct else inner.address
    treasury = held("treasury", basic(1_000, home, tokens=TOKENS), T0 - 9_000)
    entries = [(0, rule, Way())] if direct else [(0, rule, Way()), (1, inner, Way())]
    scene = Scene(
        [dac, treasury],
        [BOB, AliasUnlock(0) if direct else BOB],
        [alias(1_000, A, 5, controller=rule.address), basic(1_000, BOB.address, tokens=TOKENS)],
        show=show(*entries),
    )
    assert in_a_ledger(scene) is BAD
    # With a stake of one's own beside it, the account may move.
    voted = scene.but(
        consumed=[MINE, dac, treasury],
        unlocks=[BOB, BOB, AliasUnlock(1) if direct else BOB],
        outputs=[scene.outputs[0], basic(2_000, BOB.address, tokens=[token_of(HOME, 20)])],
        show=show(*((place + 1, lock, way) for place, lock, way in entries)),
    )
    assert in_a_ledger(voted) is TAKEN


def test_what_an_account_opens_has_the_younger_age() -> None:
    young = held("a, later", alias(1_000, A, 4), T0 - 499)
    old = replace(young, created_at=T0 - 500)
    treasury = held("treasury", basic(1_000, alias_of("a"), tokens=TOKENS), T0 - 9_000)
    assert vote(old, treasury, unlocks=[ALICE, AliasUnlock(0)]) is TAKEN
    assert vote(young, treasury, unlocks=[ALICE, AliasUnlock(0)]) is BAD
    title = held("n, later", nft(1_000, N), T0 - 499)
    of_title = held("tokens of the NFT", basic(1_000, nft_of("n"), tokens=TOKENS), T0 - 9_000)
    assert vote(replace(title, created_at=T0 - 500), of_title, unlocks=[ALICE, NftUnlock(0)]) is TAKEN
    assert vote(title, of_title, unlocks=[ALICE, NftUnlock(0)]) is BAD


def test_an_output_of_the_same_milestone_has_age_0() -> None:
    lock = lock_of(Stake(TOKEN, 10, 1))
    bought = held("tokens", basic(1_000, ALICE.address, tokens=TOKENS), T0 - 9_000)
    first = Scene([bought], [ALICE], [basic(1_000, BOB.address, tokens=TOKENS)]).transaction
    lent = Held(first.output_id(0), first.essence.outputs[0])
    second = Scene(
        [lent, at(lock)], [BOB, BOB], [basic(2_000, BOB.address, tokens=TOKENS)], show=show((1, lock, Way()))
    ).transaction
    known = {one.output_id: Found(one.output, one.created_at) for one in (bought, at(lock))}

    def conflicts(transactions: list[Transaction], time: int) -> list[Conflict]:
        found = apply(transactions, lambda ids: {i: known[i] for i in ids if i in known}, time, {"locks/1"})
        return found.conflicts

    assert conflicts([first, second], T0) == [TAKEN, BAD]
    known[lent.output_id] = Found(lent.output, T0)
    assert conflicts([second], T0) == [BAD]
    assert conflicts([second], T0 + 1) == [TAKEN]


def test_circles_of_accounts_never_unlock() -> None:
    """The alias rules the lock of the NFT, and the NFT the lock of the alias: no order of inputs opens both."""
    of_nft, of_alias = lock_of(Signed(nft_of("n"))), lock_of(Signed(alias_of("a")))
    account = held("a, later", alias(1_000, A, 4, controller=of_nft.address))
    title = held("n, later", nft(1_000, N, of_alias.address))
    outputs: list[Output] = [alias(1_000, A, 5, controller=of_nft.address), nft(1_000, N, BOB.address)]
    for inputs, locks in (([account, title], [of_nft, of_alias]), ([title, account], [of_alias, of_nft])):
        entries = [(place, lock, Way()) for place, lock in enumerate(locks)]
        scene = Scene(inputs, [BOB, BOB], outputs, show=show(*entries))
        assert in_a_ledger(scene) is BAD


def test_a_governor_behind_a_lock() -> None:
    executors = lock_of(Threshold(2, tuple(Part(1, Signed(key.address)) for key in (ALICE, BOB, CAROL))))
    account = held("a, later", alias(1_000, A, 4, governor=executors.address))
    changed = alias(1_000, A, 4, controller=CAROL.address, governor=executors.address)
    scene = Scene([account], [BOB], [changed], show=show((0, executors, Way([[1, 2]], by(CAROL)))))
    assert in_a_ledger(scene) is TAKEN
    assert in_a_ledger(scene.but(show=show((0, executors, Way([[1]]))))) is BAD


def test_the_verdict_follows_from_the_bytes_alone() -> None:
    """One bad proof makes all of the witness none, so the other input of it does not open either."""
    two = [at(CHANNEL, "one"), at(OFFERS[0], "two")]
    scene = Scene(
        two,
        [BOB, BOB],
        [basic(500, BOB.address), basic(1_500)],
        show=show((0, CHANNEL, Way(cumulative=700, taken=500)), (1, OFFERS[0], Way())),
    )
    assert in_a_ledger(scene) is TAKEN
    forged = scene.but(
        show=show((0, CHANNEL, Way(cumulative=700, taken=500, device=CAROL)), (1, OFFERS[0], Way()))
    )
    assert forged.transaction.witness is None
    assert in_a_ledger(forged) is NO_KEY
    # Read again from its bytes, as after a restart or by another node, it is judged alike.
    for made, expected in ((scene.transaction, TAKEN), (forged.transaction, NO_KEY)):
        again = Transaction.decode(made.encode())
        inputs = [Consumed(one.output_id, one.output, one.created_at) for one in two]
        assert check_semantics(again, inputs, T0, {"locks/1"}) is expected


def test_a_note_travels_with_the_witness() -> None:
    scene = opening(Signed(BOB.address))
    noted = scene.but(show=show((0, lock_of(Signed(BOB.address), SALT), Way()), note=b"invoice 7"))
    witness = noted.transaction.witness
    assert isinstance(witness, Witness)
    assert witness.note == b"invoice 7"
    assert in_a_ledger(noted) is TAKEN
