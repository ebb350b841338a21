"""`tangle wallet`: keys in a file; coins, tokens, NFTs and aliases in the ledger.

This is the group's table of commands, each with an example for its help; the commands stand by theme in the
`wallet_*` modules beside it, and what they share in `wallet_session`.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from tangle.cli.wallet import accounts, coins, keys, listings, nfts, tokens

app = typer.Typer(
    no_args_is_help=True,
    help="Keep keys, see what they own, send it; make tokens and NFTs.",
    rich_markup_mode=None,
)

COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "new": (keys.new, "new --password"),
    "address": (keys.address, "address --index 1"),
    "fund": (keys.fund, "fund"),
    "balance": (listings.balance, "balance"),
    "tokens": (listings.tokens, "tokens"),
    "nfts": (listings.nfts, "nfts"),
    "accounts": (listings.accounts, "accounts"),
    "history": (listings.history, "history --limit 10"),
    "send": (coins.send, "send tgl1q… 1000000 --expires-in 10m"),
    "send-tokens": (tokens.send_tokens, "send-tokens tgl1q… PUMP 12.5 --decimal"),
    "send-nft": (nfts.send_nft, "send-nft tgl1q… 'Pump 7'"),
    "claim": (coins.claim, "claim"),
    "consolidate": (coins.consolidate, "consolidate"),
    "create-alias": (accounts.create_alias, "create-alias --metadata 'Pump station 7'"),
    "create-token": (
        accounts.create_token,
        "create-token --name 'Pump hours' --symbol PUMP --decimals 2 --maximum 1000000 --initial 5000",
    ),
    "mint": (tokens.mint, "mint PUMP 5000"),
    "melt": (tokens.melt, "melt PUMP 12.5 --decimal"),
    "burn": (tokens.burn, "burn PUMP 100"),
    "mint-nft": (
        nfts.mint_nft,
        "mint-nft --name 'Pump 7' --type image/png --uri https://example.com/7.png --attribute bar=6",
    ),
    "burn-nft": (nfts.burn_nft, "burn-nft 'Pump 7'"),
    "destroy": (accounts.destroy, "destroy PUMP"),
}
"""name -> what runs, and how it is called for example"""

for _name, (_command, _example) in COMMANDS.items():
    app.command(_name, epilog=f"\b\nExample:\n  tangle wallet {_example}")(_command)
