"""Scenarios as TOML files: those of a user, and the declared ones in `sim/scenarios`, which have names.

    # Tips of a network at rest.
    arrivals = 100.0
    selector = "uniform"
    blocks = 100_000

    [adversary]
    attack = "parasite-chain"
    share = 0.2

    [sweep]
    repeats = 10
    grid = { "adversary.share" = [0.1, 0.2, 0.3] }

Fields are those of `Scenario`. The comment at the top says in its first sentence what it is; the optional table
`sweep` declares a sweep over it. What is wrong is told with file, field and rule.

Fields of tables are named with dots, places in lists with their index: "adversary.share", "settings.age",
"agents.0.share".
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tangle.disk.errors import TextRefused
from tangle.disk.texts import read_text
from tangle.sim.errors import BadScenario
from tangle.sim.fields import Needed, Range, dotted, refusal
from tangle.sim.scenario import Scenario
from tangle.sim.tables import changed

DECLARED = Path(__file__).parent / "scenarios"
SUFFIX = ".toml"
SWEEP = "sweep"
"""table of a file that is not part of the scenario"""
FILE_BYTES_MAX = 16 * 2**20
"""of a scenario file; anything larger is none"""


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared scenario: its name, what it is in a line, and its file."""

    name: str
    title: str
    path: Path


def declared(directory: Path = DECLARED) -> list[Declared]:
    """Return the declared scenarios in the order of their names."""
    return [Declared(path.stem, _title(path), path) for path in sorted(directory.glob("*" + SUFFIX))]


def load_scenario(source: str | Path, changes: Mapping[str, Any] | None = None) -> Scenario:
    """Return the scenario of a TOML file, or the declared one of that name.

    changes : field -> value, put in before the scenario is checked

    BadScenario names the file, the field and the rule.
    """
    path = find(source)
    return scenario_of(read(path), path, changes)


def scenario_of(table: Mapping[str, Any], path: Path, changes: Mapping[str, Any] | None = None) -> Scenario:
    """Return the scenario in the table of a file; one without a name gets that of the file."""
    given = {"name": path.stem, **{key: value for key, value in table.items() if key != SWEEP}}
    try:
        return Scenario.from_table(changed(given, changes or {}))
    except BadScenario as error:
        raise BadScenario(f"{path}: {error.field}", error.rule) from None


class Grid(BaseModel):
    """What a file's table `sweep` says; fields of the grid in the order of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    grid: Annotated[dict[str, list[Any]], Needed("a table of lists is needed, fields with dots in quotes")] = {}
    repeats: Annotated[int, Range(1)] = 1


def sweep_of(table: Mapping[str, Any], path: Path) -> Grid:
    """Return the sweep that a file declares; without one, a single run."""
    try:
        return Grid.model_validate(table.get(SWEEP, {}))
    except ValidationError as error:
        where, rule = refusal(error)
        rule = "unknown; there are grid and repeats" if rule == "unknown" else rule
        raise BadScenario(f"{path}: {dotted([SWEEP, *where])}", rule) from None


def find(source: str | Path) -> Path:
    """Return the file that is meant: itself, or the one of a declared scenario."""
    text = str(source)
    if isinstance(source, Path) or text.endswith(SUFFIX) or "/" in text:
        return Path(source)
    path = DECLARED / (text + SUFFIX)
    if path.is_file():
        return path
    known = ", ".join(each.name for each in declared()) or "none"
    raise BadScenario(text, f"no such scenario; files end in {SUFFIX}, and declared are {known}")


def read(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file. BadScenario names the file, and the line that is no TOML."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BadScenario(str(path), f"longer than the {FILE_BYTES_MAX:,} bytes of a scenario file")
        return tomllib.loads(read_text(path))
    except OSError as error:
        raise BadScenario(str(path), error.strerror or "it cannot be read") from None
    except TextRefused as error:
        raise BadScenario(str(path), error.rule) from None
    except tomllib.TOMLDecodeError as error:
        raise BadScenario(str(path), f"not TOML: {error}") from None


def value_of(text: str) -> Any:
    """Return a value as a command line has it: TOML, or a word that needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def assignment(text: str) -> tuple[str, Any]:
    """Return the field and the value of `field=value`. BadScenario where there is no such thing."""
    field, equals, value = text.partition("=")
    if not equals or not field.strip():
        raise BadScenario(text, "field=value is needed")
    return field.strip(), value_of(value.strip())


def choices(text: str) -> tuple[str, list[Any]]:
    """Return the field and the values of `field=value,value`; commas within brackets and quotes are no borders."""
    field, equals, value = text.partition("=")
    if not equals or not field.strip():
        raise BadScenario(text, "field=value,value,… is needed")
    try:
        found: list[Any] = tomllib.loads(f"values = [{value}]")["values"]
    except tomllib.TOMLDecodeError:
        found = [value_of(each.strip()) for each in value.split(",")]
    return field.strip(), found


def _title(path: Path) -> str:
    """Return the first sentence of the comment that a file begins with."""
    try:
        lines = read_text(path).lstrip().splitlines()
    except (OSError, TextRefused):
        return ""
    comment = itertools.takewhile(lambda line: line.startswith("#"), lines)
    text = " ".join(line.lstrip("# ").strip() for line in comment)
    return re.split(r"(?<=[.!?]) ", text, maxsplit=1)[0]
