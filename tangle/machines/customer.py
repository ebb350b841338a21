"""The customer: orders, deposits, watches, asks for a stop, and checks that what comes back is right.

A process of its own with its own seed. What it has said and signed is in its state file before it is
posted, so after a kill the same order and the same deposit go out again, never a second one.

`python -m tangle.machines.customer --help`
"""

from __future__ import annotations

import asyncio
import json as json_
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from tangle.client.channels.inbox import Inbox
from tangle.client.wallet.wallet import Wallet
from tangle.disk import files
from tangle.machines.errors import TermsRefused
from tangle.machines.facts import READING, STATE
from tangle.machines.follow import ReaderKey, Tally, Told, facts
from tangle.machines.messages import salt_with_work, seal, unseal
from tangle.machines.order import OrderState
from tangle.machines.payments import REFUND, read_note
from tangle.machines.terms import (
    Order,
    Terms,
    check_order,
    check_terms,
    machine_tag,
    order_tag,
    output_deposit,
    read_machine,
)
from tangle.parties.agent import LOCAL_NODE, JsonOption, NodeOption, SeedOption, finite, run
from tangle.parties.errors import MessageRefused, OtherState
from tangle.parties.ledger import NodeLedger, connected, until_there
from tangle.parties.messages import SALT_BYTES, SignedMessage
from tangle.parties.report import Report, reporter
from tangle.parties.seed import read_keys
from tangle.protocol.addresses import Ed25519Address, to_bech32
from tangle.protocol.errors import ProtocolError
from tangle.protocol.keys import KeyPair
from tangle.protocol.outputs import BasicOutput, TagFeature
from tangle.protocol.serial import Fields, Reader, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

T = TypeVar("T")
FAUCET_WAIT_S = 60.0
"""seconds to wait for the faucet's coins"""
ANSWER_WAIT_S = 30.0
"""seconds after which a machine that does not answer is told of"""
TICK_S = 0.5
"""seconds between two looks at the Tangle"""

app = typer.Typer(add_completion=False)


