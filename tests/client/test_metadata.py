"""IRC-30 and IRC-27: what the examples of TIP-30 and TIP-27 say, and what their schemas refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.client.errors import InvalidMetadata
from tangle.client.wallet.metadata import Irc27, Irc30, encoded

TOKEN = {"standard": "IRC30", "name": "FooCoin", "symbol": "FOO", "decimals": 3}
"""TIP-30, example 1"""
NFT = {
    "standard": "IRC27",
    "version": "v1.0",
    "type": "image/jpeg",
    "uri": "https://mywebsite.com/my-nft-files-1.jpeg",
    "name": "My NFT #0001",
}
"""TIP-27, the required members"""


def data(members: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps(members | changes).encode()


def test_a_token_s_metadata() -> None:
    found = Irc30.decode(
        data(TOKEN, description="the coin", url="https://foocoin.io", logoUrl="https://l", logo="<svg/>")
    )
    assert found == Irc30("FooCoin", "FOO", 3, "the coin", "https://foocoin.io", "https://l", "<svg/>")
    assert Irc30.decode(data(TOKEN)) == Irc30("FooCoin", "FOO", 3)
    assert json.loads(Irc30("FooCoin", "FOO", 0).encode()) == TOKEN | {"decimals": 0}


def test_an_nft_s_metadata() -> None:
    royalties = {"rms1qzgh": 0.025}
    attributes = [{"trait_type": "Background", "value": "Purple"}]
    found = Irc27.decode(data(NFT, collectionName="C", royalties=royalties, issuerName="I", attributes=attributes))
    assert found is not None
    assert (found.collection_name, found.royalties, found.issuer_name) == ("C", royalties, "I")
    assert found.attributes == tuple(attributes)
    assert Irc27.decode(found.encode()) == found
    assert json.loads(Irc27("My NFT #0001", "image/jpeg", NFT["uri"]).encode()) == NFT


@pytest.mark.parametrize("missing", ["standard", "name", "symbol", "decimals"])
def test_a_token_without_a_required_member_is_foreign(missing: str) -> None:
    assert Irc30.decode(data({key: value for key, value in TOKEN.items() if key != missing})) is None


@pytest.mark.parametrize("missing", ["standard", "type", "uri", "name"])
def test_an_nft_without_a_required_member_is_foreign(missing: str) -> None:
    assert Irc27.decode(data({key: value for key, value in NFT.items() if key != missing})) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"standard": "IRC31"},
        {"name": 7},
        {"symbol": ""},
        {"decimals": -1},
        {"decimals": "3"},
        {"decimals": True},
        {"decimals": 1.5},
        {"url": ["no"]},
    ],
)
def test_a_token_that_breaks_its_schema_is_foreign(changes: dict[str, Any]) -> None:
    assert Irc30.decode(data(TOKEN, **changes)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1.0"},
        {"type": "picture"},
        {"royalties": {"a": 1.5}},
        {"royalties": {"a": 0.6, "b": 0.6}},
        {"royalties": ["a"]},
        {"attributes": ["text"]},
        {"attributes": "text"},
    ],
)
def test_an_nft_that_breaks_its_schema_is_foreign(changes: dict[str, Any]) -> None:
    assert Irc27.decode(data(NFT, **changes)) is None


@given(
    junk=st.binary(max_size=200)
    | st.recursive(st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_can_be_read(junk: bytes) -> None:
    assert Irc30.decode(junk) is None
    assert Irc27.decode(junk) is None


names = st.text(min_size=1, max_size=40)


@given(name=names, symbol=names, decimals=st.integers(0, 2**63 - 1), description=st.none() | names)
def test_what_is_written_is_read(name: str, symbol: str, decimals: int, description: str | None) -> None:
    about = Irc30(name, symbol, decimals, description)
    assert Irc30.decode(about.encode()) == about


def test_refusals_name_the_member() -> None:
    with pytest.raises(InvalidMetadata, match="decimals: must be an integer from 0"):
        Irc30("a", "b", -1)
    with pytest.raises(InvalidMetadata, match="name: must not be empty"):
        Irc30("", "b", 0)
    with pytest.raises(InvalidMetadata, match="logoUrl: must be a text"):
        Irc30("a", "b", 0, logo_url=3)  # type: ignore[arg-type]
    with pytest.raises(InvalidMetadata, match="type: must be a MIME type such as image/png, not 'x'"):
        Irc27("a", "x", "u")
    with pytest.raises(InvalidMetadata, match=r"royalties\.a: must be a share"):
        Irc27("a", "b/c", "u", royalties={"a": -0.1})
    with pytest.raises(InvalidMetadata, match="must not be more than 1 together"):
        Irc27("a", "b/c", "u", royalties={"a": 0.7, "b": 0.7})
    with pytest.raises(InvalidMetadata, match=r"name: must be a text of Unicode"):
        Irc30("\ud800", "b", 0)
    with pytest.raises(InvalidMetadata, match="an output holds 8192"):
        Irc30("a", "b", 0, description="x" * 9000).encode()


def test_bytes_pass_as_they_are() -> None:
    assert encoded(None) is None
    assert encoded(b"raw") == b"raw"
    assert encoded(Irc30("FooCoin", "FOO", 3)) == Irc30("FooCoin", "FOO", 3).encode()
