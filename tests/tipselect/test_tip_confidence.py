"""Confidence counts equal their networkx twin; Wilson's interval has the published values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.tipselect import confidence, reference, walk
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tests.tries import each, tries


@each("seed", range(tries(200)))
def test_hits_equal_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = reference.random_graph(rng, int(rng.integers(1, 60)), forbidden=0.1, outside=0.1, poor=0.1)
    graph.drop_before(int(rng.integers(0, len(graph))))
    n = int(rng.choice([1, 5, 63, 64, 65, 130]))
    found = confidence.hits(graph, n, np.random.default_rng(seed), alpha=0.1)
    ends = walk.walks(graph, n, np.random.default_rng(seed), alpha=0.1)[1]
    expected = reference.hits(reference.tangle_of(graph), ends.tolist())
    assert found.dtype == np.int32
    assert dict(enumerate(found.tolist(), graph.low)) == expected


def test_hits_are_reproducible_and_whole_below_the_entry() -> None:
    graph = reference.random_graph(np.random.default_rng(1), 300)
    one = confidence.hits(graph, 1_000, np.random.default_rng(7), entry=[100])
    assert np.array_equal(one, confidence.hits(graph, 1_000, np.random.default_rng(7), entry=[100]))
    assert (one[graph.past_cone(100)] == 1_000).all()
    assert one[graph.tips].sum() == 1_000


def test_hits_without_tips_are_zero() -> None:
    graph = Graph()
    graph.append([])
    graph.forbid(0)
    assert confidence.hits(graph, 10, np.random.default_rng(0)).tolist() == [0]
    with pytest.raises(BadSetting, match="n: "):
        confidence.hits(graph, 0, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("m", "n", "z", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 1.96, 0.2553, 0.3662),
        (15, 148, 1.96, 0.0624, 0.1605),
        (0, 20, 1.96, 0.0000, 0.1611),
        (1, 29, 1.96, 0.0061, 0.1718),
    ],
)
def test_wilson_against_published_values(m: int, n: int, z: float, low: float, high: float) -> None:
    assert confidence.wilson(m, n, z) == pytest.approx((low, high), abs=5e-5)


@given(n=st.integers(1, 10_000), share=st.floats(0, 1), z=st.floats(0.1, 5))
def test_wilson_holds_the_share_and_is_symmetric(n: int, share: float, z: float) -> None:
    m = round(n * share)
    low, high = confidence.wilson(m, n, z)
    assert 0 <= low <= m / n <= high <= 1
    mirrored = confidence.wilson(n - m, n, z)
    assert (low, high) == pytest.approx((1 - mirrored[1], 1 - mirrored[0]), abs=1e-12)


@pytest.mark.parametrize(
    ("argument", "m", "n", "z"),
    [("n", 0, 0, 1.0), ("m", 3, 2, 1.0), ("m", -1, 2, 1.0), ("z", 1, 2, 0.0), ("z", 1, 2, math.nan)],
)
def test_wilson_names_what_is_wrong(argument: str, m: int, n: int, z: float) -> None:
    with pytest.raises(BadSetting) as caught:
        confidence.wilson(m, n, z)
    assert caught.value.field == argument
