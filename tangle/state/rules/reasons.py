"""What a rule of the semantic validation is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec

from tangle.protocol.conflicts import Conflict
from tangle.protocol.ruleset import LOCKS

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, eq=False)
class Rule(Generic[P]):
    """One rule of the semantic validation: a row of a table.

    Attributes
    ----------
    name : what must be true, in the words of its source
    source : that asks for it: a TIP, or a set of rules that milestones switch on
    conflict : the reason that a transaction which breaks it is ignored for
    holds : whether it is kept; pure, and true where the rule has nothing to say
    """

    name: str
    source: str
    conflict: Conflict
    holds: Callable[P, bool]

    def __repr__(self) -> str:
        return f"<{self.source}: {self.name}>"


AnyRule = Rule[Any]


def rule(tip: int, conflict: Conflict) -> Callable[[Callable[P, bool]], Rule[P]]:
    """Make a rule of a TIP of a function, named by its docstring."""
    return _made(f"TIP-{tip}", conflict)


def chain_rule(holds: Callable[P, bool]) -> Rule[P]:
    """Make a rule for the states of a chain of a function, named by its docstring."""
    return rule(18, Conflict.CHAIN_TRANSITION_INVALID)(holds)


def lock_rule(conflict: Conflict) -> Callable[[Callable[P, bool]], Rule[P]]:
    """Make a rule of locks of a function, named by its docstring."""
    return _made(LOCKS, conflict)


def _made(source: str, conflict: Conflict) -> Callable[[Callable[P, bool]], Rule[P]]:
    return lambda holds: Rule((holds.__doc__ or holds.__name__).rstrip("."), source, conflict, holds)
