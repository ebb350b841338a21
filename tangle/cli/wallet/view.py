"""How holdings look to people: aligned lines and tables. Pure, from a `Balance`; `json.py` is for programs.

What strangers wrote (names, symbols, metadata) goes through `printable` before a terminal sees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tangle.cli.quantities import number, shown_decimals, tokens
from tangle.cli.wallet.json import Bech32, alias_address, token_sums
from tangle.cli.wallet.names import about_tokens, short
from tangle.client.wallet.metadata import Irc30
from tangle.client.wallet.wallet import Alias, Balance, Conditional, Foundry, Nft, TokenBalance
from tangle.protocol.serial import to_hex
from tangle.terminal.text import amount, columns, facts, for_people, printable, when

About = Mapping[bytes, "Irc30 | None"]
"""token id -> what its foundry says"""


def balance_text(held: Balance) -> str:
    """Sums first, then a table for each kind of thing there is.

    What has expired in the wallet's favour or has opened can be claimed too, but is available already.
    """
    about = about_tokens(held)
    sums = facts(
        [
            ("total", f"{amount(held.total)} in {_counted(len(held.outputs), 'output')}"),
            ("available", amount(held.available)),
            ("bound", _bound(held)),
            ("claimable", _claimable([one for one in held.claimable if one.owed or one.until is not None], about)),
            ("locked", _timed(held.locked, about, "opens")),
            ("sent", _timed(held.returning, about, "yours again, unless taken before,")),
        ]
    )
    tables = [
        ("Tokens", _token_rows(held)),
        ("NFTs", _nft_rows(held)),
        ("Aliases", _alias_rows(held)),
        ("Foundries", _foundry_rows(held)),
    ]
    shown = [f"{title}\n{_indented(columns(rows[0], rows[1:]))}" for title, rows in tables if len(rows) > 1]
    return "\n\n".join([sums, *shown])


def token_text(one: TokenBalance) -> str:
    """A token, with its whole id."""
    about = one.metadata
    return _titled(
        f"{printable(about.symbol, 20)}  {printable(about.name)}" if about else "(no metadata)",
        [
            ("balance", tokens(one.total, one.symbol, one.decimals)),
            (
                "available",
                "all" if one.available == one.total else tokens(one.available, one.symbol, one.decimals),
            ),
            ("says", about and about.description and printable(about.description, 200)),
            ("url", about and about.url and printable(about.url, 200)),
            ("id", to_hex(one.token_id)),
        ],
    )


def nft_text(one: Nft, text_of: Bech32) -> str:
    """An NFT, with its whole id."""
    about = one.metadata
    raw = one.immutable_metadata
    return _titled(
        printable(about.name) if about else "(no IRC-27 metadata)",
        [
            ("id", to_hex(one.nft_id)),
            ("state", _state(one)),
            ("holds", amount(one.amount)),
            ("at", text_of(one.address)),
            ("issuer", one.issuer and text_of(one.issuer)),
            ("collection", about and about.collection_name and printable(about.collection_name)),
            ("says", about and about.description and printable(about.description, 200)),
            ("attributes", about and _attributes(about.attributes)),
            ("uri", about and f"{printable(about.uri, 200)} ({printable(about.type)})"),
            ("metadata", None if about or not raw else printable(for_people(raw), 200)),
        ],
    )


def alias_text(one: Alias, foundries: Sequence[Foundry], text_of: Bech32) -> str:
    """An alias and the foundries that it controls."""
    lines = [
        "\n".join(
            [
                _supply(foundry),
                to_hex(foundry.token_id),
            ]
        )
        for foundry in foundries
    ]
    return facts(
        [
            ("alias", to_hex(one.alias_id)),
            ("address", text_of(alias_address(one))),
            ("yours", _powers(one)),
            ("holds", amount(one.amount)),
            ("state", f"{one.state_index}{_quoted(one.state_metadata)}"),
            ("metadata", one.metadata and printable(for_people(one.metadata), 200)),
            ("forever", one.immutable_metadata and printable(for_people(one.immutable_metadata), 200)),
            ("issuer", one.issuer and text_of(one.issuer)),
            ("foundries", "\n".join(lines) or None),
        ]
    )


def claimed_text(taken: Sequence[Conditional], held: Balance, left: int) -> str:
    """What was claimed, together, and how many outputs were not."""
    lines = [f"{_together(taken, about_tokens(held))} claimed"]
    if returned := sum(one.owed for one in taken):
        lines.append(f"{amount(returned)} of storage deposit returned")
    if left:
        lines.append(f"{left} left: the wallet has too few coins for their storage deposit")
    return "\n".join(lines)


def token_amount(token_id: bytes, units: int, about: Irc30 | None) -> str:
    """An amount of a token; its id where it has no symbol."""
    if about is None:
        return f"{units:,} of token {to_hex(token_id)}"
    return tokens(units, about.symbol, about.decimals)


def _token_rows(held: Balance) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("token", "name", "balance", "available", "smallest units")]
    for one in held.tokens:
        free = {one.total: "all", 0: "none"}.get(one.available) or number(one.available, one.decimals)
        called = printable(one.name or "-", 30)
        rows.append((_symbol(one, held), called, number(one.total, one.decimals), free, f"{one.total:,}"))
    return rows


def _symbol(one: TokenBalance | Foundry, held: Balance) -> str:
    """What to call a token: its symbol, with its id where others have the same one, or its id."""
    about = about_tokens(held)
    brief = short(one.token_id, about)
    if one.metadata is None:
        return brief
    symbol = one.metadata.symbol
    rivals = [other for other in about.values() if other and other.symbol.casefold() == symbol.casefold()]
    return printable(symbol, 20) if len(rivals) == 1 else f"{printable(symbol, 20)} {brief}"


def _nft_rows(held: Balance) -> list[Sequence[str]]:
    ids = [one.nft_id for one in held.nfts]
    rows: list[Sequence[str]] = [("id", "name", "state")]
    rows += [(short(one.nft_id, ids), printable(one.name or "-", 40), _state(one)) for one in held.nfts]
    return rows


def _alias_rows(held: Balance) -> list[Sequence[str]]:
    ids = [one.alias_id for one in held.aliases]
    rows: list[Sequence[str]] = [("id", "yours", "foundries")]
    for one in held.aliases:
        count = sum(foundry.alias_id == one.alias_id for foundry in held.foundries)
        rows.append((short(one.alias_id, ids), _powers(one), str(count)))
    return rows


def _foundry_rows(held: Balance) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("token", "in circulation", "at most", "decimals")]
    for one in held.foundries:
        decimals = one.metadata.decimals if one.metadata else None
        rows.append(
            (
                _symbol(one, held),
                number(one.circulating, decimals),
                number(one.maximum_supply, decimals),
                str(shown_decimals(decimals)),
            )
        )
    return rows


def _supply(one: Foundry) -> str:
    symbol, decimals = (one.metadata.symbol, one.metadata.decimals) if one.metadata else (None, None)
    return f"{tokens(one.circulating, symbol, decimals)} of at most {tokens(one.maximum_supply, symbol, decimals)}"


def _bound(held: Balance) -> str | None:
    """Base units that stay where they are as long as what they store."""
    under_conditions = {one.output_id for one in (*held.claimable, *held.locked)}
    stores = [
        *((one.output_id, one.amount) for one in held.aliases if one.controlled),
        *((one.output_id, one.amount) for one in held.foundries),
        *((one.output_id, one.amount) for one in held.nfts if one.output_id not in under_conditions),
    ]
    return f"{amount(sum(units for _, units in stores))} in aliases, foundries and NFTs" if stores else None


def _claimable(ones: Sequence[Conditional], about: About) -> str | None:
    if not ones:
        return None
    times = [one.until for one in ones if one.until is not None]
    expiry = f"; {'it expires' if len(ones) == 1 else 'the first expires'} {when(min(times))}" if times else ""
    return f"{_together(ones, about)}\n`tangle wallet claim` takes {'it' if len(ones) == 1 else 'them'}{expiry}"


def _timed(ones: Sequence[Conditional], about: About, what: str) -> str | None:
    """What waits for a time, and that of the first."""
    if not ones:
        return None
    first = "" if len(ones) == 1 else "the first is " if what.startswith("yours") else "the first "
    return f"{_together(ones, about)}\n{first}{what} {when(min(one.until or 0 for one in ones))}"


def _together(ones: Sequence[Conditional], about: About) -> str:
    """What some outputs hold for the wallet."""
    coins = sum(one.amount for one in ones)
    parts = [token_amount(token_id, units, about.get(token_id)) for token_id, units in token_sums(ones).items()]
    if nfts := sum(one.nft_id is not None for one in ones):
        parts.append(_counted(nfts, "NFT"))
    if coins or not parts:
        parts.insert(0, amount(coins))
    return f"{', '.join(parts)} in {_counted(len(ones), 'output')}"


def _state(one: Nft) -> str:
    return one.state.value + (f" until {when(one.until)}" if one.until is not None else "")


def _powers(one: Alias) -> str:
    return " and ".join(["controlled"] * one.controlled + ["governed"] * one.governed) or "no"


def _attributes(attributes: Sequence[Any]) -> str | None:
    """One a line: those with a trait and a value as such, others as JSON."""
    lines = [
        printable(
            f"{one['trait_type']}: {one['value']}"
            if one.keys() >= {"trait_type", "value"}
            else orjson.dumps(one).decode(),
            100,
        )
        for one in attributes
    ]
    return "\n".join(lines) or None


def _quoted(data: bytes) -> str:
    return f", {printable(for_people(data), 200)}" if data else ""


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _titled(title: str, rows: Sequence[tuple[str, object]]) -> str:
    return f"{title}\n{_indented(facts(rows))}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
