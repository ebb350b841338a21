"""What the commands of a wallet have in common: options, opening it, and carrying out a transaction.

A command that changes something says in a `Plan` what it will do. `carry_out` asks where it cannot be undone,
posts, waits, and prints; so all of them do that in the same way.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, TypeVar

import typer

from tangle.cli.errors import ConfirmationNeeded, InvalidValue, NotConfirmed, Undecided
from tangle.cli.options import NODE_URL, WALLET, AsJson, NodeUrl, WalletPath, finite
from tangle.cli.output import show_done
from tangle.cli.quantities import moment, seconds
from tangle.cli.session import WAIT_S, Worker, pow_by, run_async
from tangle.cli.wallet.unlock import mnemonic_of
from tangle.client.errors import Conflicting, NotIncludedInTime
from tangle.client.node.inclusion import Included
from tangle.client.node.rest import NodeClient
from tangle.client.wallet.reach import GAP_LIMIT
from tangle.client.wallet.wallet import Sent, Wallet
from tangle.errors import TangleError
from tangle.protocol.keys import COIN_TYPE, Keys
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.live import progress
from tangle.terminal.streams import note
from tangle.terminal.text import facts, when

Tell = Callable[[str], None]
"""replaces what is shown as progress"""
STEP_MAX = 2**31 - 1
"""the largest step of a derivation path; SLIP-10"""
GAP_MAX = 10_000
"""unused addresses in a row: each is a question to the node"""
R = TypeVar("R")

ProofOfWork = Annotated[Worker, typer.Option("--pow", help="Who does the proof of work.")]
Wait = Annotated[bool, typer.Option(help="Wait until a milestone includes it.")]
Timeout = Annotated[
    float, typer.Option(min=0, callback=finite, metavar="SECONDS", help="Seconds to wait at most.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; this cannot be undone.")]
ExpiresIn = Annotated[
    str | None,
    typer.Option("--expires-in", metavar="LENGTH", help="It comes back after 30s, 10m, 2h or 1d, unless taken."),
]
ExpiresAt = Annotated[
    str | None,
    typer.Option("--expires-at", metavar="TIME", help="It comes back at a time: unix seconds or ISO 8601 in UTC."),
]
LockedUntil = Annotated[
    str | None,
    typer.Option("--locked-until", metavar="TIME", help="Nobody can spend it before: a time as above, or 10m."),
]
Decimal = Annotated[
    bool, typer.Option("--decimal", help="Amounts have a decimal point, placed as the token's metadata says.")
]


@dataclass(frozen=True)
class Where:
    """The options that every command of a wallet has: which one, and at which node."""

    wallet: WalletPath = WALLET
    account: Annotated[
        int, typer.Option("--account", min=0, max=STEP_MAX, metavar="INDEX", help="Account of the words.")
    ] = 0
    coin_type: Annotated[
        int, typer.Option("--coin-type", min=0, max=STEP_MAX, metavar="NUMBER", help="Coin type of the words.")
    ] = COIN_TYPE
    gap: Annotated[
        int,
        typer.Option(
            "--gap",
            min=1,
            max=GAP_MAX,
            metavar="COUNT",
            help="Unused addresses in a row after which none is used.",
        ),
    ] = GAP_LIMIT
    node: NodeUrl = NODE_URL
    as_json: AsJson = False

    @property
    def keys(self) -> Keys:
        """The keys of the wallet file."""
        return Keys.from_mnemonic(mnemonic_of(self.wallet.expanduser()), coin_type=self.coin_type)

    @asynccontextmanager
    async def opened(self, keys: Keys, worker: Worker = Worker.NODE) -> AsyncIterator[Wallet]:
        """The wallet of the keys at the node."""
        async with NodeClient(self.node) as node:
            worked_by = await pow_by(node, worker)
            yield Wallet(node, keys, account=self.account, gap_limit=self.gap, pow=worked_by)

    def look(self, ask: Callable[[Wallet], Awaitable[R]]) -> R:
        """What `ask` finds in the wallet."""
        keys = self.keys

        async def asked() -> R:
            async with self.opened(keys) as wallet:
                return await ask(wallet)

        return run_async(asked())


@dataclass(frozen=True)
class Terms(Where):
    """The options that every command with a transaction has."""

    worker: ProofOfWork = Worker.AUTO
    wait: Wait = True
    timeout: Timeout = WAIT_S


def looked_json(wallet: Wallet) -> Json:
    """How far a wallet has looked for used addresses, for programs."""
    external, internal = wallet.reach.looked_at
    return {"account": wallet.reach.account, "addresses": external, "remainderAddresses": internal}


def looked_text(wallet: Wallet) -> str:
    """How far a wallet has looked for used addresses, for people."""
    external, internal = wallet.reach.looked_at
    return f"account {wallet.reach.account}, addresses 0 to {external - 1}, remainders 0 to {internal - 1}"


@dataclass(frozen=True)
class Plan(Generic[R]):
    """What a command is about to do.

    Attributes
    ----------
    doing : what is told while it is posted
    post : posts it without waiting for its inclusion, where that is one transaction
    told : what is printed, from what `post` answered: members for programs, lines for people
    question : asked before, where it cannot be undone
    """

    doing: str
    post: Callable[[Wallet, Tell], Awaitable[R]]
    told: Callable[[R], tuple[Json, str]]
    question: str | None = None


@dataclass(frozen=True)
class Done:
    """What a plan's `post` answered, and the transaction in it as it is now."""

    answer: Any
    sent: Sent


