"""What can be wrong with a simulation. Every error names the field and the rule it broke.

TangleError
└── SimError
    ├── BadScenario       a field that no scenario can have
    ├── BadAttack         an adversary did what no issuer can do
    ├── BadResult         a file that is no result, or of a kind this version does not read
    ├── BadSweep          a grid that cannot be run, or a directory that holds another one
    ├── BadMeasure        a measure asked of a result that cannot answer it
    ├── BadReplay         an export or a node that cannot be replayed
    └── EngineMissing     a cluster library that is not installed, or an address nobody answers at
"""

from __future__ import annotations

from tangle.errors import TangleError


class SimError(TangleError):
    """Base of the tree; `field` is what is at fault, `rule` what it broke."""

    code = "sim"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.field = field
        self.rule = rule

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class BadScenario(SimError):
    """A field of a scenario is out of its range, unknown, or contradicts another one."""

    code = "bad_scenario"


class BadAttack(SimError):
    """An adversary issued a block that cannot be: unknown parents, or both sides of a conflict."""

    code = "bad_attack"


class BadResult(SimError):
    """A file is no result of a simulation, or cannot be read."""

    code = "bad_result"


class BadSweep(SimError):
    """A sweep that cannot be run, or whose directory holds another one."""

    code = "bad_sweep"


class BadMeasure(SimError):
    """A measure was asked of a result that cannot answer it."""

    code = "bad_measure"


class BadReplay(SimError):
    """What should be replayed holds no Tangle, or a broken one."""

    code = "bad_replay"


class EngineMissing(SimError):
    """A cluster library is not installed, or no scheduler answers."""

    code = "engine_missing"
