"""`tangle wallet balance|tokens|nfts|accounts|history`: what the wallet holds, and how it came to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from tangle.cli.group import command
from tangle.cli.output import show
from tangle.cli.wallet.json import alias_json, balance_json, foundry_json, nft_json, token_json
from tangle.cli.wallet.session import Where, looked_json, looked_text
from tangle.cli.wallet.view import alias_text, balance_text, nft_text, token_text
from tangle.client.wallet.wallet import Balance, HistoryEntry, Wallet
from tangle.protocol.addresses import Address, to_bech32
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.text import columns

Looked = tuple[Json, str]
"""how far the wallet has looked for used addresses: for programs, and for people"""


@command("wallet balance")
def balance(where: Where) -> None:
    """Coins, tokens, NFTs, aliases and foundries."""
    held, text_of, looked = _held(where)
    text = f"{balance_text(held)}\n\nlooked at  {looked[1]}"
    show(balance_json(held, text_of) | {"lookedAt": looked[0]}, text, as_json=where.as_json)


@command("wallet tokens")
def tokens(where: Where) -> None:
    """And with what their makers say about them."""
    held, _, looked = _held(where)
    _list([token_json(one) for one in held.tokens], [token_text(one) for one in held.tokens], looked, where)


@command("wallet nfts")
def nfts(where: Where) -> None:
    """And with what their issuers say about them."""
    held, text_of, looked = _held(where)
    _list(
        [nft_json(one, text_of) for one in held.nfts], [nft_text(one, text_of) for one in held.nfts], looked, where
    )


@command("wallet accounts")
def accounts(where: Where) -> None:
    """And with addresses, metadata and supplies."""
    held, text_of, looked = _held(where)
    items: list[Json] = []
    texts: list[str] = []
    for alias in held.aliases:
        own = [one for one in held.foundries if one.alias_id == alias.alias_id]
        items.append(alias_json(alias, text_of) | {"foundries": [foundry_json(one) for one in own]})
        texts.append(alias_text(alias, own, text_of))
    _list(items, texts, looked, where)


@command("wallet history --limit 10")
def history(
    where: Where,
    limit: Annotated[int, typer.Option(min=1, metavar="COUNT", help="The newest so many.")] = 50,
) -> None:
    """For the wallet, in base units, oldest first."""

    async def ask(wallet: Wallet) -> tuple[list[HistoryEntry], Looked]:
        return await wallet.history(), (looked_json(wallet), looked_text(wallet))

    entries, looked = where.look(ask)
    rows = [
        (_when(entry.timestamp), f"{entry.amount:+,}", entry.kind, " ".join(entry.counterparts))
        for entry in entries[-limit:]
    ]
    text = [columns(("time (UTC)", "base units", "", "with"), rows)] if rows else []
    _list([_entry_json(entry) for entry in entries[-limit:]], text, looked, where)


def _held(where: Where) -> tuple[Balance, Callable[[Address], str], Looked]:
    """What the wallet holds, how the node's network writes addresses, and how far the wallet has looked."""

    async def ask(wallet: Wallet) -> tuple[Balance, str, Looked]:
        held = await wallet.balance()
        return held, (await wallet.node.parameters()).bech32_hrp, (looked_json(wallet), looked_text(wallet))

    held, hrp, looked = where.look(ask)
    return held, lambda address: to_bech32(address, hrp), looked


def _list(items: list[Json], texts: list[str], looked: Looked, where: Where) -> None:
    text = "\n\n".join(texts) or f"none; looked at {looked[1]}"
    show({"items": items, "lookedAt": looked[0]}, text, as_json=where.as_json)


def _entry_json(entry: HistoryEntry) -> Json:
    return {
        "transactionId": to_hex(entry.transaction_id),
        "kind": entry.kind,
        "amount": str(entry.amount),
        "milestoneIndex": entry.milestone_index,
        "timestamp": entry.timestamp,
        "counterparts": list(entry.counterparts),
    }


def _when(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S}"
