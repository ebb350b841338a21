"""The conflict reasons and rule tables as text, for `docs/ledger.md`: it says what the node asks and answers.

The document marks where a table stands with `<!-- rules: Title -->` or `<!-- reasons -->`, and `<!-- end -->`;
there `python -m tangle.state.rules.text docs/ledger.md` writes it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tangle.protocol.conflicts import Conflict
from tangle.protocol.transactions import UNLOCKS
from tangle.state.rules.balance import BALANCE_RULES, commitment, sender
from tangle.state.rules.chains import unique
from tangle.state.rules.reasons import AnyRule
from tangle.state.rules.table import OUTPUT_RULES
from tangle.state.rules.unlocks import UNLOCK_RULES, timelock

BAR = r"\|"
"""a bar that does not end its cell"""
_PLACE = re.compile(r"(<!-- (?:reasons|rules: (?P<title>.+?)) -->\n).*?(<!-- end -->)", re.DOTALL)


def rule_tables() -> Mapping[str, tuple[AnyRule, ...]]:
    """Title -> rules; every rule stands in at least one table."""
    tables: dict[str, tuple[AnyRule, ...]] = {
        "Transaction": (commitment, sender, *BALANCE_RULES, unique),
        "Every input": (timelock,),
    }
    for unlock in UNLOCKS.classes.values():
        tables[re.sub(r"(?<=\w)(?=Unlock)", " ", unlock.__name__)] = UNLOCK_RULES[unlock.TYPE]
    for rules in OUTPUT_RULES.values():
        steps: dict[str, tuple[AnyRule, ...]] = {"creation": rules.creation}
        steps |= {**rules.transitions, "destruction": rules.destruction}
        tables |= {f"{rules.name}, {step}": asked for step, asked in steps.items() if asked}
    return tables


def markdown_table(rules: tuple[AnyRule, ...]) -> str:
    """One row per rule: what must hold, the TIP that says so, and the conflict reason when it does not."""
    rows = [f"| {asked.name.replace('|', BAR)} | TIP-{asked.tip} | {int(asked.conflict)} |" for asked in rules]
    return "\n".join(["| must hold | source | conflict |", "|---|---|---|", *rows]) + "\n"


def reasons_table() -> str:
    """One row per reason that a rule can have."""
    told = [reason for reason in Conflict if reason not in {Conflict.NONE, Conflict.SEMANTIC_VALIDATION_FAILED}]
    rows = [f"| {int(reason)} | {reason.meaning} |" for reason in told]
    return "\n".join(["| conflict | what happened |", "|---|---|", *rows]) + "\n"


def fill(document: str) -> str:
    """`document` with every marked table written anew. Raises KeyError for a title that no table has."""
    tables = rule_tables()

    def written(place: re.Match[str]) -> str:
        title = place["title"]
        return place[1] + (markdown_table(tables[title]) if title else reasons_table()) + place[3]

    return _PLACE.sub(written, document)


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(fill(document.read_text()))
