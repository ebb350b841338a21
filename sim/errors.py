"""What can be wrong with a simulation. Every error names the field and the rule it broke.

BrokenRule
└── SimError
    ├── BadScenario       a field that no scenario can have
    ├── BadAttack         an adversary did what no issuer can do
    ├── BadResult         a file that is no result, or of a kind this version does not read
    ├── BadSweep          a grid that cannot be run, or a directory that holds another one
    ├── BadMeasure        a measure asked of a result that cannot answer it
    ├── BadReplay         an export or a node that cannot be replayed
    └── EngineMissing     an address nobody answers at, or workers that lack a package
"""

from __future__ import annotations

from tangle.errors import BrokenRule, Ending


class SimError(BrokenRule):
    """Base of the tree; `field` is what is at fault, `rule` what it broke."""

    code = "sim"
    ending = Ending.SIMULATION


class BadScenario(SimError):
    """A field of a scenario is out of its range, unknown, or contradicts another one."""

    code = "bad_scenario"
    ending = Ending.USAGE


class BadAttack(SimError):
    """An adversary issued a block that cannot be: unknown parents, or both sides of a conflict."""

    code = "bad_attack"


class BadResult(SimError):
    """A file is no result of a simulation, or cannot be read."""

    code = "bad_result"


class BadSweep(SimError):
    """A sweep that cannot be run, or whose directory holds another one."""

    code = "bad_sweep"
    ending = Ending.USAGE


class BadMeasure(SimError):
    """A measure was asked of a result that cannot answer it."""

    code = "bad_measure"
    ending = Ending.USAGE


class BadReplay(SimError):
    """What should be replayed holds no Tangle, or a broken one."""

    code = "bad_replay"


class EngineMissing(SimError):
    """No scheduler answers, or its workers lack a package or have another version of one."""

    code = "engine_missing"
