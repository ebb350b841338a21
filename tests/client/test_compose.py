"""Whatever a wallet composes is valid by the ledger's own rules, and loses nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tangle.client.errors import (
    FundsTooScattered,
    InsufficientFunds,
    LockedUntil,
    NotControlled,
    NotEnoughTokens,
    OutputPending,
    RemainderTooSmall,
    TooManyTokens,
    UnknownInput,
    WalletError,
)
from tangle.client.wallet import outputs as build
from tangle.client.wallet.compose import compose
from tangle.client.wallet.draft import Intent, Unlocked, in_unlock_order
from tangle.client.wallet.holdings import EXPIRY_MARGIN_S, Holding, Holdings, HoldingState
from tangle.client.wallet.selection import Coin
from tangle.client.wallet.transfer import sign_draft
from tangle.protocol.conflicts import Conflict
from tangle.protocol.errors import AmountOutOfRange
from tangle.protocol.outputs import (
    AliasOutput,
    BasicOutput,
    FoundryOutput,
    NativeToken,
    NftOutput,
    Output,
    SimpleTokenScheme,
    storage_deposit,
)
from tangle.protocol.parameters import INPUTS_MAX, NATIVE_TOKENS_MAX
from tangle.protocol.serial import uint
from tangle.protocol.transactions import Transaction
from tangle.state.rules import Consumed, check_semantics, semantic_context, violations
from tests.client.drawn import AT, KEY_OF, OWN, PARAMETERS, STRANGER, World, output_id, worlds
from tests.tries import tries


def token(number: int) -> bytes:
    return b"\x08" + uint(number, 32) + uint(1, 4) + b"\0"


def made(held: Holdings, intent: Intent, remainder_to: int = 0) -> Transaction:
    draft = compose(held, intent, OWN[remainder_to], PARAMETERS)
    return sign_draft(draft, KEY_OF.__getitem__, PARAMETERS)


def attempt(held: Holdings, intent: Intent) -> Transaction | WalletError:
    try:
        return made(held, intent)
    except WalletError as error:
        return error


def inputs_of(transaction: Transaction, world: World) -> list[Coin]:
    by_id = {coin.output_id: coin for coin in world.coins}
    return [by_id[spent.output_id] for spent in transaction.essence.inputs]


def sums(outputs: Iterable[Output]) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for output in outputs:
        found.update({held.token_id: held.amount for held in output.native_tokens})
    return found


def check_valid(transaction: Transaction, coins: list[Coin], at: int) -> None:
    inputs = [Consumed(coin.output_id, coin.output, at) for coin in coins]
    assert list(violations(semantic_context(transaction, inputs, at))) == []
    assert check_semantics(transaction, inputs, at) is Conflict.NONE


@st.composite
def intents(draw: st.DrawFn, held: Holdings) -> Intent:
    outputs: list[Output] = []
    touched: set[bytes] = set()
    tokens = sorted(sums(one.output for one in held.of(HoldingState.AVAILABLE)))
    accounts = [*OWN, *held.accounts]
    for _ in range(draw(st.integers(0, 2))):
        sent = draw(st.dictionaries(st.sampled_from(tokens), st.integers(1, 1500), max_size=2)) if tokens else {}
        paid = build.basic(
            PARAMETERS,
            draw(st.sampled_from([STRANGER, *accounts])),
            tokens=sent,
            sender=draw(st.none() | st.sampled_from(accounts)),
            return_deposit_to=draw(st.none() | st.sampled_from(accounts)),
        )
        outputs.append(replace(paid, amount=paid.amount + draw(st.integers(0, 3000))))
    if draw(st.booleans()):
        issuer = draw(st.none() | st.sampled_from(accounts))
        outputs.append(build.nft(PARAMETERS, STRANGER, issuer=issuer, immutable_metadata=b"new"))
    ends: list[bytes] = []
    for one in held.items:
        if one.chain_id is None or draw(st.integers(0, 3)):
            continue
        if draw(st.booleans()):
            ends.append(one.chain_id)
            touched.add(one.chain_id)
            continue
        following = draw(_next_states(one))
        if following is not None and one.chain_id not in touched:
            outputs.append(following)
    conditional = [one.output_id for one in held.items if one.conditional]
    named: list[bytes] = []
    if conditional:
        named = draw(st.lists(st.sampled_from(conditional), unique=True, max_size=3))
    burned = draw(st.dictionaries(st.sampled_from(tokens), st.integers(1, 300), max_size=1)) if tokens else {}
    new_home = [one for one in held.items if isinstance(one.output, AliasOutput) and one.account is not None]
    founds = draw(st.booleans())
    if new_home and founds:
        home = draw(st.sampled_from(new_home))
        assert isinstance(home.output, AliasOutput)
        minted = draw(st.integers(0, 500))
        scheme = SimpleTokenScheme(minted, 0, 1000)
        assert home.chain_id is not None
        outputs.append(build.foundry(PARAMETERS, home.chain_id, home.output.foundry_counter + 1, scheme))
    return Intent(outputs, named, ends, burned)


@st.composite
def _next_states(draw: st.DrawFn, one: Holding) -> Output | None:
    output = one.output
    if isinstance(output, NftOutput):
        return build.next_nft(PARAMETERS, output, one.output_id, STRANGER, amount=max(one.kept, 1))
    if isinstance(output, FoundryOutput):
        scheme = output.token_scheme
        room = scheme.maximum_supply - scheme.minted + scheme.melted
        if draw(st.booleans()):
            return build.next_foundry(PARAMETERS, output, minted=draw(st.integers(0, room)))
        return build.next_foundry(PARAMETERS, output, melted=draw(st.integers(0, scheme.minted - scheme.melted)))
    if isinstance(output, AliasOutput) and draw(st.booleans()):
        return build.governed_alias(PARAMETERS, output, one.output_id, state_controller=STRANGER)
    return None


@given(data=st.data(), rich=st.booleans(), later=st.integers(0, EXPIRY_MARGIN_S - 1))
@settings(max_examples=tries(100), deadline=None)
def test_what_is_composed_is_valid_and_loses_nothing(data: st.DataObject, rich: bool, later: int) -> None:
    world = data.draw(worlds())
    if rich:
        world.add(BasicOutput.to(OWN[1], 1_000_000))
    held = world.held()
    intent = data.draw(intents(held))
    if not (intent.outputs or intent.inputs or intent.ends or intent.burned):
        return
    outcome = attempt(held, intent)
    event(type(outcome).__name__)
    if isinstance(outcome, Transaction):
        check_composed(outcome, intent, world, held, AT + later)
    elif isinstance(outcome, InsufficientFunds | NotEnoughTokens):
        assert outcome.needed > outcome.available >= 0
    assert not isinstance(outcome, UnknownInput)


def check_composed(transaction: Transaction, intent: Intent, world: World, held: Holdings, at: int) -> None:
    coins = inputs_of(transaction, world)
    outputs = transaction.essence.outputs
    check_valid(transaction, coins, at)
    assert list(outputs[: len(intent.outputs)]) == list(intent.outputs)
    assert {coin.output_id for coin in coins} >= set(intent.inputs)
    assert len(coins) <= INPUTS_MAX
    assert all(len(output.native_tokens) <= NATIVE_TOKENS_MAX for output in outputs)
    before = {one.chain_id for one in (held.by_id[coin.output_id] for coin in coins) if one.chain_id}
    after = {output.explicit_id for output in outputs if not isinstance(output, BasicOutput)}
    assert before - after == set(intent.ends)
    supply = Counter(intent.burned)
    for sign, side in ((-1, [coin.output for coin in coins]), (1, list(outputs))):
        for output in side:
            if isinstance(output, FoundryOutput):
                scheme = output.token_scheme
                supply[output.foundry_id] -= sign * (scheme.minted - scheme.melted)
    difference = sums(coin.output for coin in coins)
    difference.subtract(sums(outputs))
    difference.subtract(supply)
    assert not any(difference.values())
    # What was not asked for goes to the first key, back to whom it is owed, or stays in its chain.
    for output in outputs[len(intent.outputs) :]:
        if isinstance(output, BasicOutput) and output.address != OWN[0]:
            assert output.address in {held.by_id[coin.output_id].owed_to for coin in coins}
        assert output.amount >= storage_deposit(output, PARAMETERS)
    again = made(held, intent)
    assert again.id == transaction.id


def test_most_draws_compose() -> None:
    """The property above means something: it is not the errors that keep it."""
    seen: Counter[str] = Counter()

    @given(data=st.data())
    @settings(max_examples=tries(100), deadline=None, database=None, derandomize=True)
    def count(data: st.DataObject) -> None:
        world = data.draw(worlds())
        world.add(BasicOutput.to(OWN[1], 1_000_000))
        held = world.held()
        intent = data.draw(intents(held))
        if not (intent.outputs or intent.inputs or intent.ends or intent.burned):
            return
        seen[type(attempt(held, intent)).__name__] += 1

    count()
    assert seen["Transaction"] >= seen.total() // 3, seen


@given(amounts=st.lists(st.integers(500, 3000), min_size=1, max_size=20), needed=st.integers(426, 20_000))
@settings(max_examples=tries(100), deadline=None)
def test_with_plain_outputs_it_chooses_as_the_selection_does(amounts: list[int], needed: int) -> None:
    world = World()
    for amount in amounts:
        world.add(BasicOutput.to(OWN[0], amount))
    intent = Intent([BasicOutput.to(STRANGER, needed)])
    outcome = attempt(world.held(), intent)
    if isinstance(outcome, Transaction):
        check_valid(outcome, inputs_of(outcome, world), AT)
    elif isinstance(outcome, InsufficientFunds):
        assert outcome.args == (needed, sum(amounts))
    else:
        assert isinstance(outcome, RemainderTooSmall)
        assert outcome.args == (sum(amounts) - needed, 426)


def with_tokens(world: World, number: int, amount: int, coins: int = 5000, owner: int = 0) -> Coin:
    output = build.basic(PARAMETERS, OWN[owner], coins, tokens={token(number): amount})
    return world.add(output)


def test_tokens_come_from_as_few_outputs_as_suffice() -> None:
    world = World()
    for amount in (10, 50, 30):
        with_tokens(world, 1, amount)
    transaction = made(world.held(), Intent([build.basic(PARAMETERS, STRANGER, tokens={token(1): 25})]))
    (coin,) = inputs_of(transaction, world)
    assert coin.output.native_tokens[0].amount == 30
    transaction = made(world.held(), Intent([build.basic(PARAMETERS, STRANGER, tokens={token(1): 90})]))
    assert len(inputs_of(transaction, world)) == 3
    assert transaction.essence.outputs[1].native_tokens == ()


def test_outputs_with_tokens_are_spent_last() -> None:
    world = World()
    with_tokens(world, 1, 5, coins=100_000)
    plain = world.add(BasicOutput.to(OWN[0], 3000))
    transaction = made(world.held(), Intent([BasicOutput.to(STRANGER, 2000)]))
    assert inputs_of(transaction, world) == [plain]
    transaction = made(world.held(), Intent([BasicOutput.to(STRANGER, 50_000)]))
    assert transaction.essence.outputs[1].native_tokens == (NativeToken(token(1), 5),)


def test_more_tokens_than_a_transaction_may_touch() -> None:
    world = World()
    for number in range(70):
        with_tokens(world, number, 1, coins=1000)
    needed = {token(number): 1 for number in range(64)}
    transaction = made(world.held(), Intent([build.basic(PARAMETERS, STRANGER, tokens=needed)]))
    check_valid(transaction, inputs_of(transaction, world), AT)
    with pytest.raises((FundsTooScattered, InsufficientFunds)):
        made(world.held(), Intent([build.basic(PARAMETERS, STRANGER, 69_000)]))
    with pytest.raises(TooManyTokens, match="65 different"):
        made(world.held(), Intent(inputs=[coin.output_id for coin in world.coins[:65]]))


def test_tokens_in_too_many_outputs() -> None:
    world = World()
    for _ in range(130):
        with_tokens(world, 1, 1, coins=500)
    intent = Intent([build.basic(PARAMETERS, STRANGER, tokens={token(1): 129})])
    with pytest.raises(FundsTooScattered, match=r"129 of token .*consolidate first"):
        made(world.held(), intent)


def test_a_sender_must_have_something_to_spend() -> None:
    world = World()
    world.add(BasicOutput.to(OWN[0], 5000))
    with pytest.raises(NotControlled, match=r"outputs\[0\].sender.*no output whose spending would prove it"):
        made(world.held(), Intent([build.basic(PARAMETERS, STRANGER, sender=OWN[1])]))
    with pytest.raises(NotControlled, match=r"outputs\[0\].sender.*no key"):
        made(world.held(), Intent([build.basic(PARAMETERS, STRANGER, sender=STRANGER)]))
    proof = world.add(BasicOutput.to(OWN[1], 500))
    transaction = made(world.held(), Intent([build.basic(PARAMETERS, STRANGER, sender=OWN[1])]))
    assert proof in inputs_of(transaction, world)
    check_valid(transaction, inputs_of(transaction, world), AT)


def test_what_is_locked_or_unknown_cannot_be_named() -> None:
    world = World()
    locked = world.add(build.basic(PARAMETERS, OWN[0], locked_until=AT + 1))
    with pytest.raises(LockedUntil, match=str(AT + 1)):
        made(world.held(), Intent(inputs=[locked.output_id]))
    with pytest.raises(UnknownInput):
        made(world.held(), Intent(inputs=[output_id(99)]))


def test_an_account_is_unlocked_before_what_it_owns() -> None:
    world = World()
    first = world.add(BasicOutput.to(OWN[0], 500))
    accounts = [
        Unlocked(first, OWN[2], STRANGER),
        Unlocked(first, STRANGER),
        Unlocked(first, OWN[1], OWN[2]),
        Unlocked(first, OWN[0]),
    ]
    assert [accounts.index(one) for one in in_unlock_order(accounts)] == [2, 0, 1, 3]


def test_a_governor_s_step_opens_nothing() -> None:
    world = World()
    ruled = world.add(build.alias(PARAMETERS, OWN[0], OWN[1]))
    assert isinstance(ruled.output, AliasOutput)
    home = ruled.output.alias_address(ruled.output_id)
    owned = world.add(BasicOutput.to(home, 1000))
    step = build.governed_alias(PARAMETERS, ruled.output, ruled.output_id, state_controller=STRANGER)
    with pytest.raises(NotControlled, match="no state transition"):
        made(world.held(), Intent([step], [owned.output_id]))
    transaction = made(world.held(), Intent([step]))
    check_valid(transaction, inputs_of(transaction, world), AT)


def test_a_melted_token_must_be_there() -> None:
    world = World()
    ruled = world.add(build.alias(PARAMETERS, OWN[0], alias_id=bytes(31) + b"\1", foundry_counter=1))
    scheme = SimpleTokenScheme(10, 0, 10)
    foundry = world.add(build.foundry(PARAMETERS, ruled.output.chain_id(ruled.output_id), 1, scheme))  # type: ignore[union-attr]
    world.add(BasicOutput.to(OWN[0], 50_000))
    assert isinstance(foundry.output, FoundryOutput)
    with pytest.raises(NotEnoughTokens, match=r"10 of token .* are needed, 0 are available"):
        made(world.held(), Intent([build.next_foundry(PARAMETERS, foundry.output, melted=10)]))
    with pytest.raises(AmountOutOfRange):
        build.next_foundry(PARAMETERS, foundry.output, melted=11)


def test_what_a_pending_transaction_consumes_is_not_chosen() -> None:
    world = World()
    nft = world.add(build.nft(PARAMETERS, OWN[0]))
    assert isinstance(nft.output, NftOutput)
    world.add(BasicOutput.to(nft.output.nft_address(nft.output_id), 9000))
    plain = [world.add(BasicOutput.to(OWN[0], 1000)) for _ in range(2)]
    pending = {plain[0].output_id: b"1" * 32}
    pay = Intent([BasicOutput.to(STRANGER, 1000)])
    chosen = compose(world.held(), pay, OWN[0], PARAMETERS, pending=pending)
    assert [one.coin for one in chosen.inputs] == [plain[1]]
    # What an NFT owns cannot be had while the NFT is on its way.
    pending = {nft.output_id: b"2" * 32}
    with pytest.raises(InsufficientFunds, match="5000 base units are needed, 2000 are available"):
        compose(world.held(), Intent([BasicOutput.to(STRANGER, 5000)]), OWN[0], PARAMETERS, pending=pending)
    with pytest.raises(OutputPending, match=nft.output_id.hex()):
        compose(
            world.held(), Intent(ends=[nft.output.chain_id(nft.output_id)]), OWN[0], PARAMETERS, pending=pending
        )
    named = compose(
        world.held(), Intent(inputs=[nft.output_id]), OWN[0], PARAMETERS, pending=pending, choose=False
    )
    assert [one.coin for one in named.inputs] == [nft]
