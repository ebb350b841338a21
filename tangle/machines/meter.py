"""Meters: from readings to an exact volume, and from the volume to whole units.

Two kinds exist in the field: sensors that tell a flow (litres per second at an instant) and counters that
tick once per pulse and wrap around at 8, 16 or 32 bits. Both are pure functions (state, reading) -> (state,
verdict), so that a state that was stored with the readings it has seen goes on after a crash as if nothing
had happened.

Rules
-----
* Volume is an integer of half millilitres: flows are integers of ml/s, times are whole seconds, and the
  mean of two flows may end in one half. Nothing is ever rounded after a reading has been parsed. A flow
  finer than 1 ml/s is rounded once, half to even; a time finer than a second is rounded down, which loses
  nothing between readings.
* Between two flow readings the volume is their mean times the time between them (trapezoid).
* Gap: where readings were skipped (more than `gap_after_s` between two), the lower of the two flows counts for the
  whole gap, so that nobody pays for water that may not have flowed. Beyond `bridge_max_s` nothing is counted.
* Counter: the difference modulo 2^bits, so one wrap-around between two readings is right, and a gap costs nothing.
  With `pulses_per_s_max`, a difference that the meter cannot have counted (a reset, a swapped meter) is not billed
  and counting goes on from the new value.
* The first reading is where counting starts. A reading that is not later than the last one was counted already
  (duplicate) or comes out of order; it is skipped, as is one that cannot be read or is negative. Each skip has a
  verdict of its own, and the next good reading makes up for it by the rules above.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Protocol

_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)
_UNIX_SECONDS = re.compile(r"\d{1,11}(\.\d+)?", re.ASCII)
FLOW_ML_S_MAX = 10**12
"""ml/s; about five Amazons. A larger value is no reading."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""where seconds are counted from"""
COUNTER_BITS = (8, 16, 32)
"""widths of pulse counters"""


class ReadingVerdict(StrEnum):
    """What became of a reading."""

    START = "start"
    COUNTED = "counted"
    BRIDGED = "bridged"
    """counted across a gap at the lower flow"""
    GAP_TOO_LONG = "gap_too_long"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    BAD_TIME = "bad_time"
    BAD_VALUE = "bad_value"
    NEGATIVE = "negative"
    IMPLAUSIBLE = "implausible"


SKIPPED = frozenset(
    {
        ReadingVerdict.DUPLICATE,
        ReadingVerdict.OUT_OF_ORDER,
        ReadingVerdict.BAD_TIME,
        ReadingVerdict.BAD_VALUE,
        ReadingVerdict.NEGATIVE,
    }
)
"""verdicts that leave the state as it was"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading as it was received, unread: a source may say anything.

    Attributes
    ----------
    number : position in its source, from 1
    time : ISO 8601, or seconds since 1970; without a zone it is UTC
    value : litres per second or pulses, as decimal text with a point
    """

    number: int
    time: str
    value: str


@dataclass(frozen=True, slots=True)
class MeterState:
    """All a meter remembers.

    Attributes
    ----------
    at : time of the last good reading in seconds since 1970; None before the first
    value : that reading, in ml/s or pulses
    volume_half_ml : volume since the first reading, in half millilitres
    """

    at: int | None = None
    value: int = 0
    volume_half_ml: int = 0

    @property
    def volume_ml(self) -> int:
        """Volume in whole millilitres, rounded down."""
        return self.volume_half_ml // 2

    def units(self, unit_ml: int) -> int:
        """Whole units of `unit_ml` millilitres in the volume."""
        return self.volume_half_ml // (2 * unit_ml)


class Meter(Protocol):
    """What every kind of meter can do."""

    def take(self, state: MeterState, reading: Reading) -> tuple[MeterState, ReadingVerdict]:
        """The state after `reading` and what became of it; never raises for what a reading says."""
        ...


