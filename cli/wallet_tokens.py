"""`tangle wallet create-alias|create-token|send-tokens|mint|melt|burn|destroy`: native tokens and their origin.

A token is made by a foundry, and a foundry belongs to an alias; the id of a token begins with its alias.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import wallet_names as names
from cli.errors import InvalidValue
from cli.options import NODE_URL, WALLET, AsJson, NodeUrl, WalletPath
from cli.quantities import token_units, tokens, whole
from cli.session import WAIT_S, Worker, tag_of
from cli.wallet_session import (
    Decimal,
    ExpiresAt,
    ExpiresIn,
    LockedUntil,
    Plan,
    ProofOfWork,
    Tell,
    Terms,
    Timeout,
    Times,
    Wait,
    Yes,
    carry_out,
    times_of,
)
from tangle.protocol.serial import Json, to_hex

if TYPE_CHECKING:
    from client.wallet import Balance, Created, Sent, Wallet

# Imports inside functions keep `tangle --help` quick.

TokenName = Annotated[
    str, typer.Argument(metavar="TOKEN", help="Id as 0x…, its beginning, symbol or name, where only one fits.")
]
TokenAmount = Annotated[
    str, typer.Argument(metavar="AMOUNT", help="Smallest units, a whole number; with --decimal as people say it.")
]


def create_alias(
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
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Make an alias.

    It is an account of its own, which can own things and make tokens and NFTs.
    """

    async def plan(opened: Wallet) -> Plan[Created]:
        from tangle.protocol.addresses import AliasAddress, from_bech32, to_bech32

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

    carry_out(Terms(wallet, node, as_json, worker, wait, timeout), plan)


