"""Every rule broken alone: a transaction that breaks it and nothing else, and a twin that is valid."""

from __future__ import annotations

from typing import Any

import pytest

from tangle.protocol.conflicts import Conflict
from tangle.protocol.outputs import IssuerFeature, MetadataFeature, NativeToken, SenderFeature
from tangle.protocol.transactions import (
    AliasUnlock,
    Ed25519Signature,
    NftUnlock,
    ReferenceUnlock,
    SignatureUnlock,
)
from tangle.state.ledger import Found, apply
from tangle.state.rules import Rule, balance, chains, unlocks
from tangle.state.rules import alias as aliases
from tangle.state.rules import foundry as foundries
from tangle.state.rules import nft as nfts
from tangle.state.rules.text import ledger_tables
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
    foundry,
    held,
    nft,
    nft_of,
    token_of,
)

NOTE = MetadataFeature(b"note")
COINS = held("coins", basic(1_000))
OF_BOB = held("coins of Bob", basic(1_000, BOB.address))
SEND = Scene([COINS], [ALICE], [basic(1_000, BOB.address)])

# Alice runs the alias, Bob rules it.
A = chain_of("a")
A_HOME = alias_of("a")
ALIAS = held("a, later", alias(1_000, A, 4))
MOVE = Scene([ALIAS], [ALICE], [alias(1_000, A, 5)])
GOVERN = Scene([ALIAS], [BOB], [alias(1_000, A, 4)])
OF_ALIAS = held("coins of the alias", basic(1_000, A_HOME))
OTHER_ALIAS = held("b, later", alias(1_000, chain_of("b"), 7))
MOVE_AND_TAKE = Scene([ALIAS, OF_ALIAS], [ALICE, AliasUnlock(0)], [alias(1_000, A, 5), basic(1_000)])

N, M = chain_of("n"), chain_of("m")
NFT, OTHER_NFT = held("n, later", nft(1_000, N)), held("m, later", nft(1_000, M))
OF_NFT = held("coins of the NFT", basic(1_000, nft_of("n")))
SEND_NFT = Scene([NFT], [ALICE], [nft(1_000, N, BOB.address)])

CREATE = Scene(
    [ALIAS, COINS],
    [ALICE, ALICE],
    [alias(1_000, A, 5, 1), foundry(500, A_HOME, minted=10), basic(500, tokens=[token_of(A_HOME, 10)])],
)


def supply(tokens: int, minted: int, melted: int, **changed: Any) -> Scene:
    """From 100 minted, 10 melted and 50 of the tokens at hand to `tokens` at hand."""
    return Scene(
        [
            held("a with a foundry", alias(1_000, A, 4, 1)),
            held("foundry", foundry(500, A_HOME, minted=100, melted=10)),
            held("tokens", basic(1_000, tokens=[token_of(A_HOME, 50)])),
        ],
        [ALICE, AliasUnlock(0), ALICE],
        [
            alias(1_000, A, 5, 1),
            foundry(500, A_HOME, minted=minted, melted=melted, **changed),
            basic(1_000, tokens=[token_of(A_HOME, tokens)]),
        ],
    )


def close(*left: NativeToken) -> Scene:
    """A foundry destroyed while all its tokens are at hand, `left` of them kept."""
    scene = supply(50, 100, 10)
    moved, _, _ = scene.outputs
    tokens = held("all tokens", basic(1_000, tokens=[token_of(A_HOME, 90)]))
    return scene.but(consumed=[*scene.consumed[:2], tokens], outputs=[moved, basic(1_500, tokens=left)])


def many_tokens(count: int) -> Scene:
    """`count` kinds of tokens, in two inputs, all burned."""
    tokens = sorted(
        (token_of(A_HOME, 1, serial) for serial in range(1, count + 1)), key=lambda token: token.encode()
    )
    inputs = [held("some", basic(500, tokens=tokens[:40])), held("more", basic(500, tokens=tokens[40:]))]
    return SEND.but(consumed=inputs, unlocks=[ALICE, ALICE])


