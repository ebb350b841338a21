"""Strategies for locks, as their classes accept them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tangle.protocol.locks import (
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
from tests.protocol.objects import addresses

HASHES = st.binary(min_size=32, max_size=32)
U64 = st.integers(0, 2**64 - 1)
TOKEN_IDS = st.binary(min_size=38, max_size=38)
CURRENCIES = st.one_of(st.just(BaseCoins()), st.builds(TokenAsset, TOKEN_IDS))
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Signed, addresses),
    st.builds(Preimage, st.integers(0, 1), HASHES),
    st.builds(Pays, addresses, CURRENCIES, U64),
    st.builds(Pays, addresses, st.one_of(st.builds(NftAsset, HASHES), st.just(Everything())), st.just(0)),
    st.builds(Voucher, HASHES, addresses, addresses, CURRENCIES),
    st.builds(Stake, TOKEN_IDS, U64, st.integers(0, 2**32 - 1)),
    st.just(Carries()),
    st.builds(Makes, HASHES),
)


@st.composite
def thresholds(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Threshold:
    parts = draw(st.lists(st.builds(Part, st.integers(1, 100), inner), min_size=1, max_size=3))
    return Threshold(draw(st.integers(1, sum(part.weight for part in parts))), tuple(parts))


CONDITIONS = LEAVES
for _ in range(3):
    CONDITIONS = st.one_of(LEAVES, thresholds(CONDITIONS))


def fits(condition: Condition) -> bool:
    return len(condition.encode()) <= 1_271


LOCKS = st.builds(Lock, st.binary(min_size=8, max_size=8), CONDITIONS.filter(fits))