def create_token(
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
        typer.Option("--decimals", min=0, max=77, metavar="COUNT", help="Decimal places; 0 unless told."),
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
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Make a native token.

    Its foundry has a maximum supply, and says for ever what the token is called.
    """
    from cli.wallet_metadata import token_metadata
    from client.metadata import Irc30

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
                maximum=most, initial=first, metadata=metadata, alias_id=home, wait=False, within_s=timeout
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

    carry_out(Terms(wallet, node, as_json, worker, wait, timeout), plan)


def send_tokens(
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets them, as bech32 text.")],
    pairs: Annotated[
        list[str], typer.Argument(metavar="TOKEN AMOUNT", help="What and how many, once or more often.")
    ],
    decimal: Decimal = False,
    coins: Annotated[
        int | None, typer.Option("--coins", min=1, metavar="AMOUNT", help="Base units that the receiver keeps.")
    ] = None,
    return_deposit: Annotated[
        bool,
        typer.Option(
            "--return-deposit/--give-deposit",
            help="The storage deposit comes back when the receiver claims the tokens, or is a gift.",
        ),
    ] = True,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    locked_until: LockedUntil = None,
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Send native tokens.

    One kind, or several in one transaction.
    """
    if len(pairs) % 2:
        raise InvalidValue("TOKEN AMOUNT", "must come in pairs: after each token how many of it")

    async def plan(opened: Wallet) -> Plan[Sent]:
        times = await times_of(opened, expires_in, expires_at, locked_until)
        amounts = _amounts(pairs, await opened.balance(), decimal)

        async def post(ready: Wallet, _: Tell) -> Sent:
            return await ready.send_tokens(
                to,
                {token.token_id: units for token, units in amounts},
                amount=coins,
                return_deposit=return_deposit,
                expires_at=times.expires_at,
                locked_until=times.locked_until,
                wait=False,
            )

        return Plan("sending tokens", post, lambda _: _sent_tokens(to, amounts, coins, return_deposit, times))

    carry_out(Terms(wallet, node, as_json, worker, wait, timeout), plan)


def mint(
    name: TokenName,
    how_many: TokenAmount,
    decimal: Decimal = False,
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Make more of a token.

    The wallet must control its foundry, and the maximum supply leave room.
    """

    async def act(opened: Wallet, token_id: bytes, units: int) -> Sent:
        return await opened.mint(token_id, units, wait=False)

    _change(Terms(wallet, node, as_json, worker, wait, timeout), name, how_many, decimal, "minting", "minted", act)


def melt(
    name: TokenName,
    how_many: TokenAmount,
    decimal: Decimal = False,
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Give tokens back to their foundry.

    The wallet must control it; it may mint them again.
    """

    async def act(opened: Wallet, token_id: bytes, units: int) -> Sent:
        return await opened.melt(token_id, units, wait=False)

    _change(Terms(wallet, node, as_json, worker, wait, timeout), name, how_many, decimal, "melting", "melted", act)


def burn(
    name: TokenName,
    how_many: TokenAmount,
    decimal: Decimal = False,
    yes: Yes = False,
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Destroy tokens for ever.

    Whoever made them: their foundry does not learn of it, and can never be destroyed from then on.
    """

    async def act(opened: Wallet, token_id: bytes, units: int) -> Sent:
        return await opened.burn_tokens(token_id, units, wait=False)

    _change(
        Terms(wallet, node, as_json, worker, wait, timeout),
        name,
        how_many,
        decimal,
        "burning",
        "burned",
        act,
        question=lambda what: f"Burn {what}? They are gone for ever, and their foundry can never be destroyed.",
        yes=yes,
    )


def destroy(
    name: Annotated[
        str, typer.Argument(metavar="FOUNDRY|ALIAS", help="A token's id, symbol or name, or an alias's id.")
    ],
    yes: Yes = False,
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """End a foundry or an alias.

    A foundry takes all of its tokens with it, which the wallet must hold; an alias must own nothing. The storage
    deposit becomes available.
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

    carry_out(Terms(wallet, node, as_json, worker, wait, timeout), plan, yes=yes)


def _change(
    terms: Terms,
    name: str,
    how_many: str,
    decimal: bool,
    doing: str,
    did: str,
    act: Callable[[Wallet, bytes, int], Awaitable[Sent]],
    *,
    question: Callable[[str], str] | None = None,
    yes: bool = True,
) -> None:
    """Change how many there are of a token."""
    from cli.wallet_view import token_amount

    if not decimal:
        whole(how_many, "AMOUNT")

    async def plan(opened: Wallet) -> Plan[Sent]:
        token = names.token(name, "TOKEN", await opened.balance())
        units = token_units(how_many, token.decimals, "AMOUNT", decimal=decimal)
        what = token_amount(token.token_id, units, token.about)

        async def post(ready: Wallet, _: Tell) -> Sent:
            return await act(ready, token.token_id, units)

        members: Json = {"tokenId": to_hex(token.token_id), "amount": str(units)}
        asked = what if token.about is None else f"{what} of token {to_hex(token.token_id)}"
        return Plan(doing, post, lambda _: (members, f"{what} {did}"), question=question and question(asked))

    carry_out(terms, plan, yes=yes)


def _amounts(pairs: Sequence[str], held: Balance, decimal: bool) -> list[tuple[names.Token, int]]:
    """Tokens and how many of each, from words that alternate. Raises InvalidValue where one comes twice."""
    amounts: dict[bytes, tuple[names.Token, int]] = {}
    for name, how_many in zip(pairs[::2], pairs[1::2], strict=True):
        token = names.token(name, "TOKEN", held)
        if token.token_id in amounts:
            raise InvalidValue("TOKEN", f"{name!r} stands for a token that came before")
        amounts[token.token_id] = token, token_units(how_many, token.decimals, "AMOUNT", decimal=decimal)
    return list(amounts.values())


def _sent_tokens(
    to: str, amounts: Sequence[tuple[names.Token, int]], coins: int | None, returned: bool, times: Times
) -> tuple[Json, str]:
    from cli.output import amount
    from cli.wallet_view import token_amount

    told: Json = {
        "address": to,
        "tokens": [{"tokenId": to_hex(token.token_id), "amount": str(units)} for token, units in amounts],
        **times.json,
    }
    parts = [token_amount(token.token_id, units, token.about) for token, units in amounts]
    if coins is not None:
        told["amount"] = str(coins)
        parts.append(amount(coins))
    deposit = "\nits storage deposit comes back when the receiver claims them" if returned else ""
    return told, f"{', '.join(parts)} to {to}{deposit}{times.text}"
