"""Scenario files, their names, and fields given as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tangle import sim
from tangle.sim import files, tables
from tangle.sim.errors import BadScenario

FILE = """
# A chain in the dark.
arrivals = 20
selector = "weighted"
alpha = 0.01
blocks = 500
agents = [{ share = 1 }, { share = 3.0, selector = "uniform" }]

[settings]
walkers_per_tip = 2

[[splits]]
start = 3
end = 5.5
groups = [[0], [1]]

[adversary]
attack = "tests.sim.measured:withholder"
share = 0.25

[adversary.settings]
kept = 4

[sweep]
repeats = 3
grid = { "adversary.share" = [0.1, 0.2], alpha = [0, 1] }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dark-chain.toml"
    path.write_text(FILE)
    return path


def test_a_file_is_a_scenario(path: Path) -> None:
    scenario = files.load_scenario(path)
    assert scenario == sim.Scenario(
        name="dark-chain", arrivals=20.0, alpha=0.01, blocks=500, settings={"walkers_per_tip": 2},
        agents=(sim.Agent(share=1), sim.Agent(share=3.0, selector="uniform")),
        splits=(sim.Split(start=3, end=5.5, groups=((0,), (1,))),),
        adversary=sim.Adversary(attack="tests.sim.measured:withholder", share=0.25, settings={"kept": 4}),
    )  # fmt: skip
    assert files.load_scenario(str(path)) == scenario
    grid = files.sweep_of(files.read(path), path)
    assert (list(grid.grid.items()), grid.repeats) == ([("adversary.share", [0.1, 0.2]), ("alpha", [0, 1])], 3)
    assert [each.title for each in files.declared(path.parent)] == ["A chain in the dark."]


def test_changes_come_before_the_check(path: Path) -> None:
    changes = {"adversary.share": 0.5, "agents.1.share": 7, "settings.walkers_per_tip": 1, "name": "other"}
    scenario = files.load_scenario(path, changes)
    assert scenario.adversary
    assert scenario.adversary.share == 0.5
    assert scenario.everybody[1].share == 7
    assert scenario.settings == {"walkers_per_tip": 1}
    assert files.load_scenario(path).adversary == sim.Adversary(
        attack="tests.sim.measured:withholder", share=0.25, settings={"kept": 4}
    )


@pytest.mark.parametrize("name", [each.name for each in files.declared()])
def test_declared_scenarios_load_and_say_what_they_are(name: str) -> None:
    assert files.load_scenario(name).name == name
    found = {each.name: each for each in files.declared()}[name]
    assert found.title


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        ("alpha = ", "", "not TOML: Invalid value (at end of document)"),
        ("alpha = -1", ": alpha", "at least"),
        ("colour = 'red'", ": colour", "no field of a scenario"),
        ("blocks = 'many'", ": blocks", "whole number"),
        ("[adversary]\nshare = 0.1", ": adversary.attack", "missing"),
        ("[adversary]\nattack = 'no:where'\nshare = 0.1", ": adversary.attack", "imported"),
        ("agents = [{ name = 'a' }, { power = 3 }]", ": agents[1].power", "unknown"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_field(text: str, field: str, rule: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(BadScenario) as error:
        files.load_scenario(path)
    assert error.value.field == f"{path}{field}"
    assert rule in error.value.rule


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("sweep = 3", ""),
        ("[sweep]\ngrid = 3", ".grid"),
        ("[sweep.grid]\nalpha = 3", ".grid"),
        ("[sweep.grid]\nadversary.share = [3]", ".grid"),
        ("[sweep]\nrepeats = 0", ".repeats"),
        ("[sweep]\nrepeat = 3", ".repeat"),
    ],
)
def test_a_sweep_that_a_file_cannot_declare(text: str, field: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(BadScenario) as error:
        files.sweep_of(files.read(path), path)
    assert error.value.field == f"{path}: sweep{field}"


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\x00")
    with (tmp_path / "long.toml").open("wb") as file:
        file.truncate(files.FILE_BYTES_MAX + 1)
    for name, rule in [("binary.toml", "UTF-8"), ("none.toml", "No such file"), ("long.toml", "longer")]:
        with pytest.raises(BadScenario, match=rule):
            files.load_scenario(tmp_path / name)
    with pytest.raises(BadScenario, match="no such scenario"):
        files.load_scenario("unheard-of")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("alpha=0.01", "alpha", 0.01),
        ("selector = uniform", "selector", "uniform"),
        ("name='a, b'", "name", "a, b"),
        ("agents=3", "agents", 3),
        ("arrivals=[[0, 1], [5, 2]]", "arrivals", [[0, 1], [5, 2]]),
        ("adversary.settings={kept = 2}", "adversary.settings", {"kept": 2}),
        ("adversary.end=inf", "adversary.end", float("inf")),
        ("name=", "name", ""),
    ],
)
def test_fields_given_as_text(text: str, field: str, value: object) -> None:
    assert files.assignment(text) == (field, value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("alpha=0.001,0.01", [0.001, 0.01]),
        ("alpha=1", [1]),
        ("selector=uniform, weighted", ["uniform", "weighted"]),
        ("x=[[0, 1]],[[0, 2]]", [[[0, 1]], [[0, 2]]]),
        ("x='a,b',c", ["'a", "b'", "c"]),
        ("x='a,b','c'", ["a,b", "c"]),
    ],
)
def test_values_given_as_text(text: str, values: list[Any]) -> None:
    assert files.choices(text)[1] == values


def test_text_that_gives_nothing() -> None:
    for text in ("alpha", "=3", " =3"):
        with pytest.raises(BadScenario, match="is needed"):
            files.assignment(text)
        with pytest.raises(BadScenario, match="is needed"):
            files.choices(text)


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("blocks.more", "has no fields"),
        ("agents.2.share", "no place in a list of 2"),
        ("agents.x", "no place"),
        ("agents.-1", "no place"),
    ],
)
def test_fields_that_cannot_be_put(field: str, rule: str) -> None:
    table = {"blocks": 3, "agents": [{}, {}]}
    with pytest.raises(BadScenario, match=rule):
        tables.put(table, field, 1)
    assert tables.changed(table, {"agents.1": {"share": 2}}) == {"blocks": 3, "agents": [{}, {"share": 2}]}
    assert table == {"blocks": 3, "agents": [{}, {}]}
