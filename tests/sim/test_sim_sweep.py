"""Sweeps: the same table on one worker or many, in one go or after crashes; nothing lost, nothing mixed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from tangle.sim import Adversary, Scenario, sweep
from tangle.sim.errors import BadSweep
from tangle.sim.runs import FACTS, LINES, TABLE
from tangle.sim.work import Job, Outcome, perform
from tests.sim import measured

ROOT = Path(__file__).parents[2]
BASE = Scenario(
    name="small", arrivals=20.0, blocks=200, alpha=0.1, seed=5,
    adversary=Adversary(attack="tests.sim.measured:withholder", share=0.1),
)  # fmt: skip
GRID: dict[str, Any] = {"alpha": [0.0, 0.5], "adversary.share": [0.1, 0.3], "parents": [2, 3]}
SMALL = sweep.Sweep(BASE, GRID, repeats=3, measures="tests.sim.measured:few")


def bytes_of(place: Path) -> bytes:
    return (place / TABLE).read_bytes()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep in one go, by this process alone."""
    place = tmp_path_factory.mktemp("sweeps") / "done"
    assert sweep.run(SMALL, place, workers=1).whole
    return place


def test_the_table_has_a_row_per_run(done: Path) -> None:
    table = parquet.read_table(done / TABLE)
    names = ["run", "repeat", "seed", *GRID, "mean_tips", "expected_tips", "mean_first_approval", "end", "error"]
    assert table.column_names == names
    assert [str(table[name].type) for name in names[:6]] == ["int64"] * 3 + ["double"] * 2 + ["int64"]
    assert table["run"].to_pylist() == list(range(24))
    assert table["repeat"].to_pylist() == [0, 1, 2] * 8
    assert table["parents"].to_pylist() == [2, 2, 2, 3, 3, 3] * 4
    assert table["adversary.share"].to_pylist() == ([0.1] * 6 + [0.3] * 6) * 2
    for row in table.to_pylist()[::7]:
        changes = {name: row[name] for name in ("alpha", "parents", "seed")}
        attacker = Adversary(attack="tests.sim.measured:withholder", share=row["adversary.share"])
        alone = BASE.but(adversary=attacker, **changes)
        outcome = perform(Job(0, alone.to_table(), "tests.sim.measured:few"))
        assert {name: row[name] for name in outcome["measures"]} == outcome["measures"]


def test_many_workers_give_the_same_table(done: Path, tmp_path: Path) -> None:
    told: list[sweep.SweepProgress] = []
    swept = sweep.run(SMALL, tmp_path, workers=3, progress=told.append)
    assert bytes_of(tmp_path) == bytes_of(done)
    assert (told[0].done, told[-1].done, told[-1].all) == (0, 24, 24)
    assert swept.rows == sweep.load(done).rows
    in_memory = sweep.run(SMALL, workers=2)
    assert (in_memory.rows, in_memory.directory) == (swept.rows, None)


def test_seeds_follow_from_base_and_repetition_only() -> None:
    more = sweep.Sweep(BASE, {"parents": [4]}, 5, measured.few)
    assert more.seeds[:3] == SMALL.seeds == [run.seed for run in SMALL.runs()][9:12]
    assert more.seeds[0] == BASE.seed
    assert len({*more.seeds, *sweep.seeds(6, 5)}) == 10
    assert all(0 <= seed < 2**63 for seed in sweep.seeds(2**63 - 1, 50))


def test_columns_and_cells(done: Path) -> None:
    swept = sweep.load(done)
    assert swept.whole
    assert swept.measures == ["mean_tips", "expected_tips", "mean_first_approval", "end"]
    assert swept.column("alpha").tolist() == [0.0] * 12 + [0.5] * 12
    assert swept.column("end").dtype == np.float64
    # The same arrivals in all cells of a repetition.
    cells = {tuple(swept.at(cell, "end")) for cell in SMALL.cells if cell["adversary.share"] == 0.1}
    assert len(cells) == 1
    with pytest.raises(BadSweep, match="no column; there are alpha"):
        swept.column("colour")


