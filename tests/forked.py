"""Processes that need not import everything anew: commands, nodes, and what the tests kill.

Starting Python, importing the program and loading its kernels takes most of what a command or a short life takes,
and the tests start some hundred. So a server process (`multiprocessing`, forkserver) does that once, and each
process is a fork of it: with its own arguments, environment, directory, standard files and exit code, as if a
shell had started it.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tangle.cli.main import run as tangle
from tangle.cli.node.service import run_node
from tangle.errors import TangleError
from tangle.terminal.live import report

ROOT = Path(__file__).parents[1]
SPEED = 10
"""how often faster the writer's clock runs than ours: what it waits for comes sooner, and no rule is touched"""
START_S = 120
"""seconds; a first start compiles"""
LOOK_S = 0.01
_FORKSERVER = multiprocessing.get_context("forkserver")
_FORKSERVER.set_forkserver_preload(["tests.preloaded"])
_MODES = {0: "r", 1: "w", 2: "w"}


class Forked:
    """A process that runs `target(*arguments)`; the target is a function of a module.

    Parameters
    ----------
    stdout, stderr : files to append to; None for nowhere
    environment : all of it; None for that of this process
    """

    def __init__(
        self,
        target: Callable[..., None],
        *arguments: object,
        stdin: Path | None = None,
        stdout: Path | None = None,
        stderr: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        files = [str(file or os.devnull) for file in (stdin, stdout, stderr)]
        given = dict(os.environ if environment is None else environment)
        self._process = _FORKSERVER.Process(target=_live, args=(target, arguments, given, files))
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, within_s: float) -> int:
        """The exit code, once it has ended. Raises TimeoutError."""
        self._process.join(within_s)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(f"process {self.pid} has not ended after {within_s} s")
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.send_signal(signal.SIGKILL)
        self._process.join()

    def await_line(self, file: Path) -> str:
        """The first line of what it writes to `file`; fails when it ends before."""
        deadline = time.monotonic() + START_S
        while True:
            code = self.poll()
            line, end, _ = file.read_text().partition("\n") if file.exists() else ("", "", "")
            if end:
                return line
            assert code is None, f"the process has ended with {code}"
            assert time.monotonic() < deadline, "the process says nothing"
            time.sleep(LOOK_S)


def run(
    arguments: Sequence[str], *, stdin: bytes, environment: Mapping[str, str], within_s: float
) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of `tangle` with these arguments.

    Raises
    ------
    TimeoutError : it has not ended after `within_s` seconds; it is killed
    """
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / each for each in ("in", "out", "err")]
        files[0].write_bytes(stdin)
        process = Forked(
            _command, *arguments, stdin=files[0], stdout=files[1], stderr=files[2], environment=environment
        )
        try:
            code = process.wait(within_s)
        except TimeoutError:
            process.kill()
            raise
        return code, files[1].read_bytes(), files[2].read_bytes()


def node(data: Path, port: int, speed: float = SPEED, clock: Path | None = None) -> None:
    """Be `tangle up --json` on `data`, for `Forked` to run, with a writer whose clock runs faster.

    A file `clock` holds the seconds by which the process's clock is wrong, at any moment.

    The time that milestones tell grows by a second with each, and so runs ahead of ours. Blocks wait for their
    parents as long as ever by our clock, and when nothing is new milestones come slowly: what clients still work
    on must not become too old.
    """
    for name, ms in (("PARENTS_WAIT", 3_000), ("CONFIDENCE_INTERVAL", 500), ("MILESTONE_SILENCE", 3_000)):
        os.environ.setdefault(f"TANGLE_{name}_MS", str(round(speed * ms)))
    # A reader's server would load everything anew; where readers are tried they are asked for.
    os.environ.setdefault("TANGLE_READERS", "0")
    if clock is not None:
        right, file = time.time, os.open(clock, os.O_RDONLY)  # kept open: no descriptor may be left
        time.time = lambda: right() + float(os.pread(file, 32, 0) or 0)
    os.environ.setdefault("TANGLE_CLOCK_STEP_MAX_S", str(10**7))
    try:
        run_node({"data": data, "port": port}, as_json=True, ticks=lambda: speed * time.monotonic())
    except TangleError as error:
        sys.exit(report(error, as_json=True))


def party(module: str, *arguments: str) -> None:
    """Be ``python -m module arguments``, for `Forked` to run; `module` is one of `tangle.machines`."""
    sys.argv = [module, *arguments]
    importlib.import_module(module).app()


def _command(*arguments: str) -> None:
    sys.argv = ["tangle", *arguments]
    tangle()


def _live(
    target: Callable[..., None], arguments: Sequence[object], environment: Mapping[str, str], files: Sequence[str]
) -> None:
    """Be the process: what a shell would set is set, then the target runs."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        opened = os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    streams = [open(number, mode, encoding="utf-8", closefd=False) for number, mode in _MODES.items()]  # noqa: SIM115
    sys.stdin, sys.stdout, sys.stderr = streams
    target(*arguments)
