"""Every selector keeps the one promise, is known by name, and does what its paper says."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tangle.tipselect import eiota, giota, hybrid, lazy, reference, selectors, uniform, walk
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tests.tipselect.statistic import chi_square, unlikely_above
from tests.tries import drawn, each


@drawn
@pytest.mark.parametrize("name", selectors.SELECTORS)
@each("block", range(4))
def test_selections_are_distinct_tips_as_many_as_there_are(name: str, block: int) -> None:
    select = selectors.named(name, **({"age": 5} if name == "g-iota" else {}))
    for seed in range(25 * block, 25 * block + 25):
        rng = np.random.default_rng(seed)
        graph = reference.random_graph(rng, int(rng.integers(1, 60)), forbidden=0.1, outside=0.1, poor=0.1)
        graph.drop_before(int(rng.integers(0, len(graph) // 2 + 1)))
        tips = reference.tips(reference.tangle_of(graph))
        for k in (1, 2, 3, 8):
            selected = select(graph, k, np.random.default_rng(seed))
            assert selected.dtype == np.int64, f"seed {seed}"
            assert len(set(selected.tolist())) == selected.size == min(k, len(tips)), f"seed {seed}"
            assert set(selected.tolist()) <= set(tips), f"seed {seed}"
            again = select(graph, k, np.random.default_rng(seed))
            assert selected.tolist() == again.tolist(), f"seed {seed}"


@pytest.mark.parametrize("name", selectors.SELECTORS)
def test_no_tip_no_selection(name: str) -> None:
    select = selectors.named(name)
    graph = Graph()
    assert select(graph, 2, np.random.default_rng(0)).size == 0
    graph.append([])
    graph.forbid(0)
    assert select(graph, 2, np.random.default_rng(0)).size == 0
    with pytest.raises(BadSetting, match="k: "):
        select(graph, 0, np.random.default_rng(0))


def test_settings_are_bound_by_name() -> None:
    graph = reference.grown_graph(np.random.default_rng(1), 2_000, delay=20)
    select = selectors.named("weighted", alpha=0.5, entry=[10])
    bound = select(graph, 2, np.random.default_rng(3))
    assert bound.tolist() == walk.select(graph, 2, np.random.default_rng(3), alpha=0.5, entry=[10]).tolist()
    for name in selectors.SELECTORS:
        taken = selectors.accepted(name)
        assert ("alpha" in taken) == (name in {"weighted", "g-iota", "hybrid"})
        assert ("entry" in taken) == (name != "uniform")


@pytest.mark.parametrize(
    ("argument", "words", "name", "settings"),
    [
        ("selector", "'best' is none of weighted, unweighted, uniform", "best", {}),
        ("colour", "no setting of the selector 'uniform'; it takes none", "uniform", {"colour": 1}),
        ("alpha", "it takes entry, entry_depth", "unweighted", {"alpha": 1}),
    ],
)
def test_unknown_names_are_told(argument: str, words: str, name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(BadSetting, match=words) as caught:
        selectors.named(name, **settings)
    assert caught.value.field == argument


@pytest.mark.parametrize(
    ("argument", "name", "settings"),
    [
        ("age", "g-iota", {"age": 0}),
        ("alpha", "hybrid", {"alpha": -1}),
        ("alpha", "hybrid", {"swipe_alpha": -1}),
        ("low_share", "e-iota", {"zero_share": 0.8, "low_share": 0.3}),
        ("low_share", "e-iota", {"zero_share": -0.1}),
        ("low_alpha", "e-iota", {"low_alpha": -0.1}),
        ("high_alpha", "e-iota", {"low_alpha": 0.2, "high_alpha": 0.1}),
        ("entry_depth", "unweighted", {"entry_depth": -1}),
    ],
)
def test_settings_out_of_range_are_named(argument: str, name: str, settings: dict[str, Any]) -> None:
    graph = reference.random_graph(np.random.default_rng(0), 50)
    with pytest.raises(BadSetting) as caught:
        selectors.named(name, **settings)(graph, 3, np.random.default_rng(0))
    assert caught.value.field == argument


def test_unweighted_is_the_walk_with_alpha_zero() -> None:
    graph = reference.grown_graph(np.random.default_rng(1), 1_000, delay=20)
    for seed in range(20):
        weighted = walk.select(graph, 3, np.random.default_rng(seed), alpha=0.0, entry_depth=200)
        plain = walk.unweighted(graph, 3, np.random.default_rng(seed), entry_depth=200)
        assert plain.tolist() == weighted.tolist()


def grown_with_left_behind() -> tuple[Graph, set[int]]:
    """A Tangle with 5 tips that 200 blocks left behind."""
    rng = np.random.default_rng(8)
    graph = reference.grown_graph(rng, 600, delay=10)
    behind = {graph.append([int(x)]) for x in rng.choice(np.arange(500, 590), 5, replace=False)}
    while graph.high < 805:
        tips = np.setdiff1d(graph.tips, list(behind))
        graph.append(rng.permutation(tips)[:2].tolist() if graph.high % 3 else [int(tips[-1])])
    return graph, behind


def test_g_iota_gives_one_approval_to_a_tip_left_behind() -> None:
    graph, behind = grown_with_left_behind()
    third = Counter[int]()
    n = 500
    for seed in range(n):
        selected = giota.select(graph, 3, np.random.default_rng(seed), alpha=2.0, entry=[300], age=200)
        walked = walk.select(graph, 3, np.random.default_rng(seed), alpha=2.0, entry=[300])
        assert selected[:2].tolist() == walked[:2].tolist()
        third[int(selected[2])] += 1
        one = giota.select(graph, 1, np.random.default_rng(seed), entry=[300], age=200)
        assert one.tolist() == walk.select(graph, 1, np.random.default_rng(seed), entry=[300]).tolist()
    assert set(third) == behind
    assert min(third.values()) > n / 10
    none_old = giota.select(graph, 3, np.random.default_rng(0), alpha=2.0, entry=[300], age=10_000)
    assert none_old.tolist() == walk.select(graph, 3, np.random.default_rng(0), alpha=2.0, entry=[300]).tolist()


def test_g_iota_leaves_fewer_behind() -> None:
    """The claim of the paper, on a Tangle grown by either selector with a great alpha."""
    left = {}
    for name in ("weighted", "g-iota"):
        rng = np.random.default_rng(5)
        select = selectors.named(name, alpha=1.0, entry_depth=100, **({"age": 60} if name == "g-iota" else {}))
        graph = Graph()
        graph.append([])
        for _ in range(150):
            wave = [select(graph, 3, rng).tolist() for _ in range(10)]
            for parents in wave:
                graph.append(parents)
        left[name] = int(np.count_nonzero(graph.tips < graph.high - 200))
    assert left["g-iota"] < 0.5 * left["weighted"]


def test_e_iota_draws_its_alpha_by_the_shares() -> None:
    rng = np.random.default_rng(6)
    n = 4_000
    alphas = [
        eiota.draw_alpha(rng, zero_share=0.2, low_share=0.3, low_alpha=0.01, high_alpha=3.0) for _ in range(n)
    ]
    codes = Counter([0.0, 0.01, 3.0].index(alpha) for alpha in alphas)
    statistic, freedom = chi_square(codes, {0: 0.2, 1: 0.3, 2: 0.5}, n)
    assert freedom == 2
    assert statistic < unlikely_above(freedom)


def test_e_iota_walks_with_the_alpha_drawn() -> None:
    graph = reference.grown_graph(np.random.default_rng(1), 1_000, delay=20)
    seen = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        alpha = eiota.draw_alpha(rng)
        expected = walk.select(graph, 2, rng, alpha=alpha, entry_depth=200)
        assert eiota.select(graph, 2, np.random.default_rng(seed), entry_depth=200).tolist() == expected.tolist()
        seen.add(alpha)
    assert seen == {0.0, eiota.LOW_ALPHA, eiota.HIGH_ALPHA}


def test_hybrid_takes_safe_tips_first_and_any_tip_then() -> None:
    graph, behind = grown_with_left_behind()
    swept = Counter[int]()
    n = 3_000
    for seed in range(n):
        pair = hybrid.select(graph, 2, np.random.default_rng(seed), alpha=5.0, entry=[300])
        safe = walk.select(graph, 1, np.random.default_rng(seed), alpha=5.0, entry=[300])
        assert pair[0] == safe[0]
        swept[int(pair[1])] += 1
    # The heaviest way leads to one tip, which therefore is never swept up; all others are as likely.
    others = np.setdiff1d(graph.tips, safe).tolist()
    assert behind <= set(others)
    statistic, freedom = chi_square(swept, dict.fromkeys(others, 1 / len(others)), n)
    assert statistic < unlikely_above(freedom)


def test_hybrid_can_sweep_with_a_low_alpha() -> None:
    graph, _ = grown_with_left_behind()
    swept = Counter[int]()
    for seed in range(300):
        pair = hybrid.select(graph, 2, np.random.default_rng(seed), alpha=5.0, swipe_alpha=0.001, entry=[300])
        swept[int(pair[1])] += 1
    assert set(swept) <= set(graph.tips.tolist())
    assert len(swept) > 3
    with_five = hybrid.select(graph, 5, np.random.default_rng(0), alpha=5.0, swipe_alpha=0.001, entry=[300])
    safe = walk.select(graph, 3, np.random.default_rng(0), alpha=5.0, entry=[300])
    assert with_five[:3].tolist() == safe.tolist()


def test_nobody_selects_what_is_barred() -> None:
    rng = np.random.default_rng(9)
    graph = reference.grown_graph(rng, 500, delay=10)
    good = graph.tips.tolist()
    poor = [graph.append([int(x)]) for x in rng.integers(300, 500, 200)]
    graph.forbid_many(poor[:100])
    graph.rate(rng.integers(lazy.LAZY, lazy.NON_LAZY, 100).astype(np.int8), poor[100])
    assert graph.tips.tolist() == good
    for name in selectors.SELECTORS:
        for seed in range(20):
            assert set(selectors.named(name)(graph, 8, np.random.default_rng(seed)).tolist()) <= set(good)
    assert sorted(uniform.select(graph, 999, rng).tolist()) == good
