"""`tangle wallet send|claim|consolidate`: base coins, and taking and joining what has come."""

from __future__ import annotations

from typing import Annotated

import typer

from tangle.cli.group import command
from tangle.cli.session import tag_of
from tangle.cli.wallet.json import claimed_json
from tangle.cli.wallet.session import (
    ExpiresAt,
    ExpiresIn,
    LockedUntil,
    Plan,
    Tell,
    Terms,
    carry_out,
    times_of,
)
from tangle.cli.wallet.view import claimed_text
from tangle.client.wallet.wallet import Rounds, Sent, Wallet
from tangle.protocol.serial import Json, from_hex, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.terminal.text import amount


@command("wallet send tgl1q… 1000000 --expires-in 10m")
def send(
    terms: Terms,
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who is paid, as bech32 text.")],
    base_units: Annotated[int, typer.Argument(metavar="AMOUNT", min=1, help="Base units, a whole number.")],
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    locked_until: LockedUntil = None,
    return_deposit: Annotated[
        bool, typer.Option("--return-deposit", help="Lend the storage deposit; even 1 base unit can be sent so.")
    ] = False,
    tag: Annotated[
        str, typer.Option("--tag", metavar="TEXT|0xHEX", help="Tag of a note in the transaction.")
    ] = "",
    data: Annotated[str, typer.Option("--data", metavar="TEXT", help="Data of that note.")] = "",
) -> None:
    note = TaggedData(tag_of(tag), data.encode()) if tag or data else None

    async def plan(opened: Wallet) -> Plan[Sent]:
        times = await times_of(opened, expires_in, expires_at, locked_until)

        async def post(ready: Wallet, _: Tell) -> Sent:
            return await ready.send(
                to,
                base_units,
                return_deposit=return_deposit,
                expires_at=times.expires_at,
                locked_until=times.locked_until,
                payload=note,
                wait=False,
            )

        told: Json = {"address": to, "amount": str(base_units), **times.json}
        return Plan("sending", post, lambda _: (told, f"{amount(base_units)} to {to}{times.text}"))

    carry_out(terms, plan)


@command("wallet claim")
def claim(
    terms: Terms,
    output_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[OUTPUT_ID]...", help="Only these outputs, each as 0x….")
    ] = None,
) -> None:
    """Storage deposits go back to their senders, what could expire stays for good, what has expired comes home."""
    chosen = [from_hex(text.lower(), "OUTPUT_ID", size=34) for text in output_ids] if output_ids else None

    async def plan(opened: Wallet) -> Plan[Rounds]:
        held = await opened.balance()
        taken = [one for one in held.claimable if chosen is None or one.output_id in chosen]

        async def post(ready: Wallet, tell: Tell) -> Rounds:
            def joined(done: int, total: int) -> None:
                tell(f"claimed {done:,} of {total:,} outputs")

            return await ready.claim(chosen, progress=joined, wait=terms.wait, within_s=terms.timeout)

        def told(rounds: Rounds) -> tuple[Json, str]:
            got = [one for one in taken if one.output_id not in rounds.left]
            members: Json = {"claimed": claimed_json(got), "transactions": len(rounds.rounds)}
            if rounds.left:
                members["left"] = [to_hex(output_id) for output_id in rounds.left]
            return members, claimed_text(got, held, len(rounds.left))

        return Plan("claiming", post, told)

    carry_out(terms, plan)


@command("wallet consolidate")
def consolidate(
    terms: Terms,
) -> None:
    """All without conditions, in as many transactions of at most 128 as it takes."""

    async def plan(_: Wallet) -> Plan[Rounds]:
        async def post(ready: Wallet, tell: Tell) -> Rounds:
            def joined(done: int, total: int) -> None:
                tell(f"joined {done:,} of {total:,} outputs")

            return await ready.consolidate(progress=joined, wait=terms.wait, within_s=terms.timeout)

        def told(rounds: Rounds) -> tuple[Json, str]:
            inputs = sum(len(sent.transaction.essence.inputs) for sent in rounds.rounds)
            count = len(rounds.rounds)
            text = f"{inputs:,} inputs joined in {count} transaction{'' if count == 1 else 's'}"
            return {"inputs": inputs, "transactions": count}, text

        return Plan("joining outputs", post, told)

    carry_out(terms, plan)
