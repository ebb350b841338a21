"""Semantic validation: the rules of TIP-18 and TIP-20 that need to see what a transaction consumes.

Rules are rows: each names itself in the words of its TIP, carries the reason that TIP-25 tells for it, and is
a pure function. `table` holds one row per output type, each type's rules stand in its own module; `unlocks`
holds one row per unlock type; `balance` and `chains` ask what concerns the transaction as a whole; `locks` and
`dues` ask what those ask for whose locks it shows; `validation` asks all of it in order.
"""

from tangle.protocol.conflicts import Conflict
from tangle.state.rules.context import Consumed, Context
from tangle.state.rules.reasons import Rule
from tangle.state.rules.table import OUTPUT_RULES
from tangle.state.rules.unlocks import UNLOCK_RULES
from tangle.state.rules.validation import check_semantics, semantic_context, violations

__all__ = [
    "OUTPUT_RULES",
    "UNLOCK_RULES",
    "Conflict",
    "Consumed",
    "Context",
    "Rule",
    "check_semantics",
    "semantic_context",
    "violations",
]
