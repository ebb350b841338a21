"""`tangle sim` as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from tangle.cli.commands import SIM as TABLE
from tangle.cli.sim.view import measured, number
from tests.cli.conftest import COMMAND, ROOT, Run
from tests.cli.test_docs import COMMANDS

FEW = ("--measures", "tests.sim.measured:few")
SCENARIO = """
# A small one. With more to say about it.
arrivals = 20
selector = "weighted"
alpha = 0.01
blocks = 400

[sweep]
repeats = 2
grid = { alpha = [0, 1] }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    return path


@pytest.mark.parametrize("name", TABLE)
def test_examples_in_the_help_are_calls_that_can_be_made(name: str) -> None:
    words = shlex.split(COMMANDS[f"tangle sim {name}"].epilog.splitlines()[-1])
    assert words[:3] == ["tangle", "sim", name]
    COMMANDS[f"tangle sim {name}"].make_context(name, words[3:])


def test_a_run_is_shown_and_kept(run: Run, path: Path, tmp_path: Path) -> None:
    out = tmp_path / "one"
    told = run("sim", "run", path, "--set", "parents=3", "--seed", 4, "--out", out, *FEW)
    assert told.code == 0, told.err
    assert "scenario  small, weighted, alpha 0.01, lambda h = 20, 3 parents, seed 4" in told.out
    assert f"kept in   {out}" in told.out
    assert "small: 400 of 400 blocks" in told.err
    again = run("sim", "run", path, "--set", "parents=3", "--seed", 4, "--json", *FEW).json
    assert again["scenario"] == {
        "name": "small", "arrivals": 20.0, "parents": 3, "alpha": 0.01, "settings": {}, "blocks": 400, "seed": 4
    }  # fmt: skip
    assert f"mean tips            {number(again['measures']['mean_tips'])}" in told.out
    assert again["measures"]["expected_tips"] == 30
    assert parquet.read_metadata(out / "blocks.parquet").num_rows == 400
    refused = run("sim", "run", path, "--out", out, "--json", *FEW)
    assert (refused.error["code"], refused.code) == ("bad_result", 13)


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        (["--set", "alpha=-1"], "small.toml: alpha", "bad_scenario"),
        (["--set", "colour=red"], "small.toml: colour", "bad_scenario"),
        (["--set", "alpha"], "--set", "invalid_value"),
        (["--measures", "no.such:thing"], "--measures", "invalid_value"),
    ],
)
def test_what_cannot_be_run(given: list[str], field: str, code: str, run: Run, path: Path) -> None:
    ended = run("sim", "run", path, "--json", *given)
    assert ended.code == 2
    assert ended.error["code"] == code
    assert ended.error["field"].endswith(field)


def test_a_name_that_no_scenario_has(run: Run) -> None:
    ended = run("sim", "run", "unheard-of")
    assert ended.code == 2
    assert "error: unheard-of: no such scenario; files end in .toml, and declared are" in ended.err
    listed = run("sim", "list", "--json").json["items"]
    assert run("sim", "list").out.count("\n") == len(listed) + 1
    assert all(Path(item["file"]).is_file() and item["title"] for item in listed)


def test_results_are_compared(run: Run, path: Path, tmp_path: Path) -> None:
    for name, alpha in (("one", 0.01), ("other", 0.5)):
        assert run("sim", "run", path, "--set", f"alpha={alpha}", "--out", tmp_path / name, *FEW).code == 0
    ended = run("sim", "compare", tmp_path / "one", tmp_path / "other", *FEW)
    lines = ended.out.splitlines()
    assert lines[0].split() == [str(tmp_path / "one"), str(tmp_path / "other"), "difference"]
    assert lines[1].split() == ["alpha", "0.01", "0.5"]
    assert any(line.startswith("mean tips") and line.endswith("%") for line in lines)
    assert lines[-1] == "the same in all: name small, arrivals 20, blocks 400, seed 1"
    found = run("sim", "compare", tmp_path / "one", tmp_path / "other", tmp_path / "one", "--json", *FEW).json
    assert [each["scenario"]["alpha"] for each in found["results"]] == [0.01, 0.5, 0.01]
    assert run("sim", "compare", tmp_path / "one", *FEW).code == 2
    missing = run("sim", "compare", tmp_path / "one", tmp_path / "none", "--json", *FEW)
    assert (missing.code, missing.error["code"]) == (13, "bad_result")


