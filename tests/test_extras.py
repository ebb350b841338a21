"""A library that is not installed is told with the extra that brings it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tangle.extras import ExtraMissing, needs

ROOT = Path(__file__).parents[1]
CLIENT = (
    "tangle.client",
    "tangle.mam",
    "tangle.parties.agent",
    "tangle.parties.ledger",
    "tangle.machines.machine",
)
"""what runs on the base install"""
WORK = """
import asyncio, sys
sys.modules["numba"] = None
from tangle.client.node import pow
from tangle.extras import ExtraMissing
from tangle.protocol.blocks import Block
try:
    asyncio.run(pow.work(Block((bytes(32),)), 1500))
except ExtraMissing as error:
    print(error.code, error.extra, error)
"""


IMPORT = """
from tangle.extras import ExtraMissing
try:
    import {room}
except ExtraMissing as error:
    print(error)
"""


def run(code: str) -> str:
    """What a program prints in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def without(library: str, code: str) -> str:
    """What a program prints where a library is not installed."""
    return run(f"import sys; sys.modules[{library!r}] = None\n{code}")


def test_the_error_names_what_to_install() -> None:
    with pytest.raises(ExtraMissing) as missing:
        needs("pow", "proof of work", "json", "no_such_library")
    assert str(missing.value) == (
        'proof of work needs no_such_library, which is not installed: pip install "tangle-ledger[pow]"'
    )


@pytest.mark.parametrize(
    ("room", "library", "extra"),
    [
        ("tangle.sim", "pydantic", "sim"),
        ("tangle.tipselect", "numba", "pow"),
        ("tangle.node", "numba", "node"),
        ("tangle.store", "sqlalchemy", "node"),
        ("tangle.service", "pydantic_settings", "node"),
        ("tangle.api", "fastapi", "node"),
    ],
)
def test_a_room_without_its_library_names_the_extra(room: str, library: str, extra: str) -> None:
    told = without(library, IMPORT.format(room=room))
    assert library in told
    assert told.endswith(f'pip install "tangle-ledger[{extra}]"')


@pytest.mark.parametrize(
    ("arguments", "extra"), [(["up"], "node"), (["audit"], "node"), (["init"], "node"), (["sim", "list"], "sim")]
)
def test_a_command_without_its_library_names_the_extra(arguments: list[str], extra: str) -> None:
    program = f"sys.argv[1:] = {arguments!r}; from tangle.cli.main import run; run()"
    code = f"import sys; sys.modules['numba'] = None; {program}"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert f'pip install "tangle-ledger[{extra}]"' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_client_loads_the_base_install_only() -> None:
    heavy = ("numba", "numpy", "sqlalchemy", "fastapi", "pydantic", "uvloop", "networkx", "mnemonic")
    code = f"import sys, {', '.join(CLIENT)}; print([name for name in {heavy!r} if name in sys.modules])"
    assert run(code) == "[]"


def test_work_without_its_library_names_the_extra() -> None:
    told = run(WORK)
    assert told.startswith("extra_missing pow proof of work on this machine needs numba")
    assert told.endswith('pip install "tangle-ledger[pow]"')
