"""What the demonstration runs: prices, speed, and a unit that fits the readings."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from tangle.errors import TangleError
from tangle.machines.meter import FlowMeter, MeterState
from tangle.machines.readings import ReadingsForm, read
from tangle.machines.terms import ML_PER_LITRE

UNITS = 60
"""units that the deposit is for; the stop comes before they are used up"""
UNITS_AIMED_AT = 48
"""units that are produced until the stop, at most"""
ROUND_STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100)
"""multiples of a power of ten that are easy to read"""
AUDITED_UNITS = 12
"""units after which the owner shuts the auditor out"""
PRICE = 1000
"""base units per unit"""
READINGS_PER_S = 2.0
"""speed of the replay"""


class DemoFailed(TangleError):
    """The demonstration did not get to its end."""

    code = "demo_failed"
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run.

    Attributes
    ----------
    unit_litres : litres per unit
    production_s : seconds from the deposit to the request to stop, on a machine that keeps up
    """

    readings: Path
    form: ReadingsForm
    unit_litres: int
    production_s: float
    directory: Path

    @property
    def units(self) -> int:
        """Units after which the customer asks for the stop; on a slow machine they take longer."""
        return max(
            _replayed(self.readings, self.form, self.production_s).units(self.unit_litres * ML_PER_LITRE), 1
        )


def unit_litres(path: Path, form: ReadingsForm, production_s: float) -> int:
    """Litres per unit, a round number, so that a replay of `production_s` seconds makes most of the units ordered.

    Raises
    ------
    DemoFailed : the readings hold no volume
    """
    wanted = Fraction(_replayed(path, form, production_s).volume_ml, ML_PER_LITRE * UNITS_AIMED_AT)
    if wanted == 0:
        raise DemoFailed(f"{path}: the first readings hold no volume that units could be made of")
    magnitude: int = 10 ** max(len(str(int(wanted))) - 2, 0)
    return next(step * magnitude for step in ROUND_STEPS if step * magnitude >= wanted)


def _replayed(path: Path, form: ReadingsForm, production_s: float) -> MeterState:
    """What a meter shows after the readings of so many seconds."""
    meter, state = FlowMeter(), MeterState()
    for reading in islice(read(path, form), max(2, int(production_s * READINGS_PER_S))):
        state, _ = meter.take(state, reading)
    return state
