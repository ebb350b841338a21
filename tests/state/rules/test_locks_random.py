"""Random trees of conditions, random claims: the rules say what a naive reader of docs/locks.md says."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.protocol.addresses import Address
from tangle.protocol.errors import LockInvalid
from tangle.protocol.locks import (
    Asset,
    BaseCoins,
    Carries,
    Condition,
    Everything,
    Lock,
    Makes,
    NftAsset,
    Part,
    Pays,
    Preimage,
    Signed,
    Stake,
    Threshold,
    TokenAsset,
    Voucher,
)
from tangle.protocol.outputs import AliasOutput, NativeToken, NftOutput, Output
from tangle.protocol.serial import blake2b_256
from tangle.state.rules.dues import DUE_RULES
from tangle.state.rules.locks import LOCK_RULES, blanked
from tests.networks import PARAMETERS, T0, Key
from tests.protocol.locks import decoder
from tests.protocol.locks.decoder import hexed
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
    token_of,
)
from tests.state.rules.locked import DEVICE, SECRET, Way, show
from tests.state.rules.naive_locks import Case, Input, allowed
from tests.tries import tries

KEYS = [ALICE, BOB, CAROL]
A, N = chain_of("a"), chain_of("n")
TOKEN = token_of(alias_of("t"), 1).token_id
LEASE = alias(1, controller=CAROL.address)
ASKED = set(LOCK_RULES) | set(DUE_RULES)
LOCKED_NFT = "locked NFT"
CURRENCIES: list[BaseCoins | TokenAsset] = [BaseCoins(), BaseCoins(), TokenAsset(TOKEN)]
ASSETS: list[Asset] = [*CURRENCIES, NftAsset(N), Everything()]
ACCOUNTS: list[Address] = [alias_of("a"), nft_of("n")]


class Draw:
    """One transaction over things behind random locks, nearly paid as they ask."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def leaf(self) -> Condition:
        rng, to, other = self.rng, self.rng.choice(KEYS).address, self.rng.choice(KEYS).address
        asset: Asset = rng.choice(ASSETS)
        some = rng.choice([0, 3, 9]) if isinstance(asset, BaseCoins | TokenAsset) else 0
        currency: BaseCoins | TokenAsset = rng.choice(CURRENCIES)
        account: Address = rng.choice(ACCOUNTS)
        leaves: list[Condition] = [
            Signed(to),
            Signed(to),
            Signed(account),
            Preimage(0, blake2b_256(rng.choice([SECRET, SECRET, b"another"]))),
            Pays(to, asset, some),
            Pays(to, asset, some),
            Voucher(DEVICE.public, to, other, currency),
            Stake(TOKEN, rng.choice([0, 5, 10]), rng.choice([0, 500, 5_000])),
            Carries(),
            Makes(blanked(LEASE)),
        ]
        return rng.choice(leaves)

    def condition(self, depth: int = 3) -> Condition:
        if depth == 0 or self.rng.random() < 0.4:
            return self.leaf()
        parts = tuple(
            Part(self.rng.randint(1, 3), self.condition(depth - 1)) for _ in range(self.rng.randint(1, 3))
        )
        total = sum(part.weight for part in parts)
        return Threshold(self.rng.randint(1, total), parts)

    def lock(self, number: int) -> Lock:
        """A lock that fits."""
        while True:
            try:
                return Lock(bytes(7) + bytes([number]), self.condition())
            except LockInvalid:
                continue

    def way(self) -> Way:
        rng = self.rng
        signers: dict[Address, Key] = {
            key.address: rng.choice([key, key, key, BOB]) for key in KEYS if rng.random() < 0.3
        }
        masks = [sorted(rng.sample(range(3), rng.randint(0, 2))) for _ in range(rng.randint(0, 2))]
        cumulative = rng.choice([0, 5, 10])
        return Way(masks, signers, cumulative=cumulative, taken=max(cumulative + rng.choice([0, 0, 0, -2, 1]), 0))

    def scene(self) -> Scene:
        rng = self.rng
        inputs: list[tuple[Held, Key]] = []
        locks: dict[bytes, Lock] = {}
        for number in range(rng.randint(1, 2)):
            lock = self.lock(number)
            output: Output = basic(100, lock.address, tokens=self.tokens())
            if rng.random() < 0.25:
                output = replace(nft(100, chain_of(LOCKED_NFT), lock.address), native_tokens=self.tokens())
            one = held(f"locked {number}", output, T0 - rng.choice([10, 1_000]))
            if any(
                isinstance(other.output, type(output)) and isinstance(output, NftOutput) for other, _ in inputs
            ):
                continue
            locks[one.output_id] = lock
            inputs.append((one, rng.choice(KEYS)))
        more = [
            (held("coins", basic(100, BOB.address, tokens=self.tokens()), T0 - rng.choice([10, 1_000])), BOB),
            (held("n, later", nft(100, N, CAROL.address), T0 - rng.choice([10, 1_000])), CAROL),
            (held("a, later", alias(100, A, 4), T0 - rng.choice([10, 1_000])), ALICE),
        ]
        inputs += rng.sample(more, rng.randint(0, 3))
        rng.shuffle(inputs)
        consumed = [one for one, _ in inputs]
        entries = [
            (i, locks[one.output_id], self.way()) for i, one in enumerate(consumed) if one.output_id in locks
        ]
        scene = Scene(consumed, [key for _, key in inputs], [basic(1)], show=show(*entries))
        return scene.but(outputs=self.outputs(scene))

    def tokens(self) -> tuple[NativeToken, ...]:
        return (NativeToken(TOKEN, self.rng.choice([5, 10])),) if self.rng.random() < 0.6 else ()

    def outputs(self, scene: Scene) -> list[Output]:
        """What is asked for, sometimes a little else; the rest to Bob."""
        rng, case = self.rng, case_of(scene)
        allowed(case)
        made: list[Output] = []
        coins = sum(one.output.amount for one in scene.consumed)
        tokens = sum(token.amount for one in scene.consumed for token in one.output.native_tokens)
        for one in scene.consumed:
            if isinstance(one.output, AliasOutput):
                made.append(replace(one.output, state_index=5))
            elif isinstance(one.output, NftOutput) and rng.random() < 0.9:
                asked = [due for due in case.titles if due[1] == hexed(one.output.nft_id)]
                to, kept = rng.choice(KEYS).address, one.output.native_tokens
                if asked and rng.random() < 0.9:
                    to = next(key.address for key in KEYS if hexed(key.address.public_key_hash) == asked[0][2])
                    held_now = asked[0][4].get(hexed(TOKEN), 0)
                    kept = (NativeToken(TOKEN, held_now),) if held_now else ()
                made.append(replace(nft(one.output.amount, one.output.nft_id, to), native_tokens=kept))
        for key in KEYS:
            name = hexed(key.address.public_key_hash)
            amount, some = case.due.get((name, "coins"), 0), case.due.get((name, hexed(TOKEN)), 0)
            if amount or some:
                amount, some = (max(value - (rng.random() < 0.1), 0) for value in (amount, some))
                made.append(basic(max(amount, 1), key.address, tokens=[NativeToken(TOKEN, some)] if some else []))
        if rng.random() < 0.5:
            made.append(LEASE)
        coins -= sum(output.amount for output in made)
        tokens -= sum(token.amount for output in made for token in output.native_tokens)
        if coins > 0:
            made.append(basic(coins, BOB.address, tokens=[NativeToken(TOKEN, tokens)] if tokens > 0 else []))
        return made