@dataclass(frozen=True)
class Times:
    """When something comes back, and when it opens; seconds since the Unix epoch."""

    expires_at: int | None
    locked_until: int | None

    @property
    def json(self) -> Json:
        """For programs."""
        members = {"expiresAt": self.expires_at, "lockedUntil": self.locked_until}
        return {name: value for name, value in members.items() if value is not None}

    @property
    def text(self) -> str:
        """Lines for people, to stand after others."""
        lines = ""
        if self.locked_until is not None:
            lines += f"\nlocked until {when(self.locked_until)}"
        if self.expires_at is not None:
            lines += f"\nyours again at {when(self.expires_at)}, unless it is taken before"
        return lines


async def times_of(
    wallet: Wallet, expires_in: str | None, expires_at: str | None, locked_until: str | None
) -> Times:
    """The times that options name, lengths counted from the newest milestone. Raises InvalidValue."""
    if expires_in is None and expires_at is None and locked_until is None:
        return Times(None, None)
    if expires_in is not None and expires_at is not None:
        raise InvalidValue("--expires-at", "stands beside --expires-in; give one of the two")
    now = (await wallet.node.info()).latest_milestone.timestamp or int(time.time())
    expires = None
    if expires_in is not None:
        seconds(expires_in, "--expires-in")
        expires = moment(expires_in, "--expires-in", now)
    elif expires_at is not None:
        expires = moment(expires_at, "--expires-at", now)
    locked = moment(locked_until, "--locked-until", now) if locked_until is not None else None
    if expires is not None and locked is not None and locked >= expires:
        raise InvalidValue("--locked-until", "must be before it expires, or the receiver can never take it")
    return Times(expires, locked)


def carry_out(terms: Terms, plan: Callable[[Wallet], Awaitable[Plan[Any]]], *, yes: bool = True) -> None:
    """Do what `plan` makes of the wallet, and print what came of it.

    Raises
    ------
    ConfirmationNeeded, NotConfirmed : it has a question, and nobody said yes
    """
    keys = terms.keys

    async def act(tell: Tell, ready: Plan[Any] | None = None) -> tuple[Plan[Any], Done | None]:
        async with terms.opened(keys, terms.worker) as wallet:
            confirmed = yes or ready is not None
            ready = ready or await plan(wallet)
            if ready.question and not confirmed:
                return ready, None
            tell(ready.doing)
            return ready, await _post(wallet, ready, terms, tell)

    with progress("asking the node", as_json=terms.as_json) as tell:
        ready, done = run_async(act(tell))
    if done is None:
        # Nobody is asked while an event loop runs: it would keep Ctrl-C from ending the question.
        _confirm(ready.question or "")
        with progress(ready.doing, as_json=terms.as_json) as tell:
            ready, done = run_async(act(tell, ready))
    assert done is not None
    members, text = ready.told(done.answer)
    show_done(sent_json(done.sent) | members, f"{text}\n{sent_text(done.sent)}", as_json=terms.as_json)


async def _post(wallet: Wallet, ready: Plan[Any], terms: Terms, tell: Tell) -> Done:
    answer = await ready.post(wallet, tell)
    sent: Sent = getattr(answer, "sent", answer)
    if terms.wait and sent.milestone_index is None:
        tell("posted; waiting for a milestone to include it")
        included = await _wait(wallet, sent, terms)
        sent = replace(sent, block_id=included.block_id, milestone_index=included.milestone_index)
    return Done(answer, sent)


async def _wait(wallet: Wallet, sent: Sent, terms: Terms) -> Included:
    """Wait for a posted transaction; whatever ends the waiting, it stays posted, and that is told."""
    try:
        return await wallet.wait_included(sent.transaction, within_s=terms.timeout)
    except (Conflicting, NotIncludedInTime):
        raise
    except TangleError as error:
        raise Undecided(sent.transaction.id, sent.block_id, str(error)) from error
    except asyncio.CancelledError:
        note(json.dumps(sent_json(sent)) if terms.as_json else sent_text(sent))
        raise


def sent_json(sent: Sent) -> Json:
    """A transaction for programs."""
    json: Json = {"transactionId": to_hex(sent.transaction.id), "blockId": to_hex(sent.block_id)}
    if sent.milestone_index is not None:
        json["milestoneIndex"] = sent.milestone_index
    return json


def sent_text(sent: Sent) -> str:
    """A transaction for people."""
    state = "posted, not waited for" if sent.milestone_index is None else f"included by {sent.milestone_index}"
    return facts(
        [
            ("transaction", to_hex(sent.transaction.id)),
            ("block", to_hex(sent.block_id)),
            ("milestone", state),
        ]
    )


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise ConfirmationNeeded
    if not typer.confirm(question, err=True):
        raise NotConfirmed
