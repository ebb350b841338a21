"""Results as directories: what is saved is what is loaded, and nothing else is taken for it."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from pyarrow import parquet

from tangle import sim
from tangle.extras import ExtraMissing
from tangle.sim import store
from tangle.sim import sweep as sim_sweep
from tangle.sim.errors import BadResult
from tests.sim.scenarios import scenarios
from tests.tries import tries

ARRAYS = ("times", "issuers", "parents", "first_approvers", "tips", "own_weights", "sides")


def assert_equal(one: sim.Result, other: sim.Result) -> None:
    for name in ARRAYS:
        mine, yours = getattr(one, name), getattr(other, name)
        assert (mine.dtype, mine.shape) == (yours.dtype, yours.shape), name
        np.testing.assert_array_equal(mine, yours, err_msg=name)
    assert one.scenario == other.scenario
    assert (one.withheld, one.start, one.seconds) == (other.withheld, other.start, other.seconds)


@settings(max_examples=tries(30))
@given(scenario=scenarios())
def test_a_result_comes_back_whole(scenario: sim.Scenario, tmp_path_factory: pytest.TempPathFactory) -> None:
    result = sim.run(scenario)
    place = store.save(result, tmp_path_factory.mktemp("results") / "one")
    back = store.load(place)
    assert_equal(result, back)
    np.testing.assert_array_equal(result.received(), back.received())


def test_rows_are_written_and_read_in_groups(tmp_path: Path) -> None:
    result = sim.run(sim.Scenario(arrivals=20.0, selector="uniform", blocks=1_000))
    store.save(result, tmp_path, group_rows=64)
    assert parquet.ParquetFile(tmp_path / store.BLOCKS).num_row_groups == math.ceil(1_000 / 64)
    assert_equal(result, store.load(tmp_path))


def test_the_table_is_plain_columns(tmp_path: Path) -> None:
    result = sim.run(sim.Scenario(arrivals=20.0, parents=3, blocks=500))
    store.save(result, tmp_path)
    table = parquet.read_table(tmp_path / store.BLOCKS)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "block": "int32", "time": "double", "issuer": "int16", "parent_0": "int32", "parent_1": "int32",
        "parent_2": "int32", "first_approver": "int32", "tips": "int32", "own_weight": "int32", "sides": "uint8",
    }  # fmt: skip
    np.testing.assert_array_equal(table["parent_1"], result.parents[:, 1])
    facts = json.loads((tmp_path / store.FACTS).read_text())
    assert facts["scenario"] == {**result.scenario.to_table()}
    assert facts["seed"] == 1
    assert {"tangle-ledger", "numpy", "numba", "python"} <= facts["versions"].keys()
    assert facts["blocksPerSecond"] == round(500 / result.seconds)


def test_a_result_is_never_overwritten(tmp_path: Path) -> None:
    result = sim.run(sim.Scenario(blocks=10))
    store.save(result, tmp_path)
    with pytest.raises(BadResult, match="already"):
        store.save(result, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadResult, match="cannot be written"):
        store.save(result, tmp_path / "file" / "below")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("saved") / "result"
    scenario = sim.Scenario(
        arrivals=20.0, blocks=400, adversary=sim.Adversary(attack="tests.sim.measured:withholder", share=0.3)
    )
    return store.save(sim.run(scenario), place)


def facts_with(**changes: object) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        path = place / store.FACTS
        facts = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({name: value for name, value in facts.items() if value is not ...}))

    return change


def columns_with(**changes: Callable[[Any], Any]) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        path = place / store.BLOCKS
        table = parquet.read_table(path)
        columns = {name: table[name] for name in table.column_names}
        for name, alter in changes.items():
            columns[name] = alter(np.array(columns[name]))
            if columns[name] is None:
                del columns[name]
        made = pa.table(columns)
        parquet.write_table(made.replace_schema_metadata(table.schema.metadata), path)

    return change


def cut(place: Path) -> None:
    path = place / store.BLOCKS
    path.write_bytes(path.read_bytes()[:-100])


def flip(place: Path) -> None:
    data = bytearray((place / store.BLOCKS).read_bytes())
    data[len(data) // 4] ^= 0x10
    (place / store.BLOCKS).write_bytes(data)


def at(index: int, value: float) -> Callable[[Any], Any]:
    def alter(column: Any) -> Any:
        column = column.copy()
        column[index] = value
        return column

    return alter


def another_seed(place: Path) -> None:
    facts = json.loads((place / store.FACTS).read_text())
    facts["scenario"]["seed"] = 99
    facts["digest"] = store.digest(facts["scenario"])
    (place / store.FACTS).write_text(json.dumps(facts))


def unknown_field(place: Path) -> None:
    facts = json.loads((place / store.FACTS).read_text())
    facts["scenario"]["colour"] = "red"
    facts["digest"] = store.digest(facts["scenario"])
    (place / store.FACTS).write_text(json.dumps(facts))


DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no facts": (lambda place: (place / store.FACTS).unlink(), "result.json", "no result"),
    "no table": (lambda place: (place / store.BLOCKS).unlink(), "blocks.parquet", "missing"),
    "not JSON": (lambda place: (place / store.FACTS).write_text("{"), "result.json", "not JSON"),
    "a list": (lambda place: (place / store.FACTS).write_text("[]"), "result.json", "object"),
    "binary": (lambda place: (place / store.FACTS).write_bytes(b"\xff\xfe"), "result.json", "not JSON"),
    "another format": (facts_with(format="sweep"), "result.json", "not the file"),
    "a later format": (facts_with(formatVersion=2), "result.json: formatVersion", "1 is read"),
    "a field missing": (facts_with(withheld=...), "result.json: withheld", "missing"),
    "scenario no table": (facts_with(scenario=3), "result.json: scenario", "table"),
    "scenario changed": (facts_with(scenario={"blocks": 400, "seed": 2}), "result.json: digest", "changed"),
    "scenario of another result": (another_seed, "blocks.parquet", "another scenario"),
    "a field nobody knows": (unknown_field, "result.json: scenario.colour", "no field"),
    "blocks": (facts_with(blocks=399), "blocks.parquet", "400 blocks"),
    "no blocks": (facts_with(blocks=0), "result.json: blocks", "at least 1"),
    "seconds": (facts_with(seconds="long"), "result.json: seconds", "number"),
    "withheld": (facts_with(withheld={"4000": 1.0}), "result.json: withheld", "no block"),
    "withheld text": (facts_with(withheld={"4": "never"}), "result.json: withheld", "no block"),
    "withheld list": (facts_with(withheld=[1]), "result.json: withheld", "table"),
    "start": (facts_with(start=-1), "result.json: start", "at least 1"),
    "cut short": (cut, "blocks.parquet", "damaged"),
    "a bit flipped": (flip, "blocks.parquet", "damaged"),
    "no Parquet": (lambda place: (place / store.BLOCKS).write_text("no"), "blocks.parquet", "damaged"),
    "a column missing": (columns_with(tips=lambda _: None), "blocks.parquet: tips", "missing"),
    "a column's type": (columns_with(tips=lambda c: c.astype(float)), "blocks.parquet: tips", "int32"),
    "parents to come": (columns_with(parent_0=at(20, 21)), "blocks.parquet: parents", "no simulation"),
    "no parents": (columns_with(parent_0=at(20, -1)), "blocks.parquet: parent_0", "no simulation"),
    "parents below": (columns_with(parent_1=at(20, -7)), "blocks.parquet: parents", "no simulation"),
    "order": (columns_with(block=at(20, 19)), "blocks.parquet: block", "no simulation"),
    "time": (columns_with(time=at(20, 1e9)), "blocks.parquet: time", "no simulation"),
    "no time": (columns_with(time=at(399, math.nan)), "blocks.parquet: time", "no simulation"),
    "issuer": (columns_with(issuer=at(20, 2)), "blocks.parquet: issuer", "no simulation"),
    "approver": (columns_with(first_approver=at(20, 400)), "blocks.parquet: first_approver", "no simulation"),
    "weight": (columns_with(own_weight=at(20, 0)), "blocks.parquet: own_weight", "no simulation"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_with_its_file(damage: str, saved: Path, tmp_path: Path) -> None:
    alter, field, rule = DAMAGES[damage]
    place = tmp_path / "copy"
    shutil.copytree(saved, place)
    store.load(place)
    alter(place)
    with pytest.raises(BadResult) as error:
        store.load(place)
    assert error.value.field == str(place / field) or error.value.field.startswith(str(place / field) + ":")
    assert rule in error.value.rule


def test_pyarrow_is_missed_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # None makes an import fail, as if the library were not there.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = sim.run(sim.Scenario(blocks=10))
    with pytest.raises(
        ExtraMissing, match=r'needs pyarrow, which is not installed: pip install "tangle-ledger\[sim\]"'
    ):
        store.save(result, tmp_path / "one")
    swept = sim_sweep.Sweep(result.scenario, {}, 2, "tests.sim.measured:few")
    with pytest.raises(ExtraMissing, match="pyarrow"):
        sim_sweep.run(swept, tmp_path / "many")
    assert not (tmp_path / "many").exists()
    assert sim_sweep.run(swept, workers=1).whole
