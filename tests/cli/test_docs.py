"""What docs/cli.md says is what the command does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tangle.cli.main import command as tangle
from tangle.errors import Ending, TangleError
from tests.cli.conftest import ROOT

TEXT = (ROOT / "docs" / "cli.md").read_text()
EVERYWHERE = {"--help", "--json", "--node", "--wallet", "--data", "--config"}
"""explained once for all commands"""


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its whole name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, child in inner.items():
        yield from commands(child, f"{name} {word}")


COMMANDS = dict(commands(tangle, "tangle"))


def section(name: str) -> str:
    found = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section {name}"
    return found[1]


def test_sections_are_the_commands() -> None:
    assert set(re.findall(r"^### (tangle .*)$", TEXT, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_explained_and_exist(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option[:2] == "--"}
    common = TEXT[TEXT.index("## Common ground") : TEXT.index("### Exit codes")]
    described = set(re.findall(r"--[a-z-]+", section(name)))
    assert options - described - set(re.findall(r"--[a-z-]+", common)) - EVERYWHERE == set()
    known = options | {other for parameter in COMMANDS[name].params for other in parameter.secondary_opts}
    assert described - known == set()


def test_exit_codes_are_those_of_the_command() -> None:
    table = TEXT[TEXT.index("### Exit codes") : TEXT.index("## Running")]
    rows = {int(code): text for code, text in re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE)}
    assert rows == {ending.exit_code: ending.meaning for ending in Ending if ending.meaning}
    assert set(rows) == {ending.exit_code for ending in Ending}


def test_hints_name_commands_that_exist() -> None:
    named = {name for kind in TangleError.kinds() for name in re.findall(r"`(tangle [a-z ]+)`", kind.hint)}
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith(("tangle wallet ", "tangle mam "))])
def test_examples_in_the_help_are_calls_that_can_be_made(name: str) -> None:
    words = shlex.split(COMMANDS[name].epilog.splitlines()[-1])
    assert " ".join(words[:3]) == name
    # Raises what a user would see where an argument or option is wrong.
    COMMANDS[name].make_context(name, words[3:])
