"""`tangle wallet send-tokens|mint|melt|burn`: native tokens.

Where they come from stands in `wallet_accounts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer

from tangle.cli.errors import InvalidValue
from tangle.cli.group import command
from tangle.cli.quantities import token_units, whole
from tangle.cli.wallet import names
from tangle.cli.wallet.session import (
    Decimal,
    ExpiresAt,
    ExpiresIn,
    LockedUntil,
    Plan,
    Tell,
    Terms,
    Times,
    Yes,
    carry_out,
    times_of,
)
from tangle.cli.wallet.view import token_amount
from tangle.client.wallet.wallet import Balance, Sent, Wallet
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.text import amount

TokenName = Annotated[
    str, typer.Argument(metavar="TOKEN", help="Id as 0x…, its beginning, symbol or name, where only one fits.")
]
TokenAmount = Annotated[
    str, typer.Argument(metavar="AMOUNT", help="Smallest units, a whole number; with --decimal as people say it.")
]


@command("wallet send-tokens tgl1q… PUMP 12.5 --decimal")
def send_tokens(
    terms: Terms,
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
) -> None:
    """One kind, or several in one transaction."""
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

    carry_out(terms, plan)


@command("wallet mint PUMP 5000")
def mint(
    terms: Terms,
    name: TokenName,
    how_many: TokenAmount,
    decimal: Decimal = False,
) -> None:
    """The wallet must control its foundry, and the maximum supply leave room."""

    async def act(opened: Wallet, token_id: bytes, units: int) -> Sent:
        return await opened.mint(token_id, units, wait=False)

    _change(terms, name, how_many, decimal, "minting", "minted", act)


@command("wallet melt PUMP 12.5 --decimal")
def melt(
    terms: Terms,
    name: TokenName,
    how_many: TokenAmount,
    decimal: Decimal = False,
) -> None:
    """The wallet must control it; it may mint them again."""

    async def act(opened: Wallet, token_id: bytes, units: int) -> Sent:
        return await opened.melt(token_id, units, wait=False)

    _change(terms, name, how_many, decimal, "melting", "melted", act)


@command("wallet burn PUMP 100")
def burn(
    terms: Terms,
    name: TokenName,
    how_many: TokenAmount,
    decimal: Decimal = False,
    yes: Yes = False,
) -> None:
    """Whoever made them: their foundry does not learn of it, and can never be destroyed from then on."""

    async def act(opened: Wallet, token_id: bytes, units: int) -> Sent:
        return await opened.burn_tokens(token_id, units, wait=False)

    _change(
        terms,
        name,
        how_many,
        decimal,
        "burning",
        "burned",
        act,
        question=lambda what: f"Burn {what}? They are gone for ever, and their foundry can never be destroyed.",
        yes=yes,
    )


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
