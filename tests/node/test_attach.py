"""A block's way through the node: receipts, order, refusals that change nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tangle.audit import audit
from tangle.errors import TangleError
from tangle.node import NodeSettings, Outcome, Receipt
from tangle.protocol.blocks import Block
from tangle.protocol.conflicts import Conflict
from tangle.protocol.errors import (
    BelowMaxDepth,
    MilestoneInvalid,
    MilestoneOutOfOrder,
    WaitingRoomFull,
    WindowFull,
)
from tangle.protocol.milestones import NO_ID, Milestone, sign_milestone
from tangle.protocol.outputs import BasicOutput
from tangle.store import journal, queries
from tests.networks import COORDINATOR, PARAMETERS, T0, Alone, Key, block_on, genesis_coin, note, open_node, spend

ALICE = Key.named("alice")


@pytest.fixture
def node(tmp_path: Path) -> Alone:
    return open_node(tmp_path / "tangle.db")


def attach(node: Alone, *blocks: Block) -> list[Receipt | TangleError]:
    return node.add(blocks, T0 * 1000).answers


def stored(node: Alone) -> int:
    with node.engine.connect() as connection:
        return journal.block_total(connection)


def metadata(node: Alone, block: Block) -> journal.ReferencedRow | None:
    with node.engine.connect() as connection:
        record = queries.record(connection, block.id)
    assert record is not None
    return record.referenced


def test_new_network_has_its_first_milestone_and_a_tip(node: Alone) -> None:
    assert node.reading.milestone.index == 1
    assert node.reading.milestone.timestamp == T0
    assert len(node.reading.tips()) == 1
    assert not node.has_news()


def test_receipts(node: Alone) -> None:
    first = block_on(node.reading.tips(), note("first"))
    second = block_on([first.id], note("second"))
    assert attach(node, first, second, first) == [
        Receipt(first.id, Outcome.ATTACHED),
        Receipt(second.id, Outcome.ATTACHED),
        Receipt(first.id, Outcome.KNOWN),
    ]
    assert attach(node, second) == [Receipt(second.id, Outcome.KNOWN)]
    assert stored(node) == 3


def test_waits_for_parents_and_is_told(node: Alone) -> None:
    first = block_on(node.reading.tips(), note("first"))
    second = block_on([first.id], note("second"))
    third = block_on([first.id, second.id], note("third"))
    assert attach(node, third, second) == [
        Receipt(third.id, Outcome.WAITING),
        Receipt(second.id, Outcome.WAITING),
    ]
    assert stored(node) == 1
    attached = node.add([first])
    assert attached.answers == [Receipt(first.id, Outcome.ATTACHED)]
    assert attached.released == {b.id: Receipt(b.id, Outcome.ATTACHED) for b in (second, third)}
    assert node.reading.waiting_count == 0
    assert stored(node) == 4


def test_given_up_blocks_name_the_parent_they_missed(node: Alone) -> None:
    orphan = block_on([b"\x01" * 32, *node.reading.tips()])
    attach(node, orphan)
    assert node.forget_waiting(orphan.id) == b"\x01" * 32
    assert node.forget_waiting(orphan.id) is None
    assert stored(node) == 1


def test_waiting_room_is_bounded(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db", settings=NodeSettings(seed=1, waiting_bytes_max=200))
    blocks = [block_on([bytes([number]) * 32], note("x" * 90)) for number in (1, 2)]
    answers = attach(node, *blocks)
    assert answers[0] == Receipt(blocks[0].id, Outcome.WAITING)
    assert isinstance(answers[1], WaitingRoomFull)


def test_window_is_bounded(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db", settings=NodeSettings(seed=1, window_blocks_max=3))
    first, second = (block_on(node.reading.tips(), note(text)) for text in ("one", "two"))
    answers = attach(node, first, second)
    assert answers[0] == Receipt(first.id, Outcome.ATTACHED)
    assert isinstance(answers[1], WindowFull)


def test_milestones_include_and_conflict(node: Alone) -> None:
    coin = genesis_coin()
    one = block_on(node.reading.tips(), spend([coin], [BasicOutput.to(ALICE.address, coin.output.amount)]))
    two = block_on(node.reading.tips(), spend([coin], [BasicOutput.to(coin.key.address, coin.output.amount)]))
    data = block_on([one.id, two.id], note("both"))
    attach(node, one, two, data)
    assert node.has_news()
    essence = node.issue_milestone(T0 + 1)
    assert (essence.index, essence.timestamp) == (2, T0 + 1)
    first, second = sorted((one, two), key=lambda block: block.id)
    assert metadata(node, first) is not None
    rows = {block.id: metadata(node, block) for block in (first, second, data)}
    included, conflicting, plain = rows[first.id], rows[second.id], rows[data.id]
    assert included is not None
    assert conflicting is not None
    assert plain is not None
    assert included.inclusion == journal.Inclusion.INCLUDED
    assert conflicting.inclusion == journal.Inclusion.CONFLICTING
    assert conflicting.conflict_reason == Conflict.INPUT_ALREADY_SPENT_IN_THIS_MILESTONE
    assert plain.inclusion == journal.Inclusion.NO_TRANSACTION
    node.audit()
    node.refresh_tips()
    late = block_on(node.reading.tips(), two.payload)
    attach(node, late)
    node.issue_milestone(T0 + 2)
    row = metadata(node, late)
    assert row is not None
    assert row.conflict_reason == Conflict.INPUT_ALREADY_SPENT
    assert not node.has_news()
    audit(node.engine)


def test_timestamps_of_milestones_always_grow(node: Alone) -> None:
    stamps = [node.issue_milestone(T0 - 50).timestamp for _ in range(3)]
    assert stamps == [T0 + 1, T0 + 2, T0 + 3]


def test_left_behind_tips_are_brought_in(node: Alone) -> None:
    tips = node.reading.tips()
    blocks = [block_on(tips, note(str(number))) for number in range(60)]
    attach(node, *blocks)
    node.issue_milestone(T0 + 1)
    asked = []

    def search(data: bytes, score: int) -> int:
        asked.append(score)
        return 0

    node.issue_milestone(T0 + 2, search)
    assert asked == [PARAMETERS.min_pow_score] * len(asked)
    assert asked
    node.issue_milestone(T0 + 3, search)
    assert all(metadata(node, block) for block in blocks)


def test_old_parents_are_refused(node: Alone) -> None:
    lazy = block_on(node.reading.tips(), note("lazy"))
    seen = block_on(node.reading.tips(), note("seen"))
    attach(node, seen)
    for step in range(1, 3):
        node.issue_milestone(T0 + step)
    attach(node, lazy)
    for step in range(PARAMETERS.below_max_depth * 3):
        node.issue_milestone(T0 + 10 + step)
    count = stored(node)
    assert not node.reading.in_window(node.number_of(seen.id))
    for parent in (seen.id, NO_ID):
        answer = attach(node, block_on([parent, *node.reading.tips()], note("too late")))[0]
        assert isinstance(answer, BelowMaxDepth)
        assert answer.block_id == parent
    assert attach(node, seen) == [Receipt(seen.id, Outcome.KNOWN)]
    assert stored(node) == count


def test_unapproved_block_sinks_below_max_depth(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    coordinator = open_node(tmp_path / "other.db")
    block = block_on(node.reading.tips(), note("alone"))
    attach(node, block)
    for step in range(PARAMETERS.below_max_depth + 2):
        essence = coordinator.issue_milestone(T0 + 1 + step)
        _hand_over(coordinator, node, essence.index)
    assert node.reading.advice(node.number_of(block.id)) == (False, True)
    assert block.id not in node.reading.tips(8)
    child = block_on([block.id, *node.reading.tips()])
    assert isinstance(attach(node, child)[0], BelowMaxDepth)


def _hand_over(source: Alone, target: Alone, index: int) -> None:
    """Give `target` the milestone `index` of `source`, and the block that carries it."""
    with source.engine.connect() as connection:
        milestone = queries.milestone_by_index(connection, index)
        assert milestone is not None
        blocks = [row for row, _ in journal.replay(connection, milestone.block_number)]
    answers = attach(target, Block.decode(blocks[0].data))
    assert isinstance(answers[0], Receipt), answers


def test_promote_before_reattach(node: Alone, tmp_path: Path) -> None:
    other = open_node(tmp_path / "other.db")
    block = block_on(node.reading.tips(), note("alone"))
    attach(node, block)
    advice = []
    for step in range(PARAMETERS.below_max_depth + 2):
        _hand_over(other, node, other.issue_milestone(T0 + 1 + step).index)
        advice.append(node.reading.advice(node.number_of(block.id)))
    assert advice[0] == (False, False)
    assert advice[4] == (True, False)
    assert advice[-1] == (False, True)


def test_promotion_helps_as_long_as_it_is_advised(node: Alone, tmp_path: Path) -> None:
    other = open_node(tmp_path / "other.db")
    block = block_on(node.reading.tips(), note("alone"))
    attach(node, block)
    seen = []
    for step in range(PARAMETERS.below_max_depth):
        _hand_over(other, node, other.issue_milestone(T0 + 1 + step).index)
        other.refresh_tips()
        promotion = block_on([block.id, *other.reading.tips()], note(f"promotes {step}"))
        assert attach(node, promotion) == [Receipt(promotion.id, Outcome.ATTACHED)]
        still = node.still()
        index = still.index_of(node.number_of(promotion.id))
        assert index is not None
        seen.append((still.state_of(index), *node.reading.advice(node.number_of(block.id))))
    assert seen[-1] == ("semiLazy", False, True)
    assert all((state == "semiLazy") == reattach for state, _, reattach in seen)
    assert [promote for _, promote, _ in seen] == [False] * 4 + [True] * 10 + [False]


def test_follower_reaches_the_same_state(node: Alone, tmp_path: Path) -> None:
    follower = open_node(tmp_path / "follower.db")
    coin = genesis_coin()
    attach(node, block_on(node.reading.tips(), spend([coin], [BasicOutput.to(ALICE.address, coin.output.amount)])))
    for step in range(4):
        attach(node, *(block_on(node.reading.tips(), note(f"{step} {number}")) for number in range(9)))
        node.refresh_tips()
        node.issue_milestone(T0 + 1 + step)
    with node.engine.connect() as connection:
        blocks = [Block.decode(row.data) for row, _ in journal.replay(connection)]
    assert all(isinstance(answer, Receipt) for answer in attach(follower, *reversed(blocks)))
    assert follower.reading.milestone == node.reading.milestone
    assert audit(follower.engine) == audit(node.engine)


@pytest.mark.parametrize(
    "field", ["inclusion_root", "applied_root", "previous_id", "timestamp", "index", "parents"]
)
def test_wrong_milestones_are_refused(node: Alone, tmp_path: Path, field: str) -> None:
    other = open_node(tmp_path / "other.db")
    first = block_on(node.reading.tips(), note("x"))
    attach(node, first)
    attach(other, first)
    essence = other.issue_milestone(T0 + 1)
    changes: dict[str, Any] = {
        "inclusion_root": bytes(32),
        "applied_root": bytes(32),
        "previous_id": bytes(32),
        "timestamp": T0,
        "index": 3,
        "parents": (NO_ID,),
    }
    wrong = replace(essence, **{field: changes[field]})
    before = stored(node)
    answer = attach(node, Block(wrong.parents, sign_milestone(wrong, [COORDINATOR.seed])))[0]
    assert isinstance(answer, MilestoneOutOfOrder if field == "index" else MilestoneInvalid)
    assert stored(node) == before
    assert node.reading.milestone.index == 1
    right = Block(essence.parents, sign_milestone(essence, [COORDINATOR.seed]))
    assert attach(node, right) == [Receipt(right.id, Outcome.ATTACHED)]
    assert isinstance(right.payload, Milestone)


def test_confidence_rises_to_certainty(node: Alone) -> None:
    block = block_on(node.reading.tips(), note("watched"))
    attach(node, block)
    assert node.reading.confidence(node.number_of(block.id), None) == (0, 0)
    parent = block.id
    for number in range(30):
        child = block_on([parent, *node.reading.tips(1)], note(str(number)))
        attach(node, child)
        parent = child.id
    node.sample_confidence()
    assert node.reading.confidence(node.number_of(block.id), None) == (400, 400)
    before_the_window = -1
    assert node.reading.confidence(before_the_window, None) == (0, 400)
    assert node.reading.confidence(before_the_window, 1) == (400, 400)
