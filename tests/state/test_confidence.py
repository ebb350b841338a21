"""Crossings are told once, upwards, and survive a moving window and a restart."""

import numpy as np

from tangle.state.confidence import ConfidenceBoard, Crossing, Sample


def sample(low: int, *hits: int) -> Sample:
    return Sample(low, np.arange(low, low + len(hits)) + 10, np.array(hits, np.int32), 100)


def test_each_threshold_is_told_once() -> None:
    board = ConfidenceBoard([0.5, 0.95])
    assert board.update(sample(0, 49, 50, 95)) == [
        Crossing(1, 500, 50, 100),
        Crossing(2, 500, 95, 100),
        Crossing(2, 950, 95, 100),
    ]
    assert board.update(sample(0, 60, 10, 100)) == [Crossing(0, 500, 60, 100)]
    assert board.update(sample(0, 49, 50, 95)) == []


def test_window_moves_under_the_board() -> None:
    board = ConfidenceBoard([0.5])
    board.update(sample(0, 100, 0, 60, 0))
    assert board.update(sample(2, 60, 70, 80)) == [Crossing(3, 500, 70, 100), Crossing(4, 500, 80, 100)]
    assert board.sample.of(14) == (80, 100)
    assert board.sample.of(15) == (0, 0)
    assert board.sample.of(11) == (0, 0)


def test_restored_crossings_are_not_told_again() -> None:
    board = ConfidenceBoard([0.5, 0.95])
    board.restore([(3, 500), (4, 500), (4, 950)])
    assert board.update(sample(2, 100, 96, 97)) == [
        Crossing(2, 500, 100, 100),
        Crossing(2, 950, 100, 100),
        Crossing(3, 950, 96, 100),
    ]
