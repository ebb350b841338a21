"""Conflict reasons are told in the same words everywhere."""

import re
from pathlib import Path

from tangle.client.errors import Conflicting
from tangle.protocol.conflicts import Conflict, meaning

WORDS = Path(__file__).parents[2] / "api" / "web" / "words.js"


def test_the_page_tells_reasons_in_the_same_words() -> None:
    (table,) = re.findall(r"export const CONFLICTS = \{\n(.*?)\};", WORDS.read_text(), re.DOTALL)
    told = {int(number): text for number, text in re.findall(r'^  (\d+): "(.*)",$', table, re.MULTILINE)}
    assert told == {int(reason): reason.meaning for reason in Conflict if reason is not Conflict.NONE}


def test_a_reason_that_only_other_nodes_know_is_no_error() -> None:
    assert meaning(5) == Conflict(5).meaning == "a signature is invalid"
    assert meaning(200) == "a reason this client does not know"
    assert str(Conflicting(bytes(32), 200)).endswith("(200): a reason this client does not know")
