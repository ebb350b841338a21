"""docs/ledger.md and docs/locks.md say what the rule tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tangle.protocol.conflicts import Conflict
from tangle.state.rules import OUTPUT_RULES
from tangle.state.rules.text import KINDS, fill, ledger_tables, lock_tables

DOCUMENT = Path(__file__).parents[3] / "docs" / "ledger.md"
TABLES = {"ledger.md": ledger_tables(), "locks.md": lock_tables()}


@pytest.mark.parametrize("name", TABLES)
def test_document_shows_every_table_as_it_is(name: str) -> None:
    text = DOCUMENT.with_name(name).read_text()
    assert text == fill(text), f"run python -m tangle.state.rules.text docs/{name}"
    assert re.findall(r"<!-- rules: (.+?) -->", text) == list(TABLES[name])


def test_locks_document_shows_every_kind() -> None:
    text = DOCUMENT.with_name("locks.md").read_text()
    assert re.findall(r"<!-- kinds: (.+?) -->", text) == list(KINDS)


def test_document_has_a_picture_for_each_output() -> None:
    text = DOCUMENT.read_text()
    for rules in OUTPUT_RULES.values():
        assert re.search(rf"^## {rules.name}\n(?:(?!^## ).*\n)*?```mermaid\nstateDiagram-v2\n", text, re.MULTILINE)


def test_document_names_every_reason() -> None:
    listed = {int(number) for number in re.findall(r"^\| (\d+) \| [a-z]", DOCUMENT.read_text(), re.MULTILINE)}
    assert listed == set(Conflict) - {Conflict.NONE, Conflict.SEMANTIC_VALIDATION_FAILED}


def test_unknown_title_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("<!-- rules: Nothing -->\n<!-- end -->")
