"""What is installed: one top-level name, all rooms, types, and nothing that a user's own folders could break."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USER_FOLDERS = ("api", "cli", "client", "machines", "mam", "sim", "tipselect")
"""names that earlier builds laid into site-packages, and that a user may well give to folders"""
HEAVY = ("alembic", "fastapi", "matplotlib", "networkx", "numba", "numpy", "pyarrow", "sqlalchemy", "uvloop")
"""what only extras bring"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, as an installer lays it down."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project whose folders have the names that ours have, and fail when they are imported."""
    for name in USER_FOLDERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('this is the folder of the user')\n")
    return tmp_path


def python(site: Path, project: Path, *arguments: str) -> str:
    """What Python prints in the user's project, with the wheel before everything that is installed here."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_wheel_lays_one_name(installed: Path) -> None:
    assert sorted(path.name.partition("-")[0] for path in installed.iterdir()) == ["tangle", "tangle_ledger"]
    assert (installed / "tangle" / "py.typed").is_file()
    for room in (ROOT / "tangle").rglob("__init__.py"):
        assert (installed / "tangle" / room.relative_to(ROOT / "tangle")).is_file(), room
    assert list((installed / "tangle" / "store" / "migrations" / "versions").glob("*.py"))
    assert list((installed / "tangle" / "api" / "web").glob("*.html"))


def test_folders_of_the_user_break_nothing(installed: Path, project: Path) -> None:
    program = "import tangle.client, tangle.mam, tangle.sim, tangle.api; print(tangle.client.__file__)"
    assert python(installed, project, "-c", program).startswith(str(installed))
    assert re.match(r"tangle \d", python(installed, project, "-m", "tangle", "--version"))


def test_the_client_needs_no_extra(installed: Path, project: Path) -> None:
    program = f"import sys, tangle.client, tangle.machines; print([n for n in {HEAVY} if n in sys.modules])"
    assert python(installed, project, "-c", program).strip() == "[]"


@pytest.mark.slow
def test_the_program_of_the_readme_is_typed(installed: Path, project: Path) -> None:
    (text,) = re.findall(r"```python\n(import asyncio\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (project / "program.py").write_text(text)
    python(
        installed, project, "-m", "mypy", "--strict", "--cache-dir", str(installed.parent / "mypy"), "program.py"
    )
