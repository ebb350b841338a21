"""Under attack honest blocks are referenced within a stated number of milestones (docs/tip-selection.md).

The numbers are bounds for these seeds, and what the documentation promises.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tangle.store import journal, queries
from tests.networks import note, open_node
from tests.node.attacks import Scene, double_spends, leaves, side_chain

WITHIN = 2
"""milestones; the very next one or the one after it"""
SEEDS = (1, 2)
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


@pytest.mark.parametrize("seed", SEEDS)
def test_conflicting_spends(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed)
    flood = double_spends(made.node.tips(), FLOOD)
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


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lone_double_spend_is_settled_by_the_next_milestone(tmp_path: Path, seed: int) -> None:
    made = scene(tmp_path, seed, rounds=3)
    pair = double_spends(made.node.tips(), 2)
    made.attach(pair)
    assert made.node.has_news()
    made.milestone()
    with made.node.engine.connect() as connection:
        records = queries.records_by_ids(connection, [block.id for block in pair])
    reasons = [record.referenced.inclusion for record in records.values() if record.referenced is not None]
    assert sorted(reasons) == [journal.Inclusion.INCLUDED, journal.Inclusion.CONFLICTING]
