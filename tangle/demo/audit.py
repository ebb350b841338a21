"""What the demonstration promises, recomputed over REST from the ledger and the Tangle, not from reports."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from tangle.client.node.rest import NodeClient
from tangle.demo.channel import check_channel, hear
from tangle.demo.check import Case, Check, is_count
from tangle.machines.facts import READING
from tangle.machines.follow import Told
from tangle.machines.messages import unseal
from tangle.machines.payments import REFUND, UNIT, read_note
from tangle.machines.terms import Order, machine_tag
from tangle.parties.errors import MessageRefused
from tangle.parties.messages import SignedMessage
from tangle.protocol.addresses import Address
from tangle.protocol.outputs import Output
from tangle.protocol.serial import to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction

REQUESTS_AT_ONCE = 16
"""requests on the way"""


@dataclass(frozen=True, slots=True)
class Held:
    """An unspent output and the note of the transaction that made it."""

    output: Output
    note: tuple[str, str, int] | None


async def audit(node: NodeClient, case: Case) -> list[Check]:
    """Everything the demonstration promises, checked against the node."""
    revenue = await _held(node, case.owner)
    back = await _held(node, case.customer)
    left = await _held(node, case.machine)
    heard = await hear(node, case.readers["owner"], case.machine)
    order = await _ordered(node, case)
    deposit = await _deposit(node, case)
    units = [held.note[2] for held in revenue if held.note and held.note[:2] == (UNIT, to_hex(case.order_id))]
    earned = sum(held.output.amount for held in revenue)
    mine = (REFUND, to_hex(case.order_id))
    refund = sum(held.output.amount for held in back if held.note and held.note[:2] == mine)
    price = order.terms.price
    return [
        Check(
            "units x price = owner's revenue",
            f"{len(units)} x {price:,} = {earned:,}",
            len(units) * price == earned > 0,
        ),
        Check("deposit = paid + refund", f"{deposit:,} = {earned:,} + {refund:,}", deposit == earned + refund > 0),
        Check("each unit is paid exactly once", f"units 1 to {len(units)}", is_count(units)),
        _metered(heard.of(READING, case.order_id), order, len(units)),
        Check("the machine keeps nothing", f"{len(left)} outputs", not left),
        await _supply(node),
        *await check_channel(node, case, len(units), earned, refund),
    ]


def _metered(readings: list[Told], order: Order, units: int) -> Check:
    volume_ml = readings[-1].body.u64("volumeMillilitres") if readings else 0
    verdicts = Counter(reading.body.text("verdict") for reading in readings)
    told = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in verdicts.items())
    return Check(
        "every reading is in the channel, and the volume gives the units",
        f"{len(readings)} readings ({told}), {volume_ml / 1e6:,.1f} m3",
        is_count(one.body.integer("number", 2**53) for one in readings)
        and units == volume_ml // order.terms.unit_ml,
    )


async def _supply(node: NodeClient) -> Check:
    outputs = await _outputs(node, await node.basic_output_ids())
    total, supply = sum(output.amount for output in outputs), (await node.info()).parameters.token_supply
    return Check("the supply is unchanged", f"{len(outputs)} outputs hold {total:,}", total == supply > 0)


async def _outputs(node: NodeClient, output_ids: Iterable[bytes]) -> list[Output]:
    gate = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def one(output_id: bytes) -> Output:
        async with gate:
            return (await node.output(output_id))[0]

    return list(await asyncio.gather(*(one(output_id) for output_id in output_ids)))


async def _held(node: NodeClient, address: Address) -> list[Held]:
    output_ids = await node.basic_output_ids(address)
    outputs = await _outputs(node, output_ids)
    notes = {output_id[:32]: await _note(node, output_id[:32]) for output_id in output_ids}
    return [Held(output, notes[i[:32]]) for i, output in zip(output_ids, outputs, strict=True)]


async def _note(node: NodeClient, transaction_id: bytes) -> tuple[str, str, int] | None:
    transaction = await _transaction(node, transaction_id)
    payload = transaction.essence.payload if transaction else None
    return read_note(payload.data) if payload else None


async def _transaction(node: NodeClient, transaction_id: bytes) -> Transaction | None:
    block = await node.included_block(transaction_id)
    return block.payload if block and isinstance(block.payload, Transaction) else None


async def _deposit(node: NodeClient, case: Case) -> int:
    transaction = await _transaction(node, case.deposit_transaction)
    outputs = transaction.essence.outputs if transaction else ()
    return sum(output.amount for output in outputs if output.owner == case.machine)


async def _ordered(node: NodeClient, case: Case) -> Order:
    async for message in _under(node, machine_tag(case.machine)):
        if message.id == case.order_id:
            return Order.from_json(message.body)
    raise MessageRefused("the order is not in the Tangle")


async def _under(node: NodeClient, tag: bytes) -> AsyncIterator[SignedMessage]:
    async for item in node.tagged_blocks(tag):
        payload = (await node.block(item.block_id)).payload
        if isinstance(payload, TaggedData):
            try:
                yield unseal(payload.data)
            except MessageRefused:
                continue
