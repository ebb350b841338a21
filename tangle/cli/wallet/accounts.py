"""`tangle wallet create-alias|create-token|destroy`: aliases and foundries, where tokens come from.

A token is made by a foundry, and a foundry belongs to an alias; the id of a token begins with its alias.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.errors import InvalidValue
from tangle.cli.group import command
from tangle.cli.quantities import token_units, tokens
from tangle.cli.session import tag_of
from tangle.cli.wallet import names
from tangle.cli.wallet.metadata import token_metadata
from tangle.cli.wallet.session import Decimal, Plan, Tell, Terms, Yes, carry_out
from tangle.client.wallet.metadata import Irc30
from tangle.client.wallet.wallet import Created, Sent, Wallet
from tangle.protocol.addresses import AliasAddress, from_bech32, to_bech32
from tangle.protocol.serial import Json, to_hex


@command("wallet create-alias --metadata 'Pump station 7'")
def create_alias(
    terms: Terms,
    metadata: Annotated[
        str, typer.Option("--metadata", metavar="TEXT|0xHEX", help="Said about it; its governor may change that.")
    ] = "",
    state_metadata: Annotated[
        str, typer.Option("--state-metadata", metavar="TEXT|0xHEX", help="Its state; each step may change that.")
    ] = "",
    immutable_metadata: Annotated[
        str, typer.Option("--immutable-metadata", metavar="TEXT|0xHEX", help="Said about it for ever.")
    ] = "",
    state_controller: Annotated[
        str | None,
        typer.Option("--state-controller", metavar="ADDRESS", help="Who moves it, instead of this wallet."),
    ] = None,
    governor: Annotated[
        str | None, typer.Option("--governor", metavar="ADDRESS", help="Who rules it, instead of who moves it.")
    ] = None,
) -> None:
    """It is an account of its own, which can own things and make tokens and NFTs."""

    async def plan(opened: Wallet) -> Plan[Created]:
        hrp = (await opened.node.parameters()).bech32_hrp
        mover = from_bech32(state_controller, hrp, field="--state-controller") if state_controller else None
        ruler = from_bech32(governor, hrp, field="--governor") if governor else None

        async def post(ready: Wallet, _: Tell) -> Created:
            return await ready.create_alias(
                metadata=tag_of(metadata) or None,
                state_metadata=tag_of(state_metadata),
                immutable_metadata=tag_of(immutable_metadata) or None,
                state_controller=mover,
                governor=ruler,
                wait=False,
            )

        def told(made: Created) -> tuple[Json, str]:
            address = to_bech32(AliasAddress(made.alias_id), hrp)
            members = {"aliasId": to_hex(made.alias_id), "address": address}
            return members, f"alias        {to_hex(made.alias_id)}\naddress      {address}"

        return Plan("creating an alias", post, told)

    carry_out(terms, plan)


@command("wallet create-token --name 'Pump hours' --symbol PUMP --decimals 2 --maximum 1000000 --initial 5000")
def create_token(
    terms: Terms,
    maximum: Annotated[
        str, typer.Option("--maximum", metavar="AMOUNT", help="The most that may ever circulate; never changes.")
    ],
    initial: Annotated[
        str, typer.Option("--initial", metavar="AMOUNT", help="So many are minted at once, for this wallet.")
    ] = "0",
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Name, such as 'Pump hours'.")] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", metavar="TEXT", help="Ticker, such as PUMP.")] = None,
    decimals: Annotated[
        int | None,
        typer.Option("--decimals", min=0, max=30, metavar="COUNT", help="Decimal places; 0 unless told."),
    ] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is.")] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Where more is told.")] = None,
    logo_url: Annotated[str | None, typer.Option("--logo-url", metavar="URL", help="A picture.")] = None,
    metadata_file: Annotated[
        Path | None,
        typer.Option(
            "--metadata-file", metavar="FILE", help="IRC-30 JSON or other bytes, instead of the options."
        ),
    ] = None,
    alias: Annotated[
        str | None,
        typer.Option(
            "--alias", metavar="ALIAS", help="Whose foundry; else the wallet's first alias, or a new one."
        ),
    ] = None,
    decimal: Decimal = False,
) -> None:
    """Its foundry has a maximum supply, and says for ever what the token is called."""
    metadata = token_metadata(
        metadata_file,
        name=name,
        symbol=symbol,
        decimals=decimals,
        description=description,
        url=url,
        logo_url=logo_url,
    )
    about = Irc30.decode(metadata) if isinstance(metadata, bytes) else metadata
    symbol, places = (about.symbol, about.decimals) if about else (None, None)
    most = token_units(maximum, places, "--maximum", decimal=decimal)
    first = token_units(initial, places, "--initial", decimal=decimal, least=0)
    if first > most:
        raise InvalidValue("--initial", "must not be more than --maximum")

    async def plan(opened: Wallet) -> Plan[Created]:
        home = names.alias(alias, "--alias", await opened.balance()).id if alias is not None else None

        async def post(ready: Wallet, _: Tell) -> Created:
            return await ready.create_token(
                maximum=most, initial=first, metadata=metadata, alias_id=home, wait=False, within_s=terms.timeout
            )

        def told(made: Created) -> tuple[Json, str]:
            token_id = to_hex(made.token_id)
            members = {
                "tokenId": token_id,
                "aliasId": to_hex(made.token_id[1:33]),
                "minted": str(first),
                "maximumSupply": str(most),
            }
            supply = f"{tokens(first, symbol, places)} minted, of at most {tokens(most, symbol, places)}"
            return members, f"token        {token_id}\n{supply}"

        return Plan("creating a token", post, told)

    carry_out(terms, plan)


@command("wallet destroy PUMP")
def destroy(
    terms: Terms,
    name: Annotated[
        str, typer.Argument(metavar="FOUNDRY|ALIAS", help="A token's id, symbol or name, or an alias's id.")
    ],
    yes: Yes = False,
) -> None:
    """A foundry takes all of its tokens with it, which the wallet must hold; an alias must own nothing. The
    storage deposit becomes available.
    """

    async def plan(opened: Wallet) -> Plan[Sent]:
        found = names.foundry_or_alias(name, "FOUNDRY|ALIAS", await opened.balance())
        is_foundry = found.kind == "foundry"

        async def post(ready: Wallet, _: Tell) -> Sent:
            if is_foundry:
                return await ready.destroy_foundry(found.id, wait=False)
            return await ready.destroy_alias(found.id, wait=False)

        loss = "All its tokens are melted, and it" if is_foundry else "It"
        member = "tokenId" if is_foundry else "aliasId"
        return Plan(
            f"destroying the {found.kind}",
            post,
            lambda _: ({member: to_hex(found.id)}, f"{found} destroyed"),
            question=f"Destroy {found}? {loss} ends for ever.",
        )

    carry_out(terms, plan, yes=yes)
