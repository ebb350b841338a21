"""What people type for amounts, times and names means one thing or is refused; what they are shown reads back."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tangle.cli.errors import Ambiguous, FileUnreadable, InvalidValue, NotHeld
from tangle.cli.quantities import (
    DECIMALS_SHOWN_MAX,
    UNIX_TIME_MAX,
    moment,
    number,
    pointed,
    seconds,
    tokens,
    whole,
)
from tangle.cli.wallet import names
from tangle.cli.wallet.metadata import nft_metadata, token_metadata
from tangle.cli.wallet.names import Named, find, short
from tangle.client.errors import InvalidMetadata
from tangle.client.wallet.metadata import Irc27, Irc30
from tangle.client.wallet.wallet import Balance, TokenBalance
from tangle.terminal.text import printable, when

NOW = 1_795_000_000
amounts = st.integers(1, 2**256 - 1)


# Amounts


@given(units=amounts, decimals=st.integers(0, DECIMALS_SHOWN_MAX))
def test_a_shown_amount_reads_back(units: int, decimals: int) -> None:
    shown = number(units, decimals).replace(",", "")
    assert pointed(shown, decimals, "AMOUNT") == units
    assert whole(str(units), "AMOUNT") == units


@pytest.mark.parametrize(
    ("text", "decimals", "units"), [("12.5", 2, 1250), ("12", 2, 1200), ("0.01", 2, 1), ("7", 0, 7), ("007", 0, 7)]
)
def test_decimal_amounts(text: str, decimals: int, units: int) -> None:
    assert pointed(text, decimals, "AMOUNT") == units


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1,000", "1_000", " 1", "0x10", "٣", "12.", ".5", "1.2.3"]
)
def test_other_texts_are_no_amount(text: str) -> None:
    with pytest.raises(InvalidValue, match="AMOUNT: must be"):
        whole(text, "AMOUNT")
    with pytest.raises(InvalidValue, match="AMOUNT: must be"):
        pointed(text, 2, "AMOUNT")


def test_a_point_is_taken_only_where_it_is_asked_for_and_has_a_place() -> None:
    with pytest.raises(InvalidValue, match="--decimal takes a decimal point"):
        whole("12.5", "AMOUNT")
    with pytest.raises(InvalidValue, match="has 3 decimal places, and the token has 2"):
        pointed("1.250", 2, "AMOUNT")
    with pytest.raises(InvalidValue, match="--decimal: the token does not say"):
        pointed("1.5", None, "AMOUNT")
    with pytest.raises(InvalidValue, match="claims 99 decimals"):
        pointed("1", 99, "AMOUNT")


@pytest.mark.parametrize("text", ["0", "00", str(2**256), "9" * 100])
def test_amounts_out_of_range(text: str) -> None:
    with pytest.raises(InvalidValue, match="at least 1 and at most"):
        whole(text, "AMOUNT")
    with pytest.raises(InvalidValue, match="at least 1 and at most"):
        pointed(text, 3, "AMOUNT")


def test_amounts_as_they_are_shown() -> None:
    assert tokens(1250, "PUMP", 2) == "12.50 PUMP (1,250 smallest units)"
    assert tokens(5, "PUMP", 2) == "0.05 PUMP (5 smallest units)"
    assert tokens(1_250_000, "PUMP", 0) == "1,250,000 PUMP"
    assert tokens(7, None, None) == "7 tokens"
    # Anybody may claim any number of decimals; a terminal is not to be filled with zeros.
    assert tokens(1250, "PUMP", 10**9) == "1,250 smallest units of PUMP"


@given(text=st.text())
def test_strangers_write_no_control_characters(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= 60
    assert printable("PUMP\x1b[31m\u202e") == "PUMP\ufffd[31m\ufffd"


# Times


@pytest.mark.parametrize(
    ("text", "unix_time"),
    [
        ("30s", NOW + 30),
        ("10m", NOW + 600),
        ("2h", NOW + 7200),
        ("1d", NOW + 86_400),
        (str(NOW + 1), NOW + 1),
        ("2026-12-24T18:00:00Z", 1_798_135_200),
        ("2026-12-24T18:00:00", 1_798_135_200),
        ("2026-12-24 19:00+01:00", 1_798_135_200),
        ("2026-12-24", 1_798_070_400),
    ],
)
def test_times(text: str, unix_time: int) -> None:
    assert moment(text, "--expires-at", NOW) == unix_time


@given(unix_time=st.integers(NOW + 1, UNIX_TIME_MAX))
def test_a_shown_time_reads_back(unix_time: int) -> None:
    assert moment(when(unix_time).removesuffix(" UTC"), "TIME", NOW) == unix_time


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("30", "for a length of time add its unit"),
        (str(NOW), "is past"),
        ("2026-01-01", "is past"),
        ("2200-01-01", "must not be later than 2106"),
        ("99999d", "must not be later than 2106"),
        ("tomorrow", "must be a length of time such as 10m"),
        ("10 m", "must be a length of time"),
        ("", "must be a length of time"),
        ("0s", "must be a length of time"),
        ("-5m", "must be a length of time"),
        ("0001-01-01T00:00+14:00", "is past|must be"),
    ],
)
def test_no_times(text: str, rule: str) -> None:
    with pytest.raises(InvalidValue, match=f"--expires-at: .*({rule})"):
        moment(text, "--expires-at", NOW)


@pytest.mark.parametrize("text", ["30", "1w", "2026-12-24", "1.5h", "0m"])
def test_no_lengths(text: str) -> None:
    with pytest.raises(InvalidValue, match="--expires-in: must be a length of time"):
        seconds(text, "--expires-in")


# Names


def token_id(serial_number: int, alias: int = 0xAB) -> bytes:
    return b"\x08" + bytes([alias]) * 32 + serial_number.to_bytes(4, "little") + b"\x00"


KNOWN = [
    Named("token", token_id(1), ("PUMP", "Pump hours")),
    Named("token", token_id(2), ("PUMPS", "Pumps")),
    Named("token", token_id(3), ("Salt", "Salt water")),
    Named("token", token_id(1, alias=0xCD), ("SALT", "Salt, dry")),
    Named("token", token_id(2, alias=0xCD)),
]


def found(text: str) -> bytes:
    return find(text, "TOKEN", "token", KNOWN, sizes=[38]).id


@pytest.mark.parametrize(
    ("text", "serial_number"), [("PUMP", 1), ("pump", 1), ("pump h", 1), ("Pumps", 2), ("Salt", 3), ("salt w", 3)]
)
def test_names_that_fit_one(text: str, serial_number: int) -> None:
    assert found(text) == token_id(serial_number)


@pytest.mark.parametrize("text", ["pu", "salt", "S", "0x08", "0x08abab", "0x08…0100000000"])
def test_names_that_fit_several_list_them(text: str) -> None:
    with pytest.raises(Ambiguous, match=r"TOKEN: .* stands for more than one token: token 0x08.*, token 0x08"):
        found(text)


@pytest.mark.parametrize("text", ["", "ump", "PUMP x", "0x09", "0x08ab…0500000000"])
def test_names_that_fit_none(text: str) -> None:
    with pytest.raises(NotHeld):
        found(text)


@pytest.mark.parametrize("text", ["0x", "0xPUMP", "0x…", "0x08…ab…00"])
def test_ids_that_are_none(text: str) -> None:
    with pytest.raises(InvalidValue, match="TOKEN: must be 0x"):
        found(text)


def test_whole_ids_need_not_be_held() -> None:
    stranger = token_id(9, alias=0xEF)
    assert found("0x" + stranger.hex().upper()) == stranger
    with pytest.raises(NotHeld):
        found("0x" + stranger.hex()[:-2])


@given(
    ids=st.lists(st.binary(min_size=38, max_size=38), min_size=1, max_size=6, unique=True),
    shared=st.integers(0, 37),
)
def test_short_ids_lead_back(ids: list[bytes], shared: int) -> None:
    # Ids that begin alike are the ordinary case: those of one alias.
    alike = list({ids[0][:shared] + one[shared:] for one in ids})
    known = [Named("token", one) for one in alike]
    for one in alike:
        text = short(one, alike)
        assert find(text, "TOKEN", "token", known, sizes=[38]).id == one
        assert find(text.replace("…", "..."), "TOKEN", "token", known, sizes=[38]).id == one


@given(symbol=st.text(string.ascii_letters, min_size=1, max_size=8), other=st.text(min_size=1, max_size=8))
def test_tokens_of_a_balance_are_found_by_what_is_known(symbol: str, other: str) -> None:
    assume(symbol.casefold() != other.casefold() and symbol.encode() and _utf8(other))
    first = TokenBalance(token_id(1), 10, 10, Irc30("Name one", symbol, 3))
    second = TokenBalance(token_id(2), 10, 10, Irc30("Name two", other, 0))
    chosen = names.token(symbol, "TOKEN", Balance(0, 0, (), tokens=(first, second)))
    assert (chosen.token_id, chosen.decimals) == (first.token_id, 3)


def _utf8(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


# Metadata

NO_TOKEN: dict[str, Any] = {
    "name": None,
    "symbol": None,
    "decimals": None,
    "description": None,
    "url": None,
    "logo_url": None,
}
NO_NFT: dict[str, Any] = {
    "name": None,
    "type": None,
    "uri": None,
    "description": None,
    "collection": None,
    "issuer_name": None,
}


def test_token_metadata_from_options() -> None:
    assert token_metadata(None, **NO_TOKEN) is None
    made = token_metadata(None, **NO_TOKEN | {"name": "Pump hours", "symbol": "PUMP"})
    assert made == Irc30("Pump hours", "PUMP", 0)
    with pytest.raises(InvalidValue, match="--symbol: is needed"):
        token_metadata(None, **NO_TOKEN | {"name": "Pump hours"})


def test_nft_metadata_from_options() -> None:
    assert nft_metadata(None, **NO_NFT, attributes=(), royalties=()) is None
    named = NO_NFT | {"name": "Pump 7", "type": "image/png", "uri": "https://example.com/7.png"}
    made = nft_metadata(None, **named, attributes=["bar=6", "place=hall=2"], royalties=["tgl1q=2.5%"])
    assert isinstance(made, Irc27)
    assert made.attributes == ({"trait_type": "bar", "value": 6}, {"trait_type": "place", "value": "hall=2"})
    assert made.royalties == {"tgl1q": 0.025}
    for attribute in ("bar", "=6"):
        with pytest.raises(InvalidValue, match="--attribute: must be NAME=VALUE"):
            nft_metadata(None, **named, attributes=[attribute], royalties=())
    with pytest.raises(InvalidValue, match="--royalty: must end in a share"):
        nft_metadata(None, **named, attributes=(), royalties=["tgl1q=much"])
    with pytest.raises(InvalidValue, match="--type: is needed"):
        nft_metadata(None, **NO_NFT | {"name": "Pump 7"}, attributes=(), royalties=())


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ('{"standard":"IRC30","name":"P","symbol":"P"}', InvalidValue, "says nothing about decimals"),
        ('{"standard":"IRC30","name":"P","symbol":"P","decimals":-1}', InvalidMetadata, "decimals: must be"),
        ('{"standard":"IRC30","name":1,"symbol":"P","decimals":1}', InvalidMetadata, "name: must be a text"),
        ('{"standard":"IRC27","name":"P"}', InvalidValue, "IRC30 belongs here"),
        ("{", InvalidValue, "is not JSON"),
        ("", InvalidValue, "is empty"),
        ("x" * 9000, InvalidValue, "holds 9000 bytes, and an output holds 8192"),
    ],
)
def test_files_that_break_what_they_claim(
    tmp_path: Path, content: str, error: type[Exception], message: str
) -> None:
    path = tmp_path / "about.json"
    path.write_text(content)
    with pytest.raises(error, match=message):
        token_metadata(path, **NO_TOKEN)


def test_files_are_taken_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "about.json"
    for content in (
        b'{ "standard": "IRC30", "name":"P", "symbol":"P", "decimals":2, "more": 1 }',
        b'{"own": "format"}',
    ):
        path.write_bytes(content)
        assert token_metadata(path, **NO_TOKEN) == content
    (tmp_path / "picture").write_bytes(b"\x00\xff")
    assert token_metadata(tmp_path / "picture", **NO_TOKEN) == b"\x00\xff"
    with pytest.raises(InvalidValue, match="--name: stands in the file already"):
        token_metadata(path, **NO_TOKEN | {"name": "P"})
    with pytest.raises(FileUnreadable):
        token_metadata(tmp_path / "missing", **NO_TOKEN)
