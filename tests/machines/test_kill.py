"""kill -9 of a machine at random moments: each unit is paid once, each fact is told once, and the sums hold."""

import json
import random
import time
from pathlib import Path

from tangle.machines.follow import ReaderKey, Tally
from tangle.machines.journal import open_journal
from tangle.machines.messages import seal, unseal
from tangle.machines.meter import FlowMeter
from tangle.machines.order import OrderState
from tangle.machines.sales import Sales
from tangle.machines.terms import Order, machine_tag, order_tag
from tests.forked import Forked
from tests.machines import victim
from tests.machines.hearing import hear
from tests.machines.tables import CUSTOMER, MACHINE, OWNER, PARAMETERS, READER, TERMS, TableLedger

UNITS = 230
"""three allotments; about 64 readings, more than all the lives before the last one get to see"""
KILLS = 8


async def test_a_machine_killed_at_random_moments_pays_each_unit_once(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    ledger = TableLedger(tmp_path / "ledger.db")
    data = seal(Order(TERMS, UNITS, bytes(16), READER.public).to_json(), CUSTOMER)
    order_id = unseal(data).id
    await ledger.post(machine_tag(MACHINE.address), data)
    ledger.pay_in(order_tag(order_id), UNITS * TERMS.price + 500)

    lives(tmp_path, random.Random(seed))

    book = open_journal(tmp_path / "machine.db", MACHINE.address.encode(), PARAMETERS.network_id)
    status = Sales(book, MACHINE, TERMS, PARAMETERS, FlowMeter()).status(order_id)
    book.close()
    assert (status.state, status.produced, status.volume_ml) == (OrderState.SETTLED, UNITS, UNITS * TERMS.unit_ml)
    payments = [one.essence.payload for one in ledger.payments()]
    assert sorted(json.loads(note.data)["number"] for note in payments if note) == list(range(1, UNITS + 1))
    assert ledger.balance(OWNER.address) == status.paid == UNITS * TERMS.price
    assert ledger.balance(CUSTOMER.address) == status.refunded == 500
    assert ledger.balance(MACHINE.address) == 0
    for key in (READER, ReaderKey.of(OWNER)):
        told, tally = hear(ledger, key), Tally()
        for fact in told.facts:
            tally.count(fact)
        assert told.missing is None
        assert told.numbers("reading") == list(range(1, tally.counts["reading"] + 1))
        assert told.numbers("unit") == list(range(1, UNITS + 1))
        assert tally.holds(UNITS, status.paid, status.refunded)
        assert told.states() == ["allotting", "producing", "exhausted", "refunding", "settled"]
    ledger.close()


def lives(directory: Path, moments: random.Random) -> None:
    """Start the machine, kill it, again and again; the last time it lives to the end."""
    out = directory / "out"
    for _ in range(KILLS):
        out.unlink(missing_ok=True)
        process = Forked(victim.main, directory, stdout=out)
        assert process.await_line(out) == "ready"
        time.sleep(moments.uniform(0, 0.35))
        process.kill()
    assert Forked(victim.main, directory, stdout=out).wait(60) == 0
