"""Commands in processes of their own that need not import everything anew.

Starting Python and importing the program takes most of a short command's time, and the tests give some hundred
commands. So a server process (`multiprocessing`, forkserver) does the imports once, and every command is a fork of
it: with its own arguments, environment, directory, standard files and exit code, as if a shell had started it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tangle.cli.main import run as tangle

_FORKSERVER = multiprocessing.get_context("forkserver")
_FORKSERVER.set_forkserver_preload(["tests.cli.forked", "tangle.client", "tangle.api.app"])
MODES = {0: "r", 1: "w", 2: "w"}


def run(
    arguments: Sequence[str], *, stdin: bytes, environment: Mapping[str, str], directory: Path, within_s: float
) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of `tangle` with these arguments.

    Raises
    ------
    TimeoutError : it has not ended after `within_s` seconds; it is killed
    """
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / each for each in ("in", "out", "err")]
        files[0].write_bytes(stdin)
        given = tuple(arguments), dict(environment), str(directory), [str(file) for file in files]
        process = _FORKSERVER.Process(target=_live, args=given)
        process.start()
        process.join(within_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"tangle {' '.join(arguments)} has not ended after {within_s} s")
        code = process.exitcode
        process.close()
        return code, files[1].read_bytes(), files[2].read_bytes()


def _live(arguments: Sequence[str], environment: Mapping[str, str], directory: str, files: Sequence[str]) -> None:
    """Be the process: what a shell would set is set, then the program runs."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        opened = os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    streams = [open(number, MODES[number], encoding="utf-8", closefd=False) for number in MODES]  # noqa: SIM115
    sys.stdin, sys.stdout, sys.stderr = streams
    sys.argv = ["tangle", *arguments]
    tangle()
