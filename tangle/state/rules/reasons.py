"""What a rule is, and the reasons for which a transaction is ignored (TIP-25)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, ParamSpec

P = ParamSpec("P")


class Conflict(IntEnum):
    """Why a transaction was ignored; the numbers are those of TIP-25."""

    NONE = 0
    INPUT_ALREADY_SPENT = 1
    INPUT_ALREADY_SPENT_IN_THIS_MILESTONE = 2
    INPUT_NOT_FOUND = 3
    AMOUNTS_DO_NOT_BALANCE = 4
    SIGNATURE_INVALID = 5
    TIMELOCK_NOT_EXPIRED = 6
    NATIVE_TOKENS_INVALID = 7
    RETURN_AMOUNT_NOT_FULFILLED = 8
    INPUT_UNLOCK_INVALID = 9
    INPUTS_COMMITMENT_INVALID = 10
    SENDER_NOT_UNLOCKED = 11
    CHAIN_TRANSITION_INVALID = 12
    SEMANTIC_VALIDATION_FAILED = 255


@dataclass(frozen=True, slots=True, eq=False)
class Rule(Generic[P]):
    """One rule of the semantic validation: a row of a table.

    Attributes
    ----------
    name : what must be true, in the words of the TIP
    tip : number of the TIP that asks for it
    conflict : the reason that a transaction which breaks it is ignored for
    holds : whether it is kept; pure, and true where the rule has nothing to say
    """

    name: str
    tip: int
    conflict: Conflict
    holds: Callable[P, bool]

    def __repr__(self) -> str:
        return f"<TIP-{self.tip}: {self.name}>"


AnyRule = Rule[Any]


def rule(tip: int, conflict: Conflict) -> Callable[[Callable[P, bool]], Rule[P]]:
    """Make a rule of a function, named by its docstring."""
    return lambda holds: Rule((holds.__doc__ or holds.__name__).rstrip("."), tip, conflict, holds)


def chain_rule(holds: Callable[P, bool]) -> Rule[P]:
    """Make a rule for the states of a chain of a function, named by its docstring."""
    return rule(18, Conflict.CHAIN_TRANSITION_INVALID)(holds)
