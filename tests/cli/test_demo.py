"""The demonstration's plan and view; the run itself is tested end to end."""

from __future__ import annotations

import io
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from rich.console import Console

from tangle.demo.plan import AUDITED_UNITS, READINGS_PER_S, UNITS, DemoFailed, Plan, unit_litres
from tangle.demo.view import BLOCKS_SHOWN, STATES, Scene
from tangle.machines.meter import FlowMeter, MeterState
from tangle.machines.readings import SAMPLE, ReadingsForm, read

HOUR_S = 3600


def readings_file(tmp_path: Path, flow: str, count: int = 200) -> Path:
    path = tmp_path / "flow.csv"
    rows = (f"{1_648_339_200 + i * HOUR_S},{flow}\n" for i in range(count))
    path.write_text("time,flow\n" + "".join(rows))
    return path


@pytest.mark.parametrize("production_s", [5.0, 42.0, 80.0])
@pytest.mark.parametrize("flow", [None, "0.001", "0.02", "1", "77.7", "12345", "999999"])
def test_the_unit_is_round_and_the_stop_comes_before_the_credit_is_used_up(
    tmp_path: Path, flow: str | None, production_s: float
) -> None:
    path = SAMPLE if flow is None else readings_file(tmp_path, flow)
    litres = unit_litres(path, ReadingsForm(), production_s)
    plan = Plan(path, ReadingsForm(), litres, production_s, tmp_path)
    meter, state = FlowMeter(), MeterState()
    for reading in islice(read(path), int(production_s * READINGS_PER_S)):
        state, _ = meter.take(state, reading)
    assert AUDITED_UNITS < plan.units == state.units(litres * 1000) < UNITS
    assert str(litres).rstrip("0") in {"1", "2", "3", "4", "5", "6", "8", "15", "25"}


def test_readings_without_flow_make_no_demonstration(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="hold no volume"):
        unit_litres(readings_file(tmp_path, "0"), ReadingsForm(), 20)


@pytest.mark.parametrize("state", ["starting", *STATES])
def test_the_view_fits_a_terminal_of_80_by_24(state: str) -> None:
    scene = Scene(url="http://127.0.0.1:65535", source="water-flow-sample.csv", unit_litres=500_000, price=1000)
    scene.state, scene.credit, scene.produced, scene.paid_units = state, 60, 42, 41
    scene.volume_ml, scene.readings, scene.skipped = 21_297_900_000, 63, 2
    scene.told = Counter(owner=9_185, customer=9_180, auditor=9_060)
    scene.shut_out = {"auditor": 9_063, "customer": 9_190}
    scene.balances = {"customer": 999_940_000, "machine": 60_000, "owner": 42_000}
    for number in range(20):
        line = scene.add(bytes([number]) * 32)
        line.kind, line.m, line.n, line.milestone, line.inclusion = f"unit {number}", 97, 100, 99_999, "included"
    console = Console(width=80, height=24, record=True, file=io.StringIO())
    console.print(scene)
    lines = console.export_text().splitlines()
    assert len(lines) <= 24
    assert sum("included" in line for line in lines) == len(scene.blocks) == BLOCKS_SHOWN
    assert scene.block_count == 20
    assert any("41 units" in line for line in lines)
    assert "units=42 paid=41/60" in scene.line()
    assert "owner:9185 customer:9180! auditor:9060!" in scene.line()
    channel = next(line for line in lines if "channel" in line)
    assert "owner 9,185" in channel
    assert "auditor 9,060 until 9,063" in channel
    assert "confidence=97/100" in scene.line()