def large_sum(last: int) -> Scene:
    """2^255 and `last` tokens, burned."""
    amounts = {"first": 2**255, "last": last}
    inputs = [held(name, basic(500, tokens=[token_of(A_HOME, n)])) for name, n in amounts.items()]
    return SEND.but(consumed=inputs, unlocks=[ALICE, ALICE])


def other_signature() -> SignatureUnlock:
    """A second signature with Alice's key; whether it verifies is not asked here."""
    return SignatureUnlock(Ed25519Signature(ALICE.public, bytes(64)))


RETURN = SEND.but(
    consumed=[held("deposit", basic(1_000, returns=(CAROL.address, 300)))],
    outputs=[basic(700), basic(300, CAROL.address)],
)
TIMELOCKED = SEND.but(consumed=[held("locked", basic(1_000, timelock=T0 + 10))], at=T0 + 10)
TOKENS = SEND.but(
    consumed=[held("tokens", basic(1_000, tokens=[token_of(A_HOME, 5)]))],
    outputs=[basic(1_000, BOB.address, tokens=[token_of(A_HOME, 5)])],
)
BOTH_NFTS = Scene([NFT, OTHER_NFT], [ALICE, ALICE], [nft(1_000, N), nft(1_000, M)])
GOVERN_WITH_TOKENS = GOVERN.but(
    consumed=[ALIAS, *TOKENS.consumed],
    unlocks=[BOB, ALICE],
    outputs=[alias(1_000, A, 4), basic(1_000, tokens=[token_of(A_HOME, 5)])],
)
TWO_FOUNDRIES = CREATE.but(outputs=[alias(1_000, A, 5, 2), foundry(500, A_HOME, 1), foundry(500, A_HOME, 2)])

