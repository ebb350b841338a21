"""The rule tables as text, for `docs/ledger.md`: what the document says is what the node asks.

The document marks where a table stands with `<!-- rules: Title -->` and `<!-- end -->`; there
`python -m tangle.state.rules.text docs/ledger.md` writes it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tangle.protocol.transactions import UNLOCKS
from tangle.state.rules.balance import BALANCE_RULES, commitment, sender
from tangle.state.rules.chains import unique
from tangle.state.rules.reasons import AnyRule
from tangle.state.rules.table import OUTPUT_RULES
from tangle.state.rules.unlocks import UNLOCK_RULES, timelock

BAR = r"\|"
"""a bar that does not end its cell"""
_PLACE = re.compile(r"(<!-- rules: (?P<title>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


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


def fill(document: str) -> str:
    """`document` with every marked table written anew. Raises KeyError for a title that no table has."""
    tables = rule_tables()
    return _PLACE.sub(lambda place: place[1] + markdown_table(tables[place["title"]]) + place[3], document)


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(fill(document.read_text()))