@dataclass
class Said:
    """What a customer has said, as hexadecimal digits, kept in a file."""

    order: str = ""
    deposit: str = ""
    stop: str = ""

    @classmethod
    def read(cls, path: Path) -> Said:
        """The memory in a file; empty where there is none. Raises OtherState."""
        try:
            return cls(**json_.loads(path.read_bytes()))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError) as error:
            raise OtherState(f"{path}: no state of a customer ({error})") from None

    def write(self, path: Path) -> None:
        """Replace the file by this memory, durably."""
        files.write(path, json_.dumps(asdict(self)).encode(), files.PRIVATE)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the customer wants.

    Attributes
    ----------
    price_max : base units per unit above which it does not order; None accepts any price
    stop_after_s, stop_after_units : when it asks the machine to stop; None never
    faucet : ask the node's faucet when there is too little for the deposit
    """

    machine: Ed25519Address
    units: int
    price_max: int | None = None
    stop_after_s: float | None = None
    stop_after_units: int | None = None
    faucet: bool = False


@dataclass
class Customer:
    """One order of one customer, from the quote to the refund."""

    ledger: NodeLedger
    wallet: Wallet
    wish: Wish
    state: Path
    report: Report
    memory: Said = field(init=False)
    tally: Tally = field(default_factory=Tally, init=False)
    _heard: dict[bytes, int] = field(default_factory=dict, init=False)
    _inbox: dict[bytes, deque[SignedMessage]] = field(default_factory=dict, init=False)
    _known: set[bytes] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.memory = Said.read(self.state)

    @property
    def key(self) -> KeyPair:
        """The key that signs, and whose address is refunded."""
        return self.wallet.key_pair()

    async def run(self) -> int:
        """Buy; 0 when the order was settled and the sums hold, 1 when they do not."""
        message = unseal(await self._order())
        order = Order.from_json(message.body)
        self.report({"event": "ordered", "order": to_hex(message.id), "units": order.units})
        answer = await self._answer(message.id)
        if answer.kind == "refused":
            raise TermsRefused(f"the machine refused: {answer.body.text('reason')}")
        await self._insist(lambda: self._deposit(message.id, order))
        settled = await self._watch(message.id)
        return await self._insist(lambda: self._check(message.id, order, settled))

    async def _order(self) -> bytes:
        if not self.memory.order:
            terms = await self._quote()
            parameters = await self.ledger.parameters()
            check_terms(terms, parameters)
            if self.wish.price_max is not None and terms.price > self.wish.price_max:
                raise TermsRefused(f"the machine asks {terms.price} base units per unit")
            reader = ReaderKey.of(self.key).public
            order = Order(terms, self.wish.units, bytes(SALT_BYTES), reader)
            check_order(order, terms, parameters)
            salt = await asyncio.to_thread(salt_with_work, order.to_json(), "salt", self.key, terms.work)
            self._remember(order=seal(replace(order, salt=salt).to_json(), self.key).hex())
        data = bytes.fromhex(self.memory.order)
        await self._insist(lambda: self.ledger.post(machine_tag(self.wish.machine), data))
        return data

    async def _quote(self) -> Terms:
        tag, terms = machine_tag(self.wish.machine), None
        while terms is None:
            inbox = await self._hear(tag)
            while inbox:
                message = inbox.popleft()
                # The last quote holds.
                if message.kind == Terms.KIND:
                    terms = Terms.from_json(message.body)
            if terms is None:
                await asyncio.sleep(TICK_S)
        return terms

    async def _answer(self, order_id: bytes) -> SignedMessage:
        patience = time.monotonic() + ANSWER_WAIT_S
        while True:
            inbox = await self._hear(order_tag(order_id))
            while inbox:
                message = inbox.popleft()
                if message.kind in {"accepted", "refused"}:
                    return message
            if time.monotonic() >= patience:
                patience = time.monotonic() + ANSWER_WAIT_S
                rule = "a machine that is busy answers late, and one key's unpaid orders only up to a number"
                self.report({"event": "no_answer", "message": rule})
            await asyncio.sleep(TICK_S)

    async def _deposit(self, order_id: bytes, order: Order) -> None:
        if not self.memory.deposit:
            # What remains of the input must be able to stand alone, too.
            least = output_deposit(self.key.address, await self.ledger.parameters())
            await self._fund(order.deposit + least)
            tag = order_tag(order_id)
            output = BasicOutput.to(order.terms.machine, order.deposit, TagFeature(tag))
            note = TaggedData(tag, json_.dumps({"kind": "deposit", "order": to_hex(order_id)}).encode())
            transaction = await self.wallet.prepare([output], payload=note)
            self._remember(deposit=transaction.encoded.hex())
        stored = Transaction.decode(Reader(bytes.fromhex(self.memory.deposit)))
        milestone = await self.ledger.include(stored)
        balance = (await self.wallet.balance()).total
        facts = {"amount": order.deposit, "transaction": to_hex(stored.id), "milestone": milestone}
        self.report({"event": "deposited", **facts, "balance": balance})

    async def _fund(self, needed: int) -> None:
        if not self.wish.faucet or (await self.wallet.balance()).available >= needed:
            return
        await self.ledger.node.request_faucet(self.key.address)
        for _ in range(round(FAUCET_WAIT_S / TICK_S)):
            balance = (await self.wallet.balance()).available
            if balance >= needed:
                self.report({"event": "funded", "balance": balance})
                return
            await asyncio.sleep(TICK_S)

    async def _watch(self, order_id: bytes) -> Fields:
        """Follow the machine's channel until it tells that the order is settled; returns what it told."""
        started, units = time.monotonic(), 0
        told = facts(self.ledger, ReaderKey.of(self.key), self.wish.machine, self.report)
        async with aclosing(told), Inbox(told) as inbox:
            while True:
                fact = await inbox.next(TICK_S)
                if fact is not None and fact.body.text("order") == to_hex(order_id):
                    self._tell(fact)
                    if fact.kind == READING:
                        units = fact.body.integer("units", 2**31)
                    elif fact.kind == STATE and fact.body.text("state") == OrderState.SETTLED:
                        return fact.body
                if not self.memory.stop and self._has_enough(time.monotonic() - started, units):
                    await self._stop(order_id)

    def _tell(self, fact: Told) -> None:
        self.tally.count(fact)
        self.report({"event": "channel", **self.tally.to_json()})
        if fact.kind in {READING, STATE}:
            self.report({"event": fact.kind, **{k: v for k, v in fact.body.members.items() if k != "kind"}})

    def _has_enough(self, elapsed_s: float, units: int) -> bool:
        after_s, after_units = self.wish.stop_after_s, self.wish.stop_after_units
        return (after_s is not None and elapsed_s >= after_s) or (after_units is not None and units >= after_units)

    async def _stop(self, order_id: bytes) -> None:
        data = seal({"kind": "stop", "order": to_hex(order_id)}, self.key)
        await self._insist(lambda: self.ledger.post(machine_tag(self.wish.machine), data))
        self._remember(stop=data.hex())
        self.report({"event": "stop_requested"})

    async def _check(self, order_id: bytes, order: Order, settled: Fields) -> int:
        deposit, paid, refunded = (settled.u64(name) for name in ("deposit", "paid", "refunded"))
        units = settled.integer("units", 2**31)
        received = await self._refund_in_ledger(order_id)
        right = {
            "depositIsPaidAndRefund": deposit == paid + refunded,
            "paidIsUnitsTimesPrice": paid == units * order.terms.price,
            "refundIsInTheLedger": received == refunded,
            "allUnitsAndPaymentsWereTold": self.tally.holds(units, paid, refunded),
        }
        figures = {"deposit": deposit, "paid": paid, "refunded": refunded, "units": units}
        balance = (await self.wallet.balance()).total
        self.report({"event": "ended", **figures, "balance": balance, "checks": right})
        return 0 if all(right.values()) else 1

    async def _refund_in_ledger(self, order_id: bytes) -> int:
        """Base units at the own address that came with the note of this order's refund."""
        total = 0
        for coin in await self.ledger.coins(self.key.address):
            note = read_note(await self.ledger.note(coin))
            if note is not None and note[:2] == (REFUND, to_hex(order_id)):
                total += coin.amount
        return total

    async def _hear(self, tag: bytes) -> deque[SignedMessage]:
        """What the machine said under a tag and nobody has taken yet, each once even when it was posted twice."""
        inbox = self._inbox.setdefault(tag, deque())
        while heard := await self._insist(lambda: self.ledger.hear(tag, self._heard.get(tag, 0))):
            self._heard[tag] = heard[-1].number
            for one in heard:
                try:
                    message = unseal(one.data)
                except MessageRefused:
                    continue
                if message.sender == self.wish.machine and message.id not in self._known:
                    self._known.add(message.id)
                    inbox.append(message)
        return inbox

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        return await until_there(ask, self.report, TICK_S)

    def _remember(self, **said: Any) -> None:
        for name, value in said.items():
            setattr(self.memory, name, value)
        self.memory.write(self.state)