CASES: list[tuple[Rule[...], Scene, Scene]] = [
    # rule, twin, broken
    (balance.commitment, SEND, SEND.but(commitment=b"\x01" * 32)),
    (
        balance.sender,
        SEND.but(outputs=[basic(1_000, BOB.address, SenderFeature(ALICE.address))]),
        SEND.but(outputs=[basic(1_000, BOB.address, SenderFeature(BOB.address))]),
    ),
    (balance.base_coins, SEND, SEND.but(outputs=[basic(1_001, BOB.address)])),
    (balance.returns, RETURN, RETURN.but(outputs=[basic(701), basic(299, CAROL.address)])),
    (balance.token_count, many_tokens(64), many_tokens(65)),
    (balance.token_sums, large_sum(2**255 - 1), large_sum(2**255)),
    (
        balance.token_surplus,
        TOKENS,
        TOKENS.but(outputs=[basic(1_000, BOB.address, tokens=[token_of(A_HOME, 6)])]),
    ),
    (
        chains.unique,
        BOTH_NFTS,
        BOTH_NFTS.but(consumed=[NFT, held("n again", nft(1_000, N))], outputs=[nft(2_000, N)]),
    ),
    (unlocks.timelock, TIMELOCKED, TIMELOCKED.but(at=T0 + 9)),
    (unlocks.signed_address, MOVE_AND_TAKE, SEND.but(consumed=[OF_ALIAS])),
    (unlocks.signed_address, MOVE_AND_TAKE, MOVE_AND_TAKE.but(unlocks=[ALICE, ReferenceUnlock(0)])),
    (unlocks.public_key, SEND, SEND.but(unlocks=[BOB])),
    (
        unlocks.signed_once,
        Scene([COINS, held("more coins", basic(1_000))], [ALICE, ALICE], [basic(2_000)]),
        Scene([COINS, held("more coins", basic(1_000))], [ALICE, other_signature()], [basic(2_000)]),
    ),
    (
        unlocks.reference,
        Scene([COINS, OF_BOB], [ALICE, BOB], [basic(2_000)]),
        Scene([COINS, OF_BOB], [ALICE, ReferenceUnlock(0)], [basic(2_000)]),
    ),
    (unlocks.alias_address, MOVE_AND_TAKE, MOVE_AND_TAKE.but(consumed=[ALIAS, COINS])),
    (
        unlocks.alias_input,
        Scene(
            [ALIAS, OTHER_ALIAS, OF_ALIAS],
            [ALICE, ALICE, AliasUnlock(0)],
            [alias(2_000, A, 5), alias(1_000, chain_of("b"), 8)],
        ),
        Scene(
            [ALIAS, OTHER_ALIAS, OF_ALIAS],
            [ALICE, ALICE, AliasUnlock(1)],
            [alias(2_000, A, 5), alias(1_000, chain_of("b"), 8)],
        ),
    ),
    (
        unlocks.alias_moves,
        MOVE_AND_TAKE,
        MOVE_AND_TAKE.but(unlocks=[BOB, AliasUnlock(0)], outputs=[alias(1_000, A, 4), basic(1_000)]),
    ),
    (
        unlocks.nft_address,
        Scene([NFT, OF_NFT], [ALICE, NftUnlock(0)], [nft(2_000, N)]),
        Scene([NFT, COINS], [ALICE, NftUnlock(0)], [nft(2_000, N)]),
    ),
    (
        unlocks.nft_input,
        Scene([NFT, OTHER_NFT, OF_NFT], [ALICE, ALICE, NftUnlock(0)], [nft(2_000, N), nft(1_000, M)]),
        Scene([NFT, OTHER_NFT, OF_NFT], [ALICE, ALICE, NftUnlock(1)], [nft(2_000, N), nft(1_000, M)]),
    ),
    (aliases.corresponding, SEND.but(outputs=[alias(1_000)]), SEND.but(outputs=[alias(1_000, A, 1)])),
    (
        aliases.issuer,
        SEND.but(outputs=[alias(1_000, immutable=[IssuerFeature(ALICE.address)])]),
        SEND.but(outputs=[alias(1_000, immutable=[IssuerFeature(BOB.address)])]),
    ),
    (aliases.immutable, MOVE, MOVE.but(outputs=[alias(1_000, A, 5, immutable=[NOTE])])),
    (aliases.immutable, GOVERN, GOVERN.but(outputs=[alias(1_000, A, 4, immutable=[NOTE])])),
    (aliases.state_index, MOVE, MOVE.but(outputs=[alias(1_000, A, 6)])),
    (aliases.state_index, MOVE, MOVE.but(outputs=[alias(1_000, A, 3)])),
    (aliases.controllers, MOVE, MOVE.but(outputs=[alias(1_000, A, 5, controller=CAROL.address)])),
    (aliases.controllers, MOVE, MOVE.but(outputs=[alias(1_000, A, 5, governor=CAROL.address)])),
    (aliases.metadata, MOVE, MOVE.but(outputs=[alias(1_000, A, 5, 0, NOTE)])),
    (aliases.foundries, MOVE, MOVE.but(outputs=[alias(1_000, A, 5, 1)])),
    (
        aliases.foundries_sorted,
        TWO_FOUNDRIES,
        TWO_FOUNDRIES.but(outputs=[alias(1_000, A, 5, 2), foundry(500, A_HOME, 2), foundry(500, A_HOME, 1)]),
    ),
    (
        aliases.amount,
        GOVERN.but(consumed=[ALIAS, COINS], unlocks=[BOB, ALICE], outputs=[alias(1_000, A, 4), basic(1_000)]),
        GOVERN.but(consumed=[ALIAS, COINS], unlocks=[BOB, ALICE], outputs=[alias(1_001, A, 4), basic(999)]),
    ),
    (
        aliases.native_tokens,
        GOVERN_WITH_TOKENS,
        GOVERN_WITH_TOKENS.but(outputs=[alias(1_000, A, 4, tokens=[token_of(A_HOME, 5)]), basic(1_000)]),
    ),
    (aliases.state_metadata, GOVERN, GOVERN.but(outputs=[alias(1_000, A, 4, state=b"state")])),
    (aliases.foundry_counter, GOVERN, GOVERN.but(outputs=[alias(1_000, A, 4, 1)])),
    (foundries.alias_unlocked, CREATE, SEND.but(outputs=[foundry(1_000, A_HOME)])),
    (
        foundries.serial_number,
        CREATE,
        CREATE.but(outputs=[alias(1_000, A, 5, 1), foundry(1_000, A_HOME, 2)]),
    ),
    (
        foundries.first_minted,
        CREATE,
        CREATE.but(outputs=[alias(1_000, A, 5, 1), foundry(1_000, A_HOME, minted=10)]),
    ),
    (
        foundries.first_melted,
        CREATE,
        CREATE.but(
            outputs=[
                alias(1_000, A, 5, 1),
                foundry(1_000, A_HOME, minted=10, melted=1, tokens=[token_of(A_HOME, 10)]),
            ]
        ),
    ),
    (foundries.immutable, supply(50, 100, 10), supply(50, 100, 10, immutable=[NOTE])),
    (foundries.maximum_supply, supply(50, 100, 10), supply(50, 100, 10, maximum=1_001)),
    (foundries.counters, supply(40, 100, 10), supply(40, 99, 10)),
    (foundries.counters, supply(40, 100, 20), supply(40, 100, 9)),
    (foundries.minted, supply(60, 110, 10), supply(60, 109, 10)),
    (foundries.minted, supply(60, 110, 10), supply(60, 111, 10)),
    (foundries.minting_melts_nothing, supply(60, 110, 10), supply(60, 110, 11)),
    (foundries.balanced, supply(50, 100, 10), supply(50, 101, 10)),
    (foundries.balanced, supply(50, 100, 10), supply(50, 100, 11)),
    (foundries.melted, supply(40, 100, 20), supply(40, 100, 21)),
    (foundries.melting_mints_nothing, supply(40, 100, 15), supply(40, 101, 15)),
    (foundries.all_melted, close(), close(token_of(A_HOME, 1))),
    (nfts.corresponding, SEND.but(outputs=[nft(1_000)]), SEND.but(outputs=[nft(1_000, N)])),
    (
        nfts.issuer,
        SEND.but(outputs=[nft(1_000, immutable=[IssuerFeature(ALICE.address)])]),
        SEND.but(outputs=[nft(1_000, immutable=[IssuerFeature(BOB.address)])]),
    ),
    (nfts.immutable, SEND_NFT, SEND_NFT.but(outputs=[nft(1_000, N, BOB.address, immutable=[NOTE])])),
]
NAMES = [rule.name for rule, _, _ in CASES]