@dataclass(frozen=True, slots=True)
class FlowMeter:
    """A sensor that tells litres per second.

    Attributes
    ----------
    gap_after_s : seconds between readings above which the rule for gaps holds
    bridge_max_s : seconds above which a gap counts nothing
    """

    gap_after_s: int = 5400
    bridge_max_s: int = 48 * 3600

    def take(self, state: MeterState, reading: Reading) -> tuple[MeterState, ReadingVerdict]:
        """See `Meter.take`."""
        at, flow = parse_time(reading.time), parse_flow(reading.value)
        refused = _refusal(state, at, flow)
        if refused:
            return state, refused
        assert at is not None
        assert flow is not None
        if state.at is None:
            return MeterState(at, flow), ReadingVerdict.START
        elapsed_s = at - state.at
        if elapsed_s > self.bridge_max_s:
            volume, verdict = 0, ReadingVerdict.GAP_TOO_LONG
        elif elapsed_s > self.gap_after_s:
            volume, verdict = 2 * min(state.value, flow) * elapsed_s, ReadingVerdict.BRIDGED
        else:
            volume, verdict = (state.value + flow) * elapsed_s, ReadingVerdict.COUNTED
        return MeterState(at, flow, state.volume_half_ml + volume), verdict


@dataclass(frozen=True, slots=True)
class CounterMeter:
    """A counter that ticks once per `pulse_ml` millilitres and wraps around at 2^bits.

    Attributes
    ----------
    pulses_per_s_max : what the meter can count at most; None trusts every difference
    """

    pulse_ml: int
    bits: int = 16
    pulses_per_s_max: int | None = None

    def __post_init__(self) -> None:
        if self.bits not in COUNTER_BITS:
            raise ValueError(f"bits must be one of {COUNTER_BITS}, not {self.bits}")
        if self.pulse_ml < 1:
            raise ValueError(f"pulse_ml must be at least 1, not {self.pulse_ml}")

    def take(self, state: MeterState, reading: Reading) -> tuple[MeterState, ReadingVerdict]:
        """See `Meter.take`."""
        at, count = parse_time(reading.time), parse_count(reading.value, self.bits)
        refused = _refusal(state, at, count)
        if refused:
            return state, refused
        assert at is not None
        assert count is not None
        if state.at is None:
            return MeterState(at, count), ReadingVerdict.START
        pulses = (count - state.value) % 2**self.bits
        most = None if self.pulses_per_s_max is None else self.pulses_per_s_max * (at - state.at)
        if most is not None and pulses > most:
            return MeterState(at, count, state.volume_half_ml), ReadingVerdict.IMPLAUSIBLE
        volume = 2 * pulses * self.pulse_ml
        return MeterState(at, count, state.volume_half_ml + volume), ReadingVerdict.COUNTED


def parse_time(text: str) -> int | None:
    """Whole seconds since 1970, rounded down; None for what is no time."""
    text = text.strip()
    if _UNIX_SECONDS.fullmatch(text):
        return int(Decimal(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(seconds=1)


def parse_flow(text: str) -> int | None:
    """Millilitres per second of a text in litres per second; negative as it is, None for what is no number."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    flow = (Decimal(text) * 1000).to_integral_value(ROUND_HALF_EVEN)
    return int(flow) if abs(flow) <= FLOW_ML_S_MAX else None


def parse_count(text: str, bits: int) -> int | None:
    """A counter's value; None for what is no integer or does not fit `bits`, negative as it is."""
    text = text.strip()
    if not re.fullmatch(r"-?\d{1,12}", text, re.ASCII):
        return None
    count = int(text)
    return count if count < 2**bits else None


def _refusal(state: MeterState, at: int | None, value: int | None) -> ReadingVerdict | None:
    if at is None:
        return ReadingVerdict.BAD_TIME
    if value is None:
        return ReadingVerdict.BAD_VALUE
    if value < 0:
        return ReadingVerdict.NEGATIVE
    if state.at is None or at > state.at:
        return None
    return ReadingVerdict.DUPLICATE if at == state.at else ReadingVerdict.OUT_OF_ORDER
