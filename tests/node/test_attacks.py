"""Under attack honest blocks are referenced within a stated number of milestones (docs/tip-selection.md).

The numbers are bounds for these seeds, and what the documentation promises.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tangle.store import journal, queries
from tangle.tipselect.lazy import LAZY, NON_LAZY, SEMI_LAZY
from tests.networks import block_on, note, open_node
from tests.node.attacks import HONEST, Scene, double_spends, leaves, side_chain
from tests.tries import drawn, tries

WITHIN = 2
"""milestones; the very next one or the one after it"""
SEEDS = (1, 2)[: tries(2)]
SIDE_CHAIN = 600
"""blocks; five times as many as honest ones in its time"""
FLOOD = 10_000
"""blocks"""


def scene(tmp_path: Path, seed: int, rounds: int = 12) -> Scene:
    """A node on which honest issuers have been at work for some milestones."""
    made = Scene(open_node(tmp_path / "tangle.db", seed=seed), seed)
    made.rounds(rounds)
    return made


def check(made: Scene) -> None:
    """After some quiet rounds everything honest is referenced, and was in time."""
    made.rounds(WITHIN)
    honest = dict(made.honest)
    made.rounds(WITHIN)
    made.honest = honest
    worst = max(made.delays())
    assert worst <= WITHIN, f"seed {made.seed}: an honest block waited for {worst} milestones"


@pytest.mark.parametrize("seed", SEEDS)
def test_without_an_attack(tmp_path: Path, seed: int) -> None:
    check(scene(tmp_path, seed))


@drawn
@pytest.mark.parametrize("depth", [4, 7, 12])
@pytest.mark.parametrize("seed", SEEDS)
def test_parasite_side_chain(tmp_path: Path, seed: int, depth: int) -> None:
    made = scene(tmp_path, seed)
    made.attach(side_chain(made.milestone_blocks[-depth], SIDE_CHAIN, seed))
    check(made)


@pytest.mark.parametrize("seed", SEEDS)
def test_walks_keep_off_a_lighter_side_chain(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed)
    chain = side_chain(made.milestone_blocks[-6], 40, seed)
    made.attach(chain)
    made.issue()
    assert made.share_of_tips({block.id for block in chain}) <= 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_flood_of_lazy_tips(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed)
    flood = leaves(made.milestone_blocks[-12], (note(f"lazy {number}") for number in range(FLOOD)))
    ids = {block.id for block in flood}
    made.attach(flood)
    assert made.share_of_tips(ids) == 0
    check(made)
    assert made.share_of_tips(ids) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_flood_of_tips_on_one_recent_block(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed)
    made.attach(leaves(made.milestone_blocks[-1], (note(f"flood {number}") for number in range(FLOOD))))
    check(made)


@drawn
@pytest.mark.parametrize("back", [13, 14, 15])
def test_honest_tips_cannot_be_smothered(tmp_path: Path, back: int) -> None:
    """What approves an honest tip and something almost too old turns lazy, and all that approve it with it."""
    made = scene(tmp_path, 1, rounds=20)

    def attack(number: int) -> None:
        for each in range(HONEST):
            both = {made.node.reading.tips()[0], made.milestone_blocks[-back]}
            made.attach([block_on(both, note(f"smother {number} {each}"))])

    made.rounds(8, attack)
    check(made)


@pytest.mark.parametrize("seed", SEEDS)
def test_conflicting_spends(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed)
    flood = double_spends(made.node.reading.tips(), FLOOD)
    ids = {block.id for block in flood[1:]}
    made.attach(flood)
    assert made.share_of_tips(ids) == 0
    check(made)
    with made.node.engine.connect() as connection:
        records = queries.records_by_ids(connection, [block.id for block in flood])
    settled = [record.referenced.inclusion for record in records.values() if record.referenced is not None]
    assert settled.count(journal.Inclusion.INCLUDED) == 1
    assert settled.count(journal.Inclusion.CONFLICTING) == len(settled) - 1
    made.node.audit()


def test_a_start_from_the_journal_passes_by_the_same_blocks(tmp_path: Path) -> None:
    made = scene(tmp_path, 4)
    made.attach(leaves(made.milestone_blocks[-12], (note(f"lazy {number}") for number in range(100))))
    made.attach(double_spends(made.node.reading.tips(), 100))
    made.rounds(1)
    made.attach(double_spends(made.node.reading.tips(), 100))
    made.milestone()
    before, node = made.node.still(), made.node
    node.close()
    after = open_node(tmp_path / "tangle.db", seed=4).still()
    assert np.count_nonzero(before.contested) > 50
    assert set(before.scores.tolist()) == {LAZY, SEMI_LAZY, NON_LAZY}
    for name in ("ids", "entry", "milestone"):
        assert getattr(after, name) == getattr(before, name)
    for name in ("numbers", "oldest", "youngest", "contested", "scores"):
        assert np.array_equal(getattr(after, name), getattr(before, name)), name
    assert np.array_equal(after.graph.tips, before.graph.tips)
    assert np.array_equal(after.graph.weights, before.graph.weights)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flood_that_goes_on(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed, rounds=4)
    spends = double_spends(made.node.reading.tips(), 2_000)

    def attack(number: int) -> None:
        tips = made.node.reading.tips()
        lazy = (note(f"lazy {number} {each}") for each in range(250))
        flood = [block_on(tips, block.payload) for block in spends[250 * number : 250 * (number + 1)]]
        made.attach([*flood, *leaves(made.milestone_blocks[max(-12, -len(made.milestone_blocks))], lazy)])

    made.rounds(8, attack)
    check(made)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lone_double_spend_is_settled_by_the_next_milestone(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed, rounds=3)
    pair = double_spends(made.node.reading.tips(), 2)
    made.attach(pair)
    assert made.node.has_news()
    made.milestone()
    with made.node.engine.connect() as connection:
        records = queries.records_by_ids(connection, [block.id for block in pair])
    reasons = [record.referenced.inclusion for record in records.values() if record.referenced is not None]
    assert sorted(reasons) == [journal.Inclusion.INCLUDED, journal.Inclusion.CONFLICTING]
