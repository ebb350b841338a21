"""The indexer finds what plain Python finds, page by page, whatever comes and goes between the pages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from tangle.protocol.outputs import NO_ID, AliasOutput, ChainOutput, FoundryOutput, NftOutput
from tangle.store.errors import MalformedCursor
from tangle.store.indexer import BasicFilter, Cursor, Filter, FoundryFilter, chain_output, unspent_outputs
from tangle.store.journal import Batch, SpentRow, write
from tangle.store.queries import ledger_index
from tests.store.ledgers import (
    ADDRESSES,
    COMBINED,
    KINDS,
    TWIN,
    Entry,
    a_filter,
    an_entry,
    single_filters,
    twin,
)
from tests.store.rows import a_block, a_milestone, in_memory, name, opened
from tests.tries import drawn, tries


@dataclass
class Ledger:
    """A database and the plain list of what is unspent in it."""

    engine: Engine
    rng: random.Random
    unspent: list[Entry] = field(default_factory=list)
    index: int = 0

    def milestone(self, created: int, spent: int) -> None:
        """A milestone that creates and spends so many outputs; some of what it creates it spends at once."""
        self.index += 1
        new = [an_entry(self.rng, self.index) for _ in range(created)]
        self.unspent += new
        going = self.rng.sample(self.unspent, min(spent, len(self.unspent)))
        self.unspent = [entry for entry in self.unspent if entry not in going]
        write(
            self.engine,
            Batch(
                blocks=[a_block(self.index)],
                milestones=[a_milestone(self.index, 1000 + self.index, self.index)],
                outputs=[entry.row for entry in new],
                spent=[SpentRow(entry.output_id, self.index, 9, name(9)) for entry in going],
            ),
        )


@pytest.fixture(params=range(tries(3)))
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    with in_memory() as engine:
        grown = Ledger(engine, random.Random(request.param))
        for _ in range(5):
            grown.milestone(created=40, spent=10)
        yield grown


STORE = "5a" * 16


def all_pages(connection: Connection, chosen: Filter, page_size: int) -> list[bytes]:
    found, cursor = list[bytes](), None
    while True:
        page = unspent_outputs(connection, chosen, cursor, page_size)
        found += page.items
        if page.cursor is None:
            return found
        assert len(page.items) == page_size
        cursor = Cursor.decode(page.cursor.encode(STORE))


def test_the_twin_knows_every_field_of_every_filter() -> None:
    assert {each.name for kind in KINDS for each in fields(kind)} == set(TWIN)


def test_every_filter_alone_finds_what_plain_python_finds(ledger: Ledger) -> None:
    met = set[str]()
    with ledger.engine.connect() as connection:
        for chosen in [*single_filters(), *COMBINED]:
            expected = twin(chosen, ledger.unspent)
            met |= {each.name for each in fields(chosen) if expected and getattr(chosen, each.name) is not None}
            for page_size in (20, 1000):
                assert all_pages(connection, chosen, page_size) == expected, chosen
    assert met == set(TWIN), "no output tests these fields"


def test_random_combinations_find_what_plain_python_finds(ledger: Ledger) -> None:
    several = 0
    with ledger.engine.connect() as connection:
        for _ in range(tries(400)):
            chosen, page_size = a_filter(ledger.rng), ledger.rng.choice([1, 2, 7, 1000])
            expected = twin(chosen, ledger.unspent)
            several += len(expected) > 1
            assert all_pages(connection, chosen, page_size) == expected, (chosen, page_size)
    assert several > 50


@drawn
@pytest.mark.parametrize("seed", range(tries(4)))
@pytest.mark.parametrize("kind", KINDS)
def test_pages_meet_every_output_once_while_others_come_and_go(kind: type[Filter], seed: int) -> None:
    rng = random.Random(seed)
    address: dict[str, Any] = {"unlockable_by": rng.choice(ADDRESSES).encode()}
    chosen = kind() if kind is FoundryFilter else kind(**address)
    with in_memory() as engine:
        ledger = Ledger(engine, rng)
        for _ in range(3):
            ledger.milestone(created=100, spent=5)
        throughout, found, cursor = set(twin(chosen, ledger.unspent)), list[bytes](), None
        for pages in range(1000):
            with engine.connect() as connection:
                page = unspent_outputs(connection, chosen, cursor, 3)
            throughout &= set(twin(chosen, ledger.unspent))
            behind = [entry for entry in ledger.unspent if cursor is None or entry.place > place_of(cursor)]
            assert list(page.items) == twin(chosen, behind)[:3], seed
            found += page.items
            cursor = page.cursor
            if cursor is None:
                break
            if pages < 6:
                ledger.milestone(created=8, spent=6)
        assert cursor is None
        assert len(found) == len(set(found))
        assert throughout <= set(found)
        assert pages > 3, "too few pages to tell"


def place_of(cursor: Cursor) -> tuple[int, bytes]:
    return cursor.created_index, cursor.output_id


def test_a_cursor_whose_output_was_spent_still_leads_on(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        first = unspent_outputs(connection, BasicFilter(), None, 4)
    write(ledger.engine, Batch(spent=[SpentRow(one, 6, 9, name(9)) for one in first.items]))
    with ledger.engine.connect() as connection:
        second = unspent_outputs(connection, BasicFilter(), first.cursor, 1000)
    assert [*first.items, *second.items] == twin(BasicFilter(), ledger.unspent)


def test_chains_are_found_at_the_output_they_stand_at(ledger: Ledger) -> None:
    chains = [entry for entry in ledger.unspent if isinstance(entry.output, ChainOutput)]
    explicit = [isinstance(entry.output, ChainOutput) and entry.output.explicit_id for entry in chains]
    assert not all(explicit), "none was created with an id of zeros"
    with ledger.engine.connect() as connection:
        for entry in chains:
            assert isinstance(entry.output, ChainOutput)
            chain_id = entry.output.chain_id(entry.output_id)
            for kind in (AliasOutput, FoundryOutput, NftOutput):
                found = chain_output(connection, kind.TYPE, chain_id)
                assert found == (entry.output_id if isinstance(entry.output, kind) else None)
        assert chain_output(connection, AliasOutput.TYPE, NO_ID) is None


def test_a_chain_is_followed_from_output_to_output_to_its_end() -> None:
    with in_memory() as engine:
        made = Entry(name(1, 34), next_nft(NO_ID), 1)
        nft = made.output
        assert isinstance(nft, NftOutput)
        nft_id = nft.chain_id(made.output_id)
        moved = Entry(name(2, 34), next_nft(nft_id), 1)
        found = []
        steps = (
            Batch(outputs=[made.row]),
            Batch(outputs=[moved.row], spent=[SpentRow(made.output_id, 2, 9, name(9))]),
            Batch(spent=[SpentRow(moved.output_id, 3, 9, name(9))]),
        )
        for batch in steps:
            write(engine, batch)
            with engine.connect() as connection:
                found.append(chain_output(connection, NftOutput.TYPE, nft_id))
        assert found == [made.output_id, moved.output_id, None]


def next_nft(nft_id: bytes) -> NftOutput:
    rng = random.Random(0)
    while not isinstance(drawn := an_entry(rng, 1).output, NftOutput):
        pass
    return NftOutput(drawn.amount, drawn.unlock_conditions, nft_id=nft_id)


def test_the_ledger_index_is_that_of_the_last_milestone(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with engine.connect() as connection:
        assert ledger_index(connection) == 0
    grown = Ledger(engine, random.Random(0))
    grown.milestone(1, 0)
    grown.milestone(1, 0)
    with engine.connect() as connection:
        assert ledger_index(connection) == 2
    engine.dispose()


@given(st.integers(0, 2**32 - 1), st.binary(min_size=34, max_size=34), st.integers(1, 10**9 - 1))
def test_a_cursor_reads_back(index: int, output_id: bytes, page_size: int) -> None:
    cursor = Cursor(index, output_id, page_size)
    assert Cursor.decode(cursor.encode(STORE)) == replace(cursor, store=STORE[:8])


@given(st.text() | st.from_regex(r"[0-9a-fA-Fx ]{74,78}\.[0-9]{0,11}\.[0-9a-f]{7,9}", fullmatch=True))
def test_any_text_is_a_cursor_or_a_malformed_one(text: str) -> None:
    try:
        cursor = Cursor.decode(text)
    except MalformedCursor:
        return
    assert cursor.encode(STORE).split(".")[0] == text.split(".", maxsplit=1)[0]
