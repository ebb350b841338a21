"""Rule tables, conflict reasons and kinds of conditions as text: the documents say what the node asks and answers.

`docs/ledger.md` and `docs/locks.md` mark where a table stands with `<!-- rules: Title -->`, `<!-- reasons -->` or
`<!-- kinds: place -->`, and `<!-- end -->`; there `python -m tangle.state.rules.text docs/ledger.md docs/locks.md`
writes it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tangle.protocol.codec import Declared, members_of
from tangle.protocol.conflicts import Conflict
from tangle.protocol.fields import Kind, UInt
from tangle.protocol.locks import ASSETS, CONDITIONS
from tangle.protocol.tables import Many, One, TypeTable
from tangle.protocol.transactions import UNLOCKS
from tangle.state.rules.balance import BALANCE_RULES, commitment, sender
from tangle.state.rules.chains import unique
from tangle.state.rules.dues import DUE_RULES
from tangle.state.rules.locks import LOCK_RULES
from tangle.state.rules.reasons import AnyRule
from tangle.state.rules.table import OUTPUT_RULES
from tangle.state.rules.unlocks import UNLOCK_RULES, timelock

KINDS: Mapping[str, TypeTable[Any]] = {table.place: table for table in (CONDITIONS, ASSETS)}
BAR = r"\|"
"""a bar that does not end its cell"""
_PLACE = re.compile(
    r"(<!-- (?:reasons|kinds: (?P<kinds>.+?)|rules: (?P<title>.+?)) -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)


def rule_tables() -> Mapping[str, tuple[AnyRule, ...]]:
    """Title -> rules; every rule stands in at least one table."""
    return {**ledger_tables(), **lock_tables()}


def lock_tables() -> Mapping[str, tuple[AnyRule, ...]]:
    """Title -> rules, of `docs/locks.md`."""
    return {"Locks": LOCK_RULES, "Dues": DUE_RULES}


def ledger_tables() -> Mapping[str, tuple[AnyRule, ...]]:
    """Title -> rules, of `docs/ledger.md`."""
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
    """One row per rule: what must hold, who says so, and the conflict reason when it does not."""
    rows = [f"| {asked.name.replace('|', BAR)} | {asked.source} | {int(asked.conflict)} |" for asked in rules]
    return "\n".join(["| must hold | source | conflict |", "|---|---|---|", *rows]) + "\n"


def reasons_table() -> str:
    """One row per reason that a rule can have."""
    told = [reason for reason in Conflict if reason not in {Conflict.NONE, Conflict.SEMANTIC_VALIDATION_FAILED}]
    rows = [f"| {int(reason)} | {reason.meaning} |" for reason in told]
    return "\n".join(["| conflict | what happened |", "|---|---|", *rows]) + "\n"


def kinds_table(table: TypeTable[Any]) -> str:
    """One row per kind of condition, or of asset: its number, its fields, what proves it."""
    proven = table is CONDITIONS
    head = ["number", "name", "fields behind the number", *["proof"] * proven, "what it says"]
    rows = [head, ["---"] * len(head)]
    for number, kind in table.classes.items():
        proof = [_proof(kind.PROOF)] if proven else []
        rows.append([str(number), kind.__name__, _fields(kind), *proof, (kind.__doc__ or "").rstrip(".")])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _proof(proof: Any) -> str:
    if isinstance(proof, TypeTable):
        return ", or ".join(f"`u8 {number}`, {_fields(kind)}" for number, kind in proof.classes.items())
    return _fields(proof)


def _fields(kind: type[Declared]) -> str:
    """Form and name of each member, in order of the bytes."""
    return ", ".join(f"{_form(member.kind)} {member.name}" for member in members_of(kind)) or "nothing"


def _form(kind: Kind) -> str:
    if isinstance(kind, UInt):
        return f"`u{8 * kind.width}`"
    if isinstance(kind, Many) and isinstance(kind.of, type):
        return f"`u{8 * kind.prefix}` number of parts, for each ({_fields(kind.of)}):"
    return f"[{kind.table.place}]" if isinstance(kind, One) else f"`{kind.width} bytes`"


def fill(document: str) -> str:
    """`document` with every marked table written anew. Raises KeyError for a title that no table has."""
    tables = rule_tables()

    def written(place: re.Match[str]) -> str:
        if place["title"]:
            table = markdown_table(tables[place["title"]])
        else:
            table = kinds_table(KINDS[place["kinds"]]) if place["kinds"] else reasons_table()
        return place[1] + table + place["end"]

    return _PLACE.sub(written, document)


if __name__ == "__main__":
    for document in map(Path, sys.argv[1:]):
        document.write_text(fill(document.read_text()))
