"""The declared scenarios: each one loads, is named after its file, says what is to be seen, and runs."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from tangle import sim
from tangle.sim import contest

FOLDER = Path(sim.__file__).parent / "scenarios"
NAMES = {
    "double-spend-race", "high-load", "lazy-tips", "low-load", "network-split-merge", "own-weights",
    "parasite-chain", "ramp-up-down", "selfish-agents", "several-agents", "splitting-attack", "steady-state",
    "tip-spam",
}  # fmt: skip


def declared(name: str) -> sim.Scenario:
    return sim.Scenario.from_table(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")))


def test_all_scenarios_are_there_and_say_what_is_to_be_seen() -> None:
    files = sorted(FOLDER.glob("*.toml"))
    assert {file.stem for file in files} == NAMES
    for file in files:
        assert file.read_text("utf-8").startswith("# "), file


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_declared_scenario_runs(name: str) -> None:
    scenario = declared(name)
    assert scenario.name == name
    assert sim.Scenario.from_table(scenario.to_table()) == scenario
    result = sim.run(scenario)
    assert result.blocks == scenario.blocks
    found = contest.outcome(result)
    assert ("attack_success" in found) == (scenario.adversary is not None)
    if scenario.adversary is not None:
        assert (~result.honest).sum() > 0.05 * result.blocks


def mean_tips(result: sim.Result, start: float, end: float) -> float:
    return float(result.tips[(result.times >= start) & (result.times < end)].mean())


def test_what_the_files_promise_is_to_be_seen() -> None:
    steady = sim.run(declared("steady-state"))
    assert mean_tips(steady, 50, steady.end) == pytest.approx(200, rel=0.03)
    low = sim.run(declared("low-load"))
    assert ((low.parents >= 0).sum(axis=1) == 1).mean() > 0.9
    ramp = sim.run(declared("ramp-up-down"))
    before, above, after = mean_tips(ramp, 10, 30), mean_tips(ramp, 70, 90), mean_tips(ramp, 130, 150)
    assert above > 8 * before
    assert after < 2 * before
    split = sim.run(declared("network-split-merge"))
    torn = np.flatnonzero((split.times > 41) & (split.times < 60))
    # Nothing crosses: from one delay after the split on, parents issued in it are of the block's own half.
    parents = split.parents[torn]
    mates = (parents < 0) | (split.times[parents] < 40) | (split.issuers[parents] == split.issuers[torn][:, None])
    assert mates.all()
    weights = sim.run(declared("own-weights"))
    assert weights.own_weights.mean() == pytest.approx(1.8, rel=0.05)


def test_greedy_agents_wait_longer_once_they_are_many() -> None:
    """Popov, Saa, Finardi 2019: they compete for the same walks. Seeds 1 and 2, a fifth of the blocks."""
    for seed in (1, 2):
        honest, selfish = contest.costs(sim.run(declared("selfish-agents").but(seed=seed)), warmup=10.0)
        assert honest["name"] == "honest"
        assert float(selfish["wait"]) > float(honest["wait"])
