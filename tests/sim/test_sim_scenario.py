"""Scenarios: what cannot be is named with its field, what can be survives a table, files and Python agree."""

import json
import math
import tomllib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.sim import Adversary, Agent, Scenario, Split
from tangle.sim.errors import BadScenario
from tangle.sim.tables import named_function, plain
from tangle.tipselect import uniform


def drawn_agents() -> st.SearchStrategy[tuple[Agent, ...]]:
    agent = st.builds(
        Agent,
        name=st.sampled_from(["", "north", "machine 7"]),
        share=st.floats(0.1, 5),
        selector=st.sampled_from([None, "uniform", "weighted"]),
    )
    return st.lists(agent, min_size=1, max_size=4).map(tuple)


@given(
    agents=st.one_of(st.integers(1, 5), drawn_agents()),
    arrivals=st.one_of(st.floats(0.1, 1e4), st.just(((0.0, 1.0), (5.0, 20.0), (5.0, 3.0)))),
    parents=st.integers(1, 8),
    spread=st.sampled_from(["fixed", "uniform", "exponential"]),
    own_weights=st.sampled_from([((1, 1.0),), ((1, 0.5), (9, 0.5))]),
    splits=st.sampled_from([(), (Split(start=1.0, end=2.5, groups=((0,),)),)]),
    alpha=st.sampled_from([None, 0.0, 0.5]),
)
def test_a_scenario_survives_tables_and_json(**fields: Any) -> None:
    scenario = Scenario(**fields)
    table = scenario.to_table()
    assert Scenario.from_table(table) == scenario
    assert Scenario.from_table(json.loads(json.dumps(table))) == scenario


def test_a_file_says_the_same_as_python() -> None:
    text = """
        arrivals = 20
        parents = 3
        selector = "g-iota"
        settings = {age = 50}
        alpha = 0.01
        blocks = 500
        agents = [{name = "one", share = 3.0}, {selector = "uniform"}]
        delays = [[0, 1.5], [1.5, 0]]
        adversary = {attack = "double-spend", share = 0.25, start = 4}
        [[splits]]
        start = 2
        end = 3
        groups = [[0], [1]]
    """
    assert Scenario.from_table(tomllib.loads(text)) == Scenario(
        arrivals=20.0, parents=3, selector="g-iota", settings={"age": 50}, alpha=0.01, blocks=500,
        agents=(Agent(name="one", share=3.0), Agent(selector="uniform")), delays=((0.0, 1.5), (1.5, 0.0)),
        adversary=Adversary(attack="double-spend", share=0.25, start=4),
        splits=(Split(start=2, end=3, groups=((0,), (1,))),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "words", "given"),
    [
        ("arrivals", "greater than 0", {"arrivals": 0.0}),
        ("arrivals", "number of at least 0", {"arrivals": -1.0}),
        ("arrivals", "number of at least 0", {"arrivals": math.nan}),
        ("arrivals", "a list is needed", {"arrivals": "many"}),
        ("arrivals", "in the order of time", {"arrivals": ((3.0, 1.0), (2.0, 1.0))}),
        ("arrivals[0]", "pairs of numbers", {"arrivals": ((3.0,),)}),
        ("arrivals", "at least one corner", {"arrivals": ()}),
        ("delay", "number of at least 0", {"delay": -0.1}),
        ("delay", "number of at least 0", {"delay": math.inf}),
        ("own_delay", "number of at least 0", {"own_delay": -1.0}),
        ("spread", "'wide' is none of fixed, uniform, exponential", {"spread": "wide"}),
        ("entries", "'old' is none of settled, any", {"entries": "old"}),
        ("process", "'bursts' is none of poisson, fixed", {"process": "bursts"}),
        ("parents", "from 1 to 8", {"parents": 9}),
        ("parents", "from 1 to 8", {"parents": 2.0}),
        ("blocks", "from 1 to", {"blocks": 0}),
        ("seed", "from 0 to", {"seed": -1}),
        ("window", "at least 4 entry depths of 100", {"window": 399, "entry_depth": 100}),
        ("entry_depth", "from 1 to", {"entry_depth": 0}),
        ("selector", "'best' is none of weighted", {"selector": "best"}),
        ("selector", "cannot be imported", {"selector": "nowhere:select"}),
        ("selector", "no function", {"selector": "math:pi"}),
        ("alpha", "it takes none", {"selector": "uniform", "alpha": 0.1}),
        ("alpha", "at least 0", {"alpha": -0.1}),
        ("colour", "no setting of the selector 'weighted'", {"settings": {"colour": 3}}),
        ("age", "at least 1", {"selector": "g-iota", "settings": {"age": 0}}),
        ("settings", "a table is needed", {"settings": 3}),
        ("walkers_per_tip", "a number is needed, not 'many'", {"settings": {"walkers_per_tip": "many"}}),
        ("alpha", "a number is needed", {"alpha": "small"}),
        ("selector", "a name or a function", {"selector": 3}),
        ("name", "a text is needed", {"name": 3}),
        ("agents", "from 1 to", {"agents": ()}),
        ("agents", "from 1 to", {"agents": 0}),
        ("agents", "share is greater than 0", {"agents": (Agent(share=0.0),)}),
        ("agents[1].share", "at least 0", {"agents": (Agent(), Agent(share=-1.0))}),
        ("agents[0].alpha", "it takes none", {"agents": (Agent(selector="uniform", alpha=1.0),)}),
        ("delays", "2 rows of 2", {"agents": 2, "delays": ((0.0, 1.0),)}),
        ("delays[0][0]", "at least 0", {"delays": ((-1.0,),)}),
        ("own_weights", "add up to 1", {"own_weights": ((1, 0.5),)}),
        ("own_weights[0][0]", "a whole number", {"own_weights": ((1.5, 1.0),)}),
        ("own_weights[0][0]", "from 1 to", {"own_weights": ((0, 1.0),)}),
        ("own_weights", "at least one", {"own_weights": ()}),
        ("splits[0].end", "at least 5", {"splits": (Split(start=5.0, end=4.0, groups=()),)}),
        ("splits[0].groups", "from 0 to 0", {"splits": (Split(start=5.0, end=6.0, groups=((1,),)),)}),
        ("splits[0].groups", "one group at most", {"splits": (Split(start=5, end=6, groups=((0,), (0,))),)}),
        ("adversary.share", "less than 1", {"adversary": Adversary(attack="double-spend", share=1.0)}),
        ("adversary.attack", "is none of", {"adversary": Adversary(attack="bribe", share=0.1)}),
        ("adversary.end", "not before", {"adversary": Adversary(attack="tip-spam", share=0.1, start=2, end=1)}),
    ],
)
def test_what_cannot_be_is_named(field: str, words: str, given: dict[str, Any]) -> None:
    with pytest.raises(BadScenario, match=words) as caught:
        Scenario(**given)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "words", "table"),
    [
        ("arivals", "no field of a scenario", {"arivals": 3}),
        ("agents[0].colour", "unknown; there are name", {"agents": [{"colour": 1}]}),
        ("agents[0]", "a table is needed", {"agents": [3]}),
        ("splits[0].groups", "missing", {"splits": [{"start": 1, "end": 2}]}),
        ("splits", "a list is needed", {"splits": 3}),
        ("adversary.share", "missing", {"adversary": {"attack": "double-spend"}}),
    ],
)
def test_tables_that_cannot_be_are_named(field: str, words: str, table: dict[str, Any]) -> None:
    with pytest.raises(BadScenario, match=words) as caught:
        Scenario.from_table(table)
    assert caught.value.field == field


