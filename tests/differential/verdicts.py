"""Where our verdict and that of iota-sdk differ though they should not; and where they may, with the reason."""

from __future__ import annotations

import random

from tangle.protocol.conflicts import Conflict
from tangle.protocol.parameters import ProtocolParameters
from tangle.state.rules import unlocks
from tangle.state.rules.reasons import AnyRule
from tests.differential.cases import SEEDS, Case, Change, Seeds, sample
from tests.differential.oracle import INPUT_NOT_FOUND, Ours, Theirs, ours, theirs
from tests.networks import PARAMETERS


def disagreement(our: Ours, their: Theirs) -> str | None:
    """What is told of two verdicts that differ though they should not."""
    differ = (our == ()) != (their is Conflict.NONE)
    if not isinstance(our, str) and isinstance(their, Conflict) and len(reasons(our)) == 1:
        # Of several reasons each tells the first in an order that no TIP sets; of one alone there is no choice.
        differ = [their] != reasons(our)
    return f"ours: {our}, theirs: {their}" if differ and our not in UNASKED else None


def reasons(broken: tuple[AnyRule, ...]) -> list[Conflict]:
    return list(dict.fromkeys(rule.conflict for rule in broken))


UNASKED: list[Ours] = [
    # They are handed what is consumed and look nothing up.
    INPUT_NOT_FOUND,
    # TIP-20: "the referenced Signature Unlock must be valid with respect to the UTXO". They ask whether the
    # address was unlocked, by whichever input; a note in their source says that this is still to do.
    (unlocks.reference,),
]
"""what they take and we must not"""


LISTS = {"nativeTokens", "unlockConditions", "features", "immutableFeatures"}
"""lists that they sort, and from which they drop what is there twice"""


def is_of_json(change: Change, our: Ours) -> bool:
    """Whether what they take is refused by their own decoder of bytes, and only out of JSON they take it."""
    if LISTS & set(change.path) and str(our).startswith(("repeated", "not_sorted", "count_out_of_range")):
        return True
    if change.path[-1] == "type":
        return str(our).startswith("unknown_type")
    if change.path[-1] in {"amount", "mintedTokens", "meltedTokens", "maximumSupply"}:
        # An amount of no tokens, and a number without its 0x.
        return str(our).startswith(("amount_out_of_range", "malformed_json"))
    return False


def differences(
    case: Case,
    rng: random.Random,
    count: int,
    seeds: Seeds = SEEDS,
    parameters: ProtocolParameters = PARAMETERS,
) -> tuple[int, list[str]]:
    """How many changes of `case` were tried, `count` at the most, and where the verdicts differ."""
    tried, found = 0, []
    for change, made in sample(case, rng, count, seeds):
        our = ours(made, parameters)
        told = disagreement(our, theirs(made, parameters))
        if told and not is_of_json(change, our):
            found.append(f"{change}: {told}")
        tried += 1
    return tried, found
