"""`tangle wallet balance|tokens|nfts|accounts|history`: what the wallet holds, and how it came to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.group import command
from tangle.cli.options import NODE_URL, WALLET, AsJson, NodeUrl, WalletPath
from tangle.cli.output import show
from tangle.cli.wallet.json import alias_json, balance_json, foundry_json, nft_json, token_json
from tangle.cli.wallet.session import look
from tangle.cli.wallet.view import alias_text, balance_text, nft_text, token_text
from tangle.client.wallet.wallet import Balance, HistoryEntry, Wallet
from tangle.protocol.addresses import Address, to_bech32
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.text import columns


@command("wallet balance")
def balance(wallet: WalletPath = WALLET, node: NodeUrl = NODE_URL, as_json: AsJson = False) -> None:
    """Coins, tokens, NFTs, aliases and foundries."""
    held, text_of = _held(wallet, node)
    show(balance_json(held, text_of), balance_text(held), as_json=as_json)


@command("wallet tokens")
def tokens(wallet: WalletPath = WALLET, node: NodeUrl = NODE_URL, as_json: AsJson = False) -> None:
    """And with what their makers say about them."""
    held, _ = _held(wallet, node)
    _list([token_json(one) for one in held.tokens], [token_text(one) for one in held.tokens], as_json)


@command("wallet nfts")
def nfts(wallet: WalletPath = WALLET, node: NodeUrl = NODE_URL, as_json: AsJson = False) -> None:
    """And with what their issuers say about them."""
    held, text_of = _held(wallet, node)
    _list([nft_json(one, text_of) for one in held.nfts], [nft_text(one, text_of) for one in held.nfts], as_json)


@command("wallet accounts")
def accounts(wallet: WalletPath = WALLET, node: NodeUrl = NODE_URL, as_json: AsJson = False) -> None:
    """And with addresses, metadata and supplies."""
    held, text_of = _held(wallet, node)
    items: list[Json] = []
    texts: list[str] = []
    for alias in held.aliases:
        own = [one for one in held.foundries if one.alias_id == alias.alias_id]
        items.append(alias_json(alias, text_of) | {"foundries": [foundry_json(one) for one in own]})
        texts.append(alias_text(alias, own, text_of))
    _list(items, texts, as_json)


@command("wallet history --limit 10")
def history(
    limit: Annotated[int, typer.Option(min=1, metavar="COUNT", help="The newest so many.")] = 50,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """For the wallet, in base units, oldest first."""

    async def ask(opened: Wallet) -> list[HistoryEntry]:
        return await opened.history()

    entries = look(wallet, node, ask)[-limit:]
    rows = [
        (_when(entry.timestamp), f"{entry.amount:+,}", entry.kind, " ".join(entry.counterparts))
        for entry in entries
    ]
    text = columns(("time (UTC)", "base units", "", "with"), rows) if rows else "nothing yet"
    show({"items": [_entry_json(entry) for entry in entries]}, text, as_json=as_json)


def _held(path: Path, url: str) -> tuple[Balance, Callable[[Address], str]]:
    """What the wallet holds, and how the node's network writes addresses."""

    async def ask(wallet: Wallet) -> tuple[Balance, str]:
        return await wallet.balance(), (await wallet.node.parameters()).bech32_hrp

    held, hrp = look(path, url, ask)
    return held, lambda address: to_bech32(address, hrp)


def _list(items: list[Json], texts: list[str], as_json: bool) -> None:
    show({"items": items}, "\n\n".join(texts) or "none", as_json=as_json)


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
