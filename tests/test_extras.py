"""A library that is not installed is told with the extra that brings it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tangle.extras import ExtraMissing, extra

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


def run(code: str) -> str:
    """What a program prints in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_error_names_what_to_install() -> None:
    with pytest.raises(ExtraMissing) as missing, extra("pow", "proof of work"):
        importlib.import_module("no_such_library.part")
    assert str(missing.value) == (
        'proof of work needs no_such_library, which is not installed: pip install "tangle-ledger[pow]"'
    )


def test_a_fault_of_our_own_is_none_of_an_extra() -> None:
    with pytest.raises(ModuleNotFoundError), extra("pow", "proof of work"):
        importlib.import_module("tangle.no_such_room")


def test_the_client_loads_the_base_install_only() -> None:
    heavy = ("numba", "numpy", "sqlalchemy", "fastapi", "pydantic", "uvloop", "networkx", "mnemonic")
    code = f"import sys, {', '.join(CLIENT)}; print([name for name in {heavy!r} if name in sys.modules])"
    assert run(code) == "[]"


def test_work_without_its_library_names_the_extra() -> None:
    told = run(WORK)
    assert told.startswith("extra_missing pow proof of work on this machine needs numba")
    assert told.endswith('pip install "tangle-ledger[pow]"')
