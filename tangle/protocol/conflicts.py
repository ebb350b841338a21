"""Why the ledger ignores a transaction (TIP-25, `conflictReason`): numbers and what they mean, told once."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Conflict(IntEnum):
    """A reason; `meaning` is what people are told."""

    meaning: str

    def __new__(cls, number: int, meaning: str = "") -> Self:
        """A member of that number."""
        made = int.__new__(cls, number)
        made._value_ = number
        made.meaning = meaning
        return made

    NONE = 0, "it was not ignored"
    INPUT_ALREADY_SPENT = 1, "an input was already spent"
    INPUT_ALREADY_SPENT_IN_THIS_MILESTONE = 2, "an input was already spent under the same milestone"
    INPUT_NOT_FOUND = 3, "an input is not in the ledger"
    AMOUNTS_DO_NOT_BALANCE = 4, "inputs and outputs do not add up to the same amount"
    SIGNATURE_INVALID = 5, "a signature is invalid"
    TIMELOCK_NOT_EXPIRED = 6, "a timelock has not expired yet"
    NATIVE_TOKENS_INVALID = 7, "the native tokens are invalid"
    RETURN_AMOUNT_NOT_FULFILLED = 8, "a return amount is not fulfilled by the outputs"
    INPUT_UNLOCK_INVALID = 9, "an unlock does not unlock its input"
    INPUTS_COMMITMENT_INVALID = 10, "the inputs commitment does not match the inputs"
    SENDER_NOT_UNLOCKED = 11, "an output names a sender whose address is not unlocked"
    CHAIN_TRANSITION_INVALID = 12, "the state transition of a chain is invalid"
    SEMANTIC_VALIDATION_FAILED = 255, "the ledger refused it without a more precise reason"


def meaning(reason: int) -> str:
    """What the number says; other nodes may know more of them than this program."""
    known = {int(conflict): conflict.meaning for conflict in Conflict}
    return known.get(reason, "a reason this client does not know")
