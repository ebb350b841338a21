"""What the wallet shows: everything that it holds, under names that its commands take, safe for a terminal."""

from __future__ import annotations

import re

from tangle.cli.wallet import names
from tangle.cli.wallet.json import balance_json
from tangle.cli.wallet.view import balance_text, nft_text, token_text
from tangle.client.wallet.holdings import HoldingState
from tangle.client.wallet.metadata import Irc27, Irc30
from tangle.client.wallet.wallet import Alias, Balance, Conditional, Foundry, Nft, TokenBalance
from tangle.protocol.addresses import Address, Ed25519Address, to_bech32

OWN = Ed25519Address(b"\x01" * 32)
HOME = b"\xab" * 32
HOSTILE = "Gold\x1b[2J\r\u202e" + "d" * 500
UNTIL = 1_798_135_200


def text_of(address: Address) -> str:
    return to_bech32(address, "tgl")


def token_id(serial_number: int) -> bytes:
    return b"\x08" + HOME + serial_number.to_bytes(4, "little") + b"\x00"


def an_nft(number: int, name: str | None) -> Nft:
    about = Irc27(name, "image/png", "urn:x", attributes=({"trait_type": "a", "value": "\x07"},)) if name else None
    return Nft(bytes([number]) * 32, b"\x00" * 34, 600, OWN, None, None, about, HoldingState.AVAILABLE)


def a_foundry(serial_number: int, about: Irc30 | None) -> Foundry:
    return Foundry(token_id(serial_number), b"\x00" * 34, 600, HOME, 5000, 0, 10_000, about)


PUMP, FAKE = Irc30("Pump hours", "PUMP", 2), Irc30(HOSTILE, "pump", 77)
TOKENS = (
    TokenBalance(token_id(1), 5000, 4000, PUMP),
    TokenBalance(token_id(2), 7, 7, FAKE),
    TokenBalance(token_id(3), 9, 0),
)
HELD = Balance(
    total=10_000,
    available=5000,
    outputs=(),
    tokens=TOKENS,
    nfts=(an_nft(1, HOSTILE), an_nft(2, None)),
    aliases=(Alias(HOME, b"\x00" * 34, 600, True, False, 3, 1, b"", None, None, None),),
    foundries=(a_foundry(1, PUMP), a_foundry(3, None)),
    claimable=(
        Conditional(b"\x01" * 34, 500, {token_id(1): 250}, None, 300, OWN, UNTIL),
        Conditional(b"\x02" * 34, 77_777, {}, None, 0, None, None),
    ),
    locked=(Conditional(b"\x03" * 34, 900, {}, b"\x02" * 32, 0, None, UNTIL),),
    returning=(Conditional(b"\x04" * 34, 1, {}, None, 0, None, UNTIL),) * 2,
)


def test_all_that_is_held_is_shown() -> None:
    text = balance_text(HELD)
    for line in (
        r"bound      3,000 base units in aliases, foundries and NFTs",
        r"claimable  500 base units, 2.50 PUMP \(250 smallest units\) in 1 output",
        r"           `tangle wallet claim` takes it; it expires 2026-12-24 18:00:00 UTC",
        r"locked     900 base units, 1 NFT in 1 output",
        r"           opens 2026-12-24 18:00:00 UTC",
        r"sent       2 base units in 2 outputs",
        r"           the first is yours again, unless taken before, 2026-12-24 18:00:00 UTC",
        r"  PUMP 0x08ababab…0100000000  Pump hours +50\.00 +40\.00 +5,000",
        r"  0x08ababab…0300000000       - +9 +none +9",
        r"  0xabababab…  controlled  2",
    ):
        assert re.search(f"^{line}$", text, re.MULTILINE), (line, text)


def test_short_ids_are_taken_by_commands() -> None:
    text = balance_text(HELD)
    tokens = {names.token(short, "TOKEN", HELD).token_id for short in re.findall(r"0x08\w+…\w+", text)}
    assert tokens == {one.token_id for one in TOKENS}
    nfts = {names.nft(short, "NFT", HELD).id for short in re.findall(r"0x0[12]{1}0[12]\w+…", text)}
    assert nfts == {one.nft_id for one in HELD.nfts}


def test_what_strangers_wrote_does_nothing_to_a_terminal() -> None:
    shown = [
        balance_text(HELD),
        *(token_text(one) for one in TOKENS),
        *(nft_text(one, text_of) for one in HELD.nfts),
    ]
    for text in shown:
        assert all(line.isprintable() for line in text.split("\n")), text
        assert max(map(len, text.split("\n"))) < 130


def test_programs_read_whole_ids_and_exact_amounts() -> None:
    json = balance_json(HELD, text_of)
    assert [one["tokenId"] for one in json["tokens"]] == [f"0x{one.token_id.hex()}" for one in TOKENS]
    assert [one["total"] for one in json["tokens"]] == ["5000", "7", "9"]
    assert json["claimable"][0] == {
        "outputId": "0x" + "01" * 34,
        "amount": "500",
        "tokens": [{"tokenId": f"0x{token_id(1).hex()}", "amount": "250"}],
        "returnAmount": "300",
        "returnAddress": text_of(OWN),
        "until": UNTIL,
    }
    assert "irc30" not in json["tokens"][2]