def case_of(scene: Scene) -> Case:
    """The scene as the naive reader takes it."""
    transaction = scene.transaction
    essence = transaction.essence
    assert essence.payload is not None
    ids = [one.output_id for one in scene.consumed]
    witness = decoder.read_witness(essence.payload.data, essence.bare, PARAMETERS.network_id, ids)
    inputs = [
        Input(
            one.output_id,
            one.output.to_json(),
            one.created_at,
            hexed(decoder.h("", transaction.signature_of(place).public_key)),
        )
        for place, one in enumerate(scene.consumed)
    ]
    created = [(output.to_json(), output.encode()) for output in essence.outputs]
    return Case(inputs, created, [one.output.encode() for one in scene.consumed], scene.at, witness)


def verdicts(seed: int) -> tuple[bool, set[str], Scene]:
    scene = Draw(seed).scene()
    naive = allowed(case_of(scene))
    broken = [rule for rule in scene.broken() if rule in ASKED]
    assert naive == (not broken), f"seed {seed}: naive {naive}, broken {broken}"
    return naive, {rule.name for rule in broken}, scene


@given(st.integers(0, 2**48))
@settings(max_examples=tries(600), deadline=None)
def test_rules_and_naive_reader_agree(seed: int) -> None:
    verdicts(seed)


def test_all_verdicts_occur() -> None:
    found: Counter[object] = Counter()
    for seed in range(200):
        naive, broken, _ = verdicts(seed)
        found[naive] += 1
        found.update(broken)
    assert found[True] >= 30
    assert found[False] >= 30
    unmet = {rule.name for rule in ASKED} - set(found)
    assert len(unmet) <= 4, unmet