class Stopping:
    """An engine that is interrupted after some runs."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.closed = False

    def __call__(self, jobs: Sequence[Job]) -> Iterator[list[Outcome]]:
        try:
            # In another order than that of the grid, as on several workers.
            for i, job in enumerate(reversed(jobs)):
                if i == self.runs:
                    raise KeyboardInterrupt
                yield [perform(job)]
        finally:
            self.closed = True


def test_a_stopped_sweep_goes_on_and_gives_the_same_table(done: Path, tmp_path: Path) -> None:
    for kept in (5, 10, 15):
        engine = Stopping(5)
        with pytest.raises(KeyboardInterrupt):
            sweep.run(SMALL, tmp_path, engine=engine)
        assert engine.closed
        assert not (tmp_path / TABLE).exists()
        assert len(sweep.load(tmp_path).rows) == kept
        assert not sweep.load(tmp_path).whole
    told: list[sweep.SweepProgress] = []
    sweep.run(SMALL, tmp_path, workers=2, progress=told.append)
    assert (told[0].done, told[0].before) == (15, 15)
    assert bytes_of(tmp_path) == bytes_of(done)
    # And once more, with nothing left to do.
    lines = (tmp_path / LINES).read_bytes()
    assert sweep.run(SMALL, tmp_path).whole
    assert (tmp_path / LINES).read_bytes() == lines


def test_a_line_that_a_crash_cut_short_is_run_again(done: Path, tmp_path: Path) -> None:
    place = tmp_path / "cut"
    shutil.copytree(done, place)
    (place / TABLE).unlink()
    lines = (place / LINES).read_bytes()
    (place / LINES).write_bytes(lines[:-20])
    assert len(sweep.load(place).rows) == 23
    assert (place / LINES).stat().st_size == len(lines) - 20
    assert sweep.run(SMALL, place, workers=1).whole
    assert bytes_of(place) == bytes_of(done)


@pytest.mark.parametrize(
    "line",
    ["", "[]", "{", '{"run": 1}', '{"run": 24, "seconds": 1.0, "measures": {}}', '{"run": 1, "seconds": 1.0}',
     '{"run": 1, "seconds": 1.0, "measures": {"a": "b"}}', '{"run": 1, "seconds": 1.0, "error": 3}'],
)  # fmt: skip
def test_a_damaged_line_is_told(line: str, done: Path, tmp_path: Path) -> None:
    place = tmp_path / "damaged"
    shutil.copytree(done, place)
    text = (place / LINES).read_text().splitlines()
    text[6] = line
    (place / LINES).write_text("\n".join(text) + "\n")
    with pytest.raises(BadSweep, match=r"runs.jsonl: line 7: damaged"):
        sweep.load(place)
    with pytest.raises(BadSweep, match=r"runs.jsonl: line 7: damaged"):
        sweep.run(SMALL, place)


def test_kill_9_loses_the_runs_under_way_at_most(done: Path, tmp_path: Path) -> None:
    program = (
        "from tangle.sim import sweep\nfrom tests.sim.test_sim_sweep import SMALL\n"
        f"sweep.run(SMALL, {str(tmp_path)!r}, workers=2, progress=lambda now: print(now.done, flush=True))"
    )
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        told = 0
        for line in process.stdout:
            told = int(line)
            if told >= 6:
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
        assert len(sweep.load(tmp_path).rows) >= told
    sweep.run(SMALL, tmp_path, workers=2)
    assert bytes_of(tmp_path) == bytes_of(done)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    def engine(jobs: Sequence[Job]) -> Iterator[list[Outcome]]:
        with pytest.raises(BadSweep, match="another process is at work"):
            sweep.run(SMALL, tmp_path)
        yield [perform(job) for job in jobs]

    assert sweep.run(SMALL, tmp_path, engine=engine).whole


@pytest.mark.parametrize(
    ("other", "field", "rule"),
    [
        (sweep.Sweep(BASE.but(delay=2.0), GRID, 3, measured.few), "scenario delay", "none in the sweep"),
        (sweep.Sweep(BASE.but(seed=6), GRID, 3, measured.few), "scenario seed", "5 in the sweep"),
        (sweep.Sweep(BASE, GRID | {"alpha": [0.0, 0.4]}, 3, measured.few), "grid alpha", "[0.0, 0.4] in this one"),
        (sweep.Sweep(BASE, {"alpha": [0.0, 0.5]}, 3, measured.few), "grid adversary.share", "none in this one"),
        (sweep.Sweep(BASE, dict(reversed(GRID.items())), 3, measured.few), "order of grid", "parents"),
        (sweep.Sweep(BASE, GRID, 4, measured.few), "repeats", "3 in the sweep"),
        (sweep.Sweep(BASE, GRID, 3, measured.with_nan), "measures", "with_nan"),
    ],
)
def test_the_directory_of_another_sweep(other: sweep.Sweep, field: str, rule: str, done: Path) -> None:
    before = {path.name: path.read_bytes() for path in done.iterdir()}
    with pytest.raises(BadSweep) as error:
        sweep.run(other, done)
    assert error.value.field == field
    assert rule in error.value.rule
    assert {path.name: path.read_bytes() for path in done.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"format": "x"}, FACTS), ({"formatVersion": 9}, "formatVersion"), ({"grid": {"blocks": [0]}}, "blocks"),
     ({"scenario": {"blocks": 0}}, "blocks"), ({"repeats": ...}, FACTS), ({"grid": 3}, FACTS)],
)  # fmt: skip
def test_a_directory_that_holds_no_sweep(changes: dict[str, Any], field: str, done: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSweep, match="no sweep was kept here"):
        sweep.load(tmp_path)
    facts = json.loads((done / FACTS).read_text()) | changes
    (tmp_path / FACTS).write_text(json.dumps({name: value for name, value in facts.items() if value is not ...}))
    with pytest.raises(BadSweep) as error:
        sweep.load(tmp_path)
    assert error.value.field.startswith(str(tmp_path / FACTS))
    assert error.value.field.endswith(field)


def test_other_versions_make_another_sweep(done: Path, tmp_path: Path) -> None:
    place = tmp_path / "old"
    shutil.copytree(done, place)
    facts = json.loads((place / FACTS).read_text())
    facts["versions"]["numba"] = "0.1"
    (place / FACTS).write_text(json.dumps(facts))
    with pytest.raises(BadSweep, match=r'numba: "0\.1" in the sweep'):
        sweep.run(SMALL, place)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_fails_is_told_and_tried_again(workers: int, tmp_path: Path) -> None:
    failing = sweep.Sweep(BASE, GRID, 3, measured.fails_with_three_parents)
    swept = sweep.run(failing, tmp_path, workers=workers)
    assert swept.whole
    assert len(swept.failures) == 12
    assert swept.failures[0].run.cell == {"alpha": 0.0, "adversary.share": 0.1, "parents": 3}
    assert {each.error for each in swept.failures} == {"ValueError: three parents are too many"}
    table = parquet.read_table(tmp_path / TABLE)
    assert table["error"].null_count == table["end"].null_count == 12
    assert np.isnan(swept.column("end")).sum() == 12
    assert swept.at(failing.cells[1], "end").size == 0
    assert json.loads((tmp_path / FACTS).read_text())["failed"] == 12
    told: list[sweep.SweepProgress] = []
    again = sweep.run(failing, tmp_path, workers=workers, progress=told.append)
    assert (told[0].done, told[-1].failed) == (12, 12)
    assert again.rows == swept.rows


def test_a_worker_that_dies_takes_its_run_along_only(tmp_path: Path) -> None:
    deadly = sweep.Sweep(BASE.but(adversary=None), {"parents": [2, 3, 4]}, 2, measured.dies_with_three_parents)
    swept = sweep.run(deadly, tmp_path, workers=2)
    assert [each.run.cell["parents"] for each in swept.failures] == [3, 3]
    assert {each.error for each in swept.failures} == {"WorkerDied: killed by signal 9; is there enough memory?"}
    assert swept.whole


def test_measures_that_some_runs_lack_or_that_are_nan(tmp_path: Path) -> None:
    grid = {"parents": [2, 3], "selector": ["uniform", "unweighted"]}
    uneven = sweep.Sweep(BASE.but(alpha=None), grid, 1, measured.with_nan)
    swept = sweep.run(uneven, tmp_path, workers=2)
    table = parquet.read_table(tmp_path / TABLE)
    assert swept.measures[-3:] == ["nothing", "measured seed", "attack_success"]
    assert table["attack_success"].to_pylist() == [None, None, 1.0, 1.0]
    assert np.isnan(table["nothing"].to_pylist()).all()
    assert table["selector"].to_pylist() == ["uniform", "unweighted"] * 2


def test_values_of_several_kinds_become_text(tmp_path: Path) -> None:
    corners = [[[0, 5.0], [10, 30.0]], 20.0]
    mixed = sweep.Sweep(BASE, {"arrivals": corners, "agents": [1, 2]}, 1, measured.few)
    swept = sweep.run(mixed, tmp_path, workers=1)
    table = parquet.read_table(tmp_path / TABLE)
    assert table["arrivals"].to_pylist() == ["[[0, 5.0], [10, 30.0]]"] * 2 + ["20.0"] * 2
    assert swept.column("arrivals")[2] == 20.0
    assert sweep.load(tmp_path).rows == swept.rows


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"grid": {"seed": [1, 2]}}, "seed", "repetitions make the seeds"),
        ({"grid": {"alpha": 3}}, "alpha", "list"),
        ({"grid": {"alpha": "0.1"}}, "alpha", "list"),
        ({"grid": {"alpha": []}}, "alpha", "at least one"),
        ({"grid": {"alpha": [0.1, 0.1]}}, "alpha", "twice"),
        ({"grid": {"alpha": [0.1, -2]}}, "alpha", "at least 0.0 is needed, not -2"),
        ({"grid": {"parents": [2], "alpha": [0.1, -2]}}, "alpha", "where parents = 2, alpha = -2"),
        ({"grid": {"colour": ["red"]}}, "colour", "no field"),
        ({"grid": {"blocks.x": ["red"]}}, "blocks.x", "has no fields"),
        ({"grid": {"delay": list(range(2_000))}, "repeats": 501}, "grid", "too many"),
        ({"repeats": 0}, "repeats", "at least 1"),
        ({"repeats": True}, "repeats", "at least 1"),
        ({"measures": "no.such:thing"}, "measures", "imported"),
        ({"measures": lambda _: {}}, "measures", "imported"),
        ({"base": BASE.but(adversary=None), "grid": {"adversary.share": [0.1]}}, "adversary.attack", "missing"),
    ],
)
def test_what_no_sweep_can_be(fields: dict[str, Any], field: str, rule: str) -> None:
    given: dict[str, Any] = {"base": BASE, "measures": measured.few} | fields
    with pytest.raises(BadSweep) as error:
        sweep.Sweep(**given)
    assert error.value.field == field
    assert rule in error.value.rule


def test_selectors_without_a_name_cannot_be_swept() -> None:
    with pytest.raises(BadSweep, match="no name by which workers could import it"):
        sweep.Sweep(Scenario(selector=lambda graph, k, rng: graph.tips[:k], blocks=20), {}, 2, measured.few)
    named = sweep.Sweep(Scenario(selector=measured.oldest, blocks=20), {}, 2, measured.few)
    assert sweep.run(named, workers=2).failures == []


def test_numpy_values_are_numbers() -> None:
    swept = sweep.Sweep(BASE, {"alpha": np.array([0.1, 0.2]), "parents": [np.int64(2)]}, 1, measured.few)
    assert swept.grid == {"alpha": [0.1, 0.2], "parents": [2]}
    assert [type(value) for value in swept.cells[0].values()] == [float, int]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"engine": "cloud"}, "engine"),
        ({"workers": 0}, "workers"),
        ({"address": "tcp://127.0.0.1:1"}, "address"),
        ({"engine": "dask"}, "address"),
        ({"engine": "ray", "address": "auto", "workers": 3}, "workers"),
    ],
)
def test_engines_that_cannot_be_asked_for(options: dict[str, Any], field: str, tmp_path: Path) -> None:
    with pytest.raises(BadSweep) as error:
        sweep.run(SMALL, tmp_path / "never", **options)
    assert error.value.field == field
    assert not (tmp_path / "never").exists()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadSweep, match="cannot be written"):
        sweep.run(SMALL, tmp_path / "file" / "below")


def test_workers_are_gone_when_a_sweep_is_stopped() -> None:
    seen: list[int] = []

    def stop(now: sweep.SweepProgress) -> None:
        if now.done:
            seen.extend(_children())
            raise KeyboardInterrupt

    before = set(_children())
    with pytest.raises(KeyboardInterrupt):
        sweep.run(SMALL, workers=3, progress=stop)
    assert len(set(seen) - before) == 3
    assert set(_children()) == before


def _children() -> list[int]:
    return [int(each) for each in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
