"""Small scenarios, drawn."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tangle.sim import Adversary, Agent, Scenario, Split

SELECTORS = ("weighted", "unweighted", "uniform", "g-iota", "e-iota", "hybrid", "tests.sim.measured:oldest")


@st.composite
def scenarios(draw: st.DrawFn, blocks_max: int = 300) -> Scenario:
    """Every field of a scenario, with few blocks."""
    shares = draw(st.lists(st.floats(0.1, 5), min_size=1, max_size=3))
    fields: dict[str, Any] = {
        "name": draw(st.sampled_from(["", "drawn", "ein Wort: ü"])),
        "arrivals": draw(st.sampled_from([0.1, 5.0, 20, ((0, 2.0), (5, 30.0), (5, 1.0))])),
        "process": draw(st.sampled_from(["poisson", "fixed"])),
        "delay": draw(st.sampled_from([0, 0.5, 1.0])),
        "spread": draw(st.sampled_from(["fixed", "uniform", "exponential"])),
        "own_delay": draw(st.sampled_from([None, 0.0])),
        "parents": draw(st.integers(1, 8)),
        "selector": draw(st.sampled_from(SELECTORS)),
        "blocks": draw(st.integers(1, blocks_max)),
        "agents": draw(st.sampled_from([1, 2, tuple(Agent(name=str(i), share=x) for i, x in enumerate(shares))])),
        "own_weights": draw(st.sampled_from([((1, 1.0),), ((1, 0.75), (9, 0.25))])),
        "seed": draw(st.integers(0, 2**63 - 1)),
    }
    if fields["selector"] == "weighted":
        fields["alpha"] = draw(st.sampled_from([None, 0.0, 0.5]))
        fields["settings"] = draw(st.sampled_from([{}, {"walkers_per_tip": 2}]))
    if draw(st.booleans()):
        fields["splits"] = (Split(start=1, end=draw(st.floats(1, 9)), groups=((0,),)),)
    if draw(st.booleans()):
        settings: dict[str, Any] = draw(st.sampled_from([{}, {"kept": 2}, {"ever": False}]))
        fields["adversary"] = Adversary(
            attack="tests.sim.measured:withholder", share=draw(st.floats(0, 0.6)), start=0.5, settings=settings
        )
    return Scenario(**fields)