def test_every_rule_has_a_case() -> None:
    asked = {rule for rules in ledger_tables().values() for rule in rules} - {unlocks.nft_kept}
    assert asked == {rule for rule, _, _ in CASES}


@pytest.mark.parametrize(("rule", "twin", "broken"), CASES, ids=NAMES)
def test_rule_alone(rule: Rule[...], twin: Scene, broken: Scene) -> None:
    assert twin.broken() == []
    assert broken.broken() == [rule]


def in_a_ledger(scene: Scene) -> Conflict:
    known = {one.output_id: Found(one.output, one.created_at) for one in scene.consumed}
    return apply(
        [scene.transaction], lambda ids: {i: known[i] for i in ids if i in known}, scene.at, scene.rules
    ).conflicts[0]


@pytest.mark.parametrize(("rule", "twin", "broken"), CASES, ids=NAMES)
def test_the_ledger_tells_the_reason(rule: Rule[...], twin: Scene, broken: Scene) -> None:
    assert in_a_ledger(twin) is Conflict.NONE
    assert in_a_ledger(broken) is rule.conflict


def test_reasons_are_those_of_the_tips() -> None:
    by_reason: dict[Conflict, set[str]] = {}
    for title, rules in ledger_tables().items():
        for rule in rules:
            by_reason.setdefault(rule.conflict, set()).add(title.split(",")[0])
    assert by_reason.pop(Conflict.CHAIN_TRANSITION_INVALID) == {
        "Transaction",
        "Alias Output",
        "Foundry Output",
        "NFT Output",
    }
    assert by_reason.pop(Conflict.INPUT_UNLOCK_INVALID) == {
        "Signature Unlock",
        "Reference Unlock",
        "Alias Unlock",
        "Nft Unlock",
    }
    assert by_reason.pop(Conflict.SIGNATURE_INVALID) == {"Signature Unlock"}
    assert by_reason.pop(Conflict.TIMELOCK_NOT_EXPIRED) == {"Every input"}
    assert set().union(*by_reason.values()) == {"Transaction"}
