"""The life cycle: exactly the table, and nothing else."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from tangle.disk.books import Book
from tangle.machines import journal
from tangle.machines.errors import IllegalEvent
from tangle.machines.order import FIRST, OVER, TABLE, OrderEvent, OrderState, after, diagram, knows

ROOT = Path(__file__).parents[2]
PAIRS = list(itertools.product(OrderState, OrderEvent))
LIVES = {
    "quoted": {"accepted": "awaiting_deposit", "refused": "cancelled"},
    "awaiting_deposit": {
        "deposit_included": "allotting",
        "deposit_unusable": "refunding",
        "stop_requested": "cancelled",
        "expired": "cancelled",
    },
    "allotting": {"allotted": "producing", "stop_requested": "stopping"},
    "producing": {
        "unit_produced": "producing",
        "credit_used_up": "exhausted",
        "stop_requested": "stopping",
        "readings_ended": "stopping",
    },
    "exhausted": {"paid_up": "settled", "rest_left": "refunding"},
    "stopping": {"paid_up": "settled", "rest_left": "refunding"},
    "refunding": {"refund_included": "settled"},
    "settled": {"deposit_unusable": "refunding"},
    "cancelled": {"deposit_unusable": "refunding"},
}
"""state -> event -> state, written down a second time: a change of the table has to be meant"""


def test_every_pair_follows_the_table_or_raises() -> None:
    assert set(LIVES) == set(OrderState)
    for state, event in PAIRS:
        if event in LIVES[state]:
            assert knows(state, event), (state, event)
            assert after(state, event) == LIVES[state][event], (state, event)
        else:
            assert not knows(state, event), (state, event)
            with pytest.raises(IllegalEvent, match=f"an order that is {state} knows no event {event}"):
                after(state, event)


def test_every_illegal_pair_leaves_the_stored_order_as_it_was(book: Book) -> None:
    with book.transaction() as connection:
        journal.enter_order(connection, b"o", b"", b"", 0)
    for state, event in PAIRS:
        with book.transaction() as connection:
            connection.execute("UPDATE orders SET state = ?, produced = 7", (state.value,))
        with book.transaction() as connection:
            before = journal.order_row(connection, b"o")
            if event in TABLE[state]:
                journal.advance(connection, b"o", event, produced=8)
                assert journal.order_row(connection, b"o") != before
            else:
                with pytest.raises(IllegalEvent):
                    journal.advance(connection, b"o", event, produced=8)
                assert journal.order_row(connection, b"o") == before


def test_every_state_is_reached_and_every_order_can_end() -> None:
    reached, todo = {FIRST}, [FIRST]
    while todo:
        following = set(TABLE[todo.pop()].values()) - reached
        reached |= following
        todo += following
    assert reached == set(OrderState)
    ends = set(OVER)
    for _ in OrderState:
        ends |= {state for state, row in TABLE.items() if ends & set(row.values())}
    assert ends == set(OrderState)


def test_the_diagram_in_the_docs_is_the_table() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "tangle.machines.order"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert printed == diagram()
    assert f"```mermaid\n{printed}\n```" in (ROOT / "docs" / "pay-on-production.md").read_text()
    assert printed.count(" --> ") == sum(len(row) for row in TABLE.values()) + 1 + len(OVER)