def test_agents_take_settings_of_their_own_or_the_scenarios() -> None:
    scenario = Scenario(
        selector="weighted", alpha=0.3, settings={"walkers_per_tip": 2},
        agents=(Agent(), Agent(alpha=0.7), Agent(selector="uniform"), Agent(settings={})),
    )  # fmt: skip
    chosen = [scenario.selector_of(agent) for agent in scenario.agents]  # type: ignore[union-attr]
    assert chosen == [
        ("weighted", {"walkers_per_tip": 2, "alpha": 0.3}),
        ("weighted", {"walkers_per_tip": 2, "alpha": 0.7}),
        ("uniform", {}),
        ("weighted", {"alpha": 0.3}),
    ]


def test_functions_have_names_in_tables() -> None:
    scenario = Scenario(selector=uniform.select)
    assert scenario.to_table()["selector"] == "tangle.tipselect.uniform:select"
    assert named_function("tangle.tipselect.uniform:select", "selector") is uniform.select
    assert Scenario.from_table(scenario.to_table()).selector == "tangle.tipselect.uniform:select"
    assert plain(np.linspace).endswith(":linspace")
    # What earlier versions kept on disk, when the rooms lay beside `tangle`.
    assert named_function("tipselect.uniform:select", "selector") is uniform.select


def test_depth_and_window_follow_the_load() -> None:
    scenario = Scenario(arrivals=((0.0, 10.0), (5.0, 50.0)), delay=2.0)
    assert (scenario.load, scenario.depth, scenario.window_blocks) == (100.0, 1_600, 9_600)
    assert Scenario(arrivals=0.1).depth == 20
    assert Scenario(agents=2, delays=((0.0, 3.0), (1.0, 0.0)), arrivals=1.0).load == 3.0
