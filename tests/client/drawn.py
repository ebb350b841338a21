"""Drawn holdings for property tests: outputs of every type that some keys own, directly or through others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from tangle.client.wallet import outputs as build
from tangle.client.wallet.holdings import Holdings, holdings
from tangle.client.wallet.selection import Coin
from tangle.protocol.addresses import Address, Ed25519Address
from tangle.protocol.keys import KeyPair, Keys
from tangle.protocol.outputs import NO_ID, Output, SimpleTokenScheme
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import blake2b_256, uint

PARAMETERS = ProtocolParameters(min_pow_score=0)
AT = 1_700_000_000
TOKEN = b"\x08" + bytes(32) + uint(1, 4) + b"\0"
"""of a foundry that is not here"""
KEYS = [Keys.from_seed(bytes([40 + i] * 32)).derive() for i in range(3)]
KEY_OF: dict[Address, KeyPair] = {pair.address: pair for pair in KEYS}
OWN: list[Address] = [pair.address for pair in KEYS]
STRANGER = Ed25519Address(bytes(range(32)))


def output_id(number: int) -> bytes:
    """An output id for a number."""
    return blake2b_256(b"output" + uint(number, 4)) + b"\0\0"


@dataclass
class World:
    """Outputs made one by one; each may belong to an alias or NFT that was made before."""

    coins: list[Coin] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=lambda: list(OWN))
    homes: dict[bytes, int] = field(default_factory=dict)
    tokens: list[bytes] = field(default_factory=list)

    def add(self, output: Output) -> Coin:
        """Keep an output under a new id."""
        coin = Coin(output_id(len(self.coins)), output)
        self.coins.append(coin)
        return coin

    def held(self, at: int = AT) -> Holdings:
        """What the keys hold of it."""
        return holdings(self.coins, OWN, at)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to five accounts, three foundries and twelve more outputs."""
    world = World()
    for _ in range(draw(st.integers(0, 5))):
        _add_account(draw, world)
    for alias_id, count in world.homes.items():
        for serial in range(1, count + 1):
            minted = draw(st.integers(0, 2000))
            melted = draw(st.integers(0, minted))
            scheme = SimpleTokenScheme(minted, melted, draw(st.integers(max(minted, 1), 5000)))
            foundry = world.add(build.foundry(PARAMETERS, alias_id, serial, scheme, immutable_metadata=b"token"))
            world.tokens.append(foundry.output.chain_id(foundry.output_id))  # type: ignore[union-attr]
    world.tokens += [TOKEN]
    world.tokens += [b"\x08" + bytes([n] * 32) + uint(1, 4) + b"\0" for n in range(draw(st.integers(0, 3)))]
    for _ in range(draw(st.integers(0, 12))):
        _add_output(draw, world)
    return world


def _add_account(draw: st.DrawFn, world: World) -> None:
    owner = draw(st.sampled_from(world.addresses))
    number = len(world.coins)
    known = blake2b_256(b"account" + uint(number, 4)) if draw(st.booleans()) else NO_ID
    extra = draw(st.integers(0, 3000))
    if draw(st.booleans()):
        governor = draw(st.sampled_from([*world.addresses, STRANGER]))
        controller = draw(st.sampled_from([owner, owner, owner, STRANGER]))
        counter = draw(st.integers(0, 2)) if known != NO_ID else 0
        made = build.alias(
            PARAMETERS,
            controller,
            governor,
            tokens={TOKEN: 7} if draw(st.booleans()) else {},
            alias_id=known,
            state_index=draw(st.integers(0, 9)) if known != NO_ID else 0,
            foundry_counter=counter,
            metadata=b"about",
            state_metadata=b"state",
            immutable_metadata=b"for ever",
        )
        coin = world.add(replace(made, amount=made.amount + extra))
        home = made.alias_address(coin.output_id)
        if controller != STRANGER:
            world.addresses.append(home)
            world.homes[home.alias_id] = counter
    else:
        others = st.sampled_from([*world.addresses, STRANGER])
        times = st.integers(AT - 100, AT + 100)
        nft = build.nft(
            PARAMETERS,
            owner,
            nft_id=known,
            tokens={TOKEN: 5} if draw(st.booleans()) else {},
            immutable_metadata=b"nft",
            metadata=b"mutable",
            tag=b"tag",
            return_deposit_to=draw(st.none() | st.none() | others),
            expires=draw(st.none() | st.none() | st.tuples(others, times)),
            locked_until=draw(st.none() | st.none() | st.none() | times),
        )
        coin = world.add(replace(nft, amount=nft.amount + extra))
        world.addresses.append(nft.nft_address(coin.output_id))


def _add_output(draw: st.DrawFn, world: World) -> None:
    amounts = st.integers(1, 2000)
    tokens = draw(st.dictionaries(st.sampled_from(world.tokens), amounts, max_size=3)) if world.tokens else {}
    owners = st.sampled_from([*world.addresses, *OWN, *OWN])
    others = st.sampled_from([*world.addresses, STRANGER, STRANGER])
    times = st.integers(AT - 100, AT + 100)
    output = build.basic(
        PARAMETERS,
        draw(owners),
        tokens=tokens,
        return_deposit_to=draw(st.none() | others),
        expires=draw(st.none() | st.tuples(others, times)),
        locked_until=draw(st.none() | st.none() | times),
        metadata=draw(st.none() | st.just(b"note")),
    )
    world.add(replace(output, amount=output.amount + draw(st.integers(0, 4000))))
