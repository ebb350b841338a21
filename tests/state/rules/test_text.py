"""docs/ledger.md says what the rule tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tangle.protocol.conflicts import Conflict
from tangle.state.rules import OUTPUT_RULES
from tangle.state.rules.text import fill, rule_tables

DOCUMENT = Path(__file__).parents[3] / "docs" / "ledger.md"


def test_document_shows_every_table_as_it_is() -> None:
    text = DOCUMENT.read_text()
    written = fill(text)
    assert text == written, "run python -m tangle.state.rules.text docs/ledger.md"
    assert re.findall(r"<!-- rules: (.+?) -->", text) == list(rule_tables())


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
