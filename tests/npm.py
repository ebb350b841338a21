"""Packages of npm for tests and benchmarks that run other people's JavaScript.

They are installed once into a cache directory of the user, outside the repository, from wherever npm is set up to
take them, and without running any script of theirs. Where Node.js or the package cannot be had, whoever asks is
told why and can skip.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

INSTALL_S = 180
RUN_S = 200


class Unavailable(Exception):
    """Node.js or the package cannot be had here; the message says why."""


def installed(package: str, version: str) -> Path:
    """The directory in which `require(package)` finds this version. Raises Unavailable."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Unavailable("needs Node.js and npm: apt-get install nodejs npm")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "tangle-tests" / f"{package.replace('/', '+')}@{version}"
    manifest = place / "node_modules" / package / "package.json"
    if not manifest.exists():
        _install(npm, place, f"{package}@{version}")
    found = json.loads(manifest.read_text())["version"]
    if found != version:
        raise Unavailable(f"{place} holds {package} {found}, not {version}")
    return place


def _install(npm: str, place: Path, what: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    command = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--no-save",
        "--prefix",
        str(place),
        what,
    ]
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm did not bring {what} in {INSTALL_S} s") from None
    if done.returncode:
        raise Unavailable(f"npm cannot bring {what}: {done.stderr.strip()[-300:]}")


def run(place: Path, script: str, *arguments: str) -> Any:
    """What a script, run with the packages in `place`, prints as JSON in its last line. Raises RuntimeError."""
    done = subprocess.run(
        ["node", "-e", script, *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])