def test_a_sweep_of_a_file_and_of_options(run: Run, path: Path, tmp_path: Path) -> None:
    out = tmp_path / "swept"
    call = ("sim", "sweep", path, "--grid", "parents=2,3", "--out", out, *FEW)
    ended = run(*call)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[3].split()[:4] == ["alpha", "parents", "runs", "mean"]
    assert [line.split()[:3] for line in lines[4:8]] == [[a, k, "2"] for a in "01" for k in "23"]
    assert "small: 8 of 8 runs" in ended.err
    document = run(*call, "--json").json
    assert document | {"seconds": 0} == {
        "directory": str(out), "runs": 8, "failed": 0, "seconds": 0, "table": str(out / "runs.parquet"),
        "failures": [],
    }  # fmt: skip
    shown = run("sim", "sweep", out, "--show", "end")
    assert shown.out.splitlines()[3].split() == ["alpha", "parents", "runs", "end"]
    other = run("sim", "sweep", path, "--grid", "parents=2,4", "--out", out, "--json", *FEW)
    assert (other.code, other.error["code"], other.error["field"]) == (2, "bad_sweep", "grid parents")
    for bad in (
        ["sim", "sweep", path],
        ["sim", "sweep", path, "--grid", "parents", "--out", tmp_path / "never"],
        ["sim", "sweep", out, "--repeat", "3"],
        ["sim", "sweep", out, "--show", "colour"],
        ["sim", "sweep", tmp_path],
        ["sim", "sweep", path, "--out", tmp_path / "never", "--engine", "dask", *FEW],
    ):
        assert run(*bad).code == 2
    assert not (tmp_path / "never").exists()


def test_runs_that_fail_are_told_with_their_fields(run: Run, path: Path, tmp_path: Path) -> None:
    failing = ("--measures", "tests.sim.measured:fails_with_three_parents")
    ended = run("sim", "sweep", path, "--grid", "parents=2,3", "--out", tmp_path / "swept", *failing)
    assert ended.code == 13
    assert "run 2 (alpha = 0, parents = 3, seed 1): ValueError: three parents are too many" in ended.out
    assert "error: 4 of 8 runs failed, the first with ValueError" in ended.err
    document = run("sim", "sweep", tmp_path / "swept", "--json")
    assert document.code == 13
    assert json.loads(document.out)["failures"][0]["fields"] == {"alpha": 0, "parents": 3}


def test_ctrl_c_ends_a_sweep_that_can_go_on(
    run: Run, path: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    out = tmp_path / "swept"
    call = ["sim", "sweep", str(path), "--repeat", "200", "--out", str(out), "--workers", "2", *FEW]
    process = subprocess.Popen(
        [*COMMAND, *call], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not (out / "runs.jsonl").exists() or (out / "runs.jsonl").stat().st_size < 500:
        assert process.poll() is None
    # To all processes, as a terminal does.
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.splitlines()[-1] == f"stopped; finished runs are kept, and `tangle sim sweep {out}` goes on"
    assert "Traceback" not in told
    kept = (out / "runs.jsonl").read_bytes().count(b"\n")
    assert 0 < kept < 400
    assert run("sim", "sweep", out, "--json").json["runs"] == 400
    whole = run("sim", "sweep", *call[2:4], "200", "--out", tmp_path / "whole", "--workers", "1", *FEW)
    assert whole.code == 0, whole.err
    assert (out / "runs.parquet").read_bytes() == (tmp_path / "whole" / "runs.parquet").read_bytes()


def test_a_terminal_shows_a_bar(path: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    terminal, end = pty.openpty()
    call = [*COMMAND, "sim", "sweep", str(path), "--out", str(tmp_path / "swept"), *FEW]
    process = subprocess.Popen(
        call,
        cwd=ROOT,
        env=environment | {"TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.DEVNULL,
        stderr=end,
    )
    os.close(end)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        shown += part
    os.close(terminal)
    assert process.wait() == 0, shown.decode()
    assert b"4 of 4 runs" in shown


def test_results_and_the_table_of_measures() -> None:
    found = {
        "mean_tips": 12_345.6,
        "mean_tips_low": 1.0,
        "mean_tips_high": 2.0,
        "expected_tips": float("nan"),
        "x": 1e-9,
    }
    assert measured(found).splitlines() == [
        "measure    measured  interval  expected",
        "mean tips  12,346    1 to 2    -",
        "x          1e-09",
    ]


def test_help_loads_no_simulator() -> None:
    heavy = "{'numba', 'tangle.sim', 'pyarrow', 'matplotlib'}"
    program = f"import sys, tangle.cli.main; print(sorted({heavy} & sys.modules.keys()))"
    shown = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
