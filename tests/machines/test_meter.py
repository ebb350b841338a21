"""Meters: whatever the readings look like and however they come, each unit is counted exactly once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangle.machines.meter import (
    COUNTER_BITS,
    SKIPPED,
    CounterMeter,
    FlowMeter,
    Meter,
    MeterState,
    Reading,
    ReadingVerdict,
    parse_flow,
    parse_time,
)

START = datetime(2022, 3, 27, tzinfo=UTC)
UNIT_ML = 1_000_000


def run(meter: Meter, readings: Sequence[tuple[object, object]], state: MeterState | None = None) -> MeterState:
    state = state or MeterState()
    for number, (time, value) in enumerate(readings, start=1):
        state, _ = meter.take(state, Reading(number, str(time), str(value)))
    return state


def hours(*values: object) -> list[tuple[object, object]]:
    return [((START + timedelta(hours=i)).isoformat(), value) for i, value in enumerate(values)]


def test_flow_is_integrated_exactly() -> None:
    state = run(FlowMeter(), hours("100.59", "100.89", "100.88"))
    assert state.volume_half_ml == (100_590 + 100_890) * 3600 + (100_890 + 100_880) * 3600
    assert state.units(UNIT_ML) == 725


def test_a_gap_counts_at_the_lower_flow_and_one_too_long_not_at_all() -> None:
    meter = FlowMeter(gap_after_s=5400, bridge_max_s=10 * 3600)
    first = Reading(1, "0", "10")
    state, _ = meter.take(MeterState(), first)
    bridged, verdict = meter.take(state, Reading(2, "7200", "4"))
    assert (verdict, bridged.volume_ml) == (ReadingVerdict.BRIDGED, 4000 * 7200)
    long, verdict = meter.take(state, Reading(2, "36001", "4"))
    assert (verdict, long.volume_ml) == (ReadingVerdict.GAP_TOO_LONG, 0)
    after, verdict = meter.take(long, Reading(3, str(36001 + 3600), "4"))
    assert (verdict, after.volume_ml) == (ReadingVerdict.COUNTED, 4000 * 3600)


@pytest.mark.parametrize(
    ("time", "value", "verdict"),
    [
        ("3600", "5", ReadingVerdict.DUPLICATE),
        ("3600.9", "9", ReadingVerdict.DUPLICATE),
        ("1800", "5", ReadingVerdict.OUT_OF_ORDER),
        ("yesterday", "5", ReadingVerdict.BAD_TIME),
        ("", "5", ReadingVerdict.BAD_TIME),
        ("2022-02-30T00:00:00", "5", ReadingVerdict.BAD_TIME),
        ("7200", "-0.5", ReadingVerdict.NEGATIVE),
        ("7200", "", ReadingVerdict.BAD_VALUE),
        ("7200", "n/a", ReadingVerdict.BAD_VALUE),
        ("7200", "NaN", ReadingVerdict.BAD_VALUE),
        ("7200", "inf", ReadingVerdict.BAD_VALUE),
        ("7200", "1e99", ReadingVerdict.BAD_VALUE),
        ("7200", "1_000", ReadingVerdict.BAD_VALUE),
        ("7200", "0x10", ReadingVerdict.BAD_VALUE),
        ("7200", "\u0663", ReadingVerdict.BAD_VALUE),
    ],
)
def test_what_cannot_be_used_is_skipped_with_its_reason(time: str, value: str, verdict: ReadingVerdict) -> None:
    state = run(FlowMeter(), [("0", "5"), ("3600", "5")])
    after, found = FlowMeter().take(state, Reading(3, time, value))
    assert found is verdict
    assert verdict in SKIPPED
    assert after == state


@pytest.mark.parametrize(
    ("text", "flow"),
    [("100.59", 100_590), (" 7 ", 7000), ("1e2", 100_000), ("0.0005", 0), ("0.0015", 2)],
)
def test_flow_text(text: str, flow: int) -> None:
    assert parse_flow(text) == flow


def test_time_text() -> None:
    assert parse_time("2022-03-27T03:00:00+02:00") == parse_time("2022-03-27T01:00:00Z")
    assert parse_time("2022-03-27 01:00") == parse_time("2022-03-27T01:00:00.999+00:00")
    assert parse_time("1969-12-31T23:59:59.5Z") == -1
    assert parse_time("1648342800") == parse_time("2022-03-27T01:00:00+00:00")


@pytest.mark.parametrize("bits", COUNTER_BITS)
def test_a_counter_wraps_around(bits: int) -> None:
    top = 2**bits
    state = run(CounterMeter(pulse_ml=10_000, bits=bits), [(0, top - 5), (60, top - 1), (120, 4), (180, 4)])
    assert state.volume_ml == 9 * 10_000
    _, verdict = CounterMeter(10_000, bits).take(state, Reading(5, "240", str(top)))
    assert verdict is ReadingVerdict.BAD_VALUE


def test_a_counter_that_was_reset_is_not_billed() -> None:
    meter = CounterMeter(pulse_ml=1000, bits=16, pulses_per_s_max=10)
    state = run(meter, [(0, 1000), (60, 1100), (120, 0), (180, 50)])
    assert state.volume_ml == 150 * 1000
    assert run(CounterMeter(1000, 16), [(0, 1000), (60, 1100), (120, 0)]).volume_ml > 64_000 * 1000


def test_a_counter_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="bits must be one of"):
        CounterMeter(1000, 12)


flows = st.lists(st.tuples(st.integers(1, 200_000), st.integers(0, 200_000)), min_size=1, max_size=40)


@given(flows)
def test_volume_equals_the_rule_in_fractions(steps: list[tuple[int, int]]) -> None:
    at, readings = 0, []
    for step_s, flow_ml_s in steps:
        at += step_s
        readings.append((at, f"{flow_ml_s // 1000}.{flow_ml_s % 1000:03}"))
    volume = Fraction(0)
    for (before, one), (after, other) in zip(
        [(t, Fraction(v)) for t, v in readings], [(t, Fraction(v)) for t, v in readings][1:], strict=False
    ):
        elapsed = after - before
        mean = (one + other) / 2 if elapsed <= 5400 else min(one, other)
        volume += mean * elapsed if elapsed <= 48 * 3600 else 0
    state = run(FlowMeter(), readings)
    assert Fraction(state.volume_half_ml, 2) == volume * 1000
    assert state.units(UNIT_ML) == volume * 1000 // UNIT_ML


bad = st.sampled_from([("", "1"), ("soon", "1"), ("0", "1"), ("99999999", "-1"), ("99999999", "x")])


@given(flows, st.lists(st.tuples(st.integers(0, 60), bad)), st.lists(st.integers(0, 60)), st.integers(1, 10**9))
def test_repetition_bad_readings_and_restarts_change_nothing(
    steps: list[tuple[int, int]],
    noise: list[tuple[int, tuple[str, str]]],
    repeated: list[int],
    unit_ml: int,
) -> None:
    at, clean = 1, []
    for step_s, flow_ml_s in steps:
        clean.append((str(at), str(flow_ml_s)))
        at += step_s
    noisy = []
    for position, reading in enumerate(clean):
        noisy.append(reading)
        noisy += [clean[position - back] for back in repeated if position - back >= 0]
        noisy += [other for where, other in noise if where == position]
    expected = run(FlowMeter(), [*clean])
    state, billed = MeterState(), 0
    for reading in noisy:
        # A fresh meter for each reading: nothing is remembered but the state.
        state = run(FlowMeter(), [reading], MeterState(state.at, state.value, state.volume_half_ml))
        assert state.units(unit_ml) >= billed
        billed += state.units(unit_ml) - billed
    assert state == expected
    assert billed == expected.volume_half_ml // 2 // unit_ml


@given(st.sampled_from(COUNTER_BITS), st.integers(0, 2**32), st.data())
def test_counters_of_every_width_count_every_pulse(bits: int, first: int, data: st.DataObject) -> None:
    pulses = data.draw(st.lists(st.integers(0, 2**bits - 1), max_size=50))
    total, readings = first, [(0, first % 2**bits)]
    for i, delta in enumerate(pulses, start=1):
        total += delta
        readings.append((i, total % 2**bits))
    assert run(CounterMeter(pulse_ml=7, bits=bits), [*readings]).volume_ml == 7 * (total - first)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_ever_raises(time: str, value: str) -> None:
    for meter in (FlowMeter(), CounterMeter(1, 16)):
        for state in (MeterState(), MeterState(0, 1, 0)):
            after, verdict = meter.take(state, Reading(1, time, value))
            assert after == state or verdict not in SKIPPED