@app.command()
def main(
    seed_file: SeedOption,
    state: Annotated[Path, typer.Option(help="File that keeps the order; made when there is none.")],
    machine: Annotated[str, typer.Option(help="Address of the machine.")],
    units: Annotated[int, typer.Option(min=1, help="Units to order and to deposit for.")],
    node: NodeOption = LOCAL_NODE,
    price_max: Annotated[int | None, typer.Option(help="Base units per unit to pay at most.")] = None,
    stop_after: Annotated[
        float | None, typer.Option(min=0, callback=finite, help="Seconds after which to ask for a stop.")
    ] = None,
    stop_after_units: Annotated[int | None, typer.Option(help="Units after which to ask for a stop.")] = None,
    faucet: Annotated[bool, typer.Option(help="Ask the node's faucet when there is too little.")] = False,
    json: JsonOption = False,
) -> None:
    """Order from a machine, pay per unit from a deposit, get the rest back."""
    report = reporter("customer", json)

    async def start() -> int:
        keys = read_keys(seed_file)
        async with connected(node, report) as ledger:
            hrp = (await ledger.parameters()).bech32_hrp
            wish = Wish(read_machine(machine, hrp), units, price_max, stop_after, stop_after_units, faucet)
            wallet = Wallet(ledger.node, keys, pow=ledger.pow_by, gap_limit=0)
            customer = Customer(ledger, wallet, wish, state, report)
            report({"event": "ready", "address": to_bech32(customer.key.address, hrp)})
            try:
                return await customer.run()
            except ProtocolError as error:
                raise MessageRefused(f"the machine said something malformed: {error}") from None

    run(start(), report)


if __name__ == "__main__":
    app()
