"""The command as a user runs it: a process of its own, against a node that is a process of its own."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.forked import START_S, Forked

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tangle"]
RUN_S = 60


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it wrote."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error as programs read it: one JSON line, whose exit code is that of the process."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        error = json.loads(lines[0])["error"]
        assert error["exitCode"] == self.code
        assert self.raw == b""
        return error


Run = Callable[..., Ended]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Nothing that the machine's user has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANGLE_")}
    return {name: value for name, value in kept.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}


@pytest.fixture(scope="session")
def run(environment: dict[str, str]) -> Run:
    def run(*args: object, stdin: bytes = b"", **variables: str) -> Ended:
        code, out, told = forked.run(
            [*map(str, args)], stdin=stdin, environment=environment | variables, within_s=RUN_S
        )
        err = told.decode()
        assert "Traceback" not in err, err
        return Ended(code, out, err)

    return run


@dataclass
class RunningNode:
    """A node in a process of its own, ready."""

    process: subprocess.Popen[bytes] | Forked
    ready: dict[str, str]

    @property
    def url(self) -> str:
        return self.ready["url"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def data(self) -> Path:
        return Path(self.ready["data"])

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(RUN_S)


StartNode = Callable[..., RunningNode]


@pytest.fixture(scope="session")
def start_node(environment: dict[str, str]) -> Iterator[StartNode]:
    """Start nodes whose milestones come ten times sooner."""
    started: list[Forked] = []

    def start(data: Path, port: int = 0) -> RunningNode:
        out = data.with_name(f"{data.name}.out-{len(started)}")
        process = Forked(forked.node, data, port, stdout=out, environment=environment)
        started.append(process)
        return RunningNode(process, json.loads(process.await_line(out)))

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def tangle_up(environment: dict[str, str]) -> Iterator[StartNode]:
    """Start nodes as a user does: `tangle up`, with Python and all."""
    started: list[subprocess.Popen[bytes]] = []

    def start(data: Path) -> RunningNode:
        command = [*COMMAND, "up", "--port", "0", "--data", str(data), "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT)
        started.append(process)
        assert process.stdout is not None
        return RunningNode(process, json.loads(_line(process.stdout.readline)))

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def node(start_node: StartNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node with a fresh network for all tests; that it stops in order is part of them."""
    node = start_node(tmp_path_factory.mktemp("node") / "data")
    yield node
    assert node.stop() == 0


@pytest.fixture(scope="session")
def tangle(run: Run, node: RunningNode) -> Run:
    """The command, told where the node is."""
    return partial(run, TANGLE_NODE=node.url)


@dataclass(frozen=True)
class Purse:
    """A wallet file and its first address."""

    path: Path
    address: str


def purse(run: Run, node: RunningNode, path: Path) -> Purse:
    made = run("wallet", "new", "--wallet", path, "--json", TANGLE_NODE=node.url)
    return Purse(path, made.json["address"])


def _line(read: Callable[[], bytes]) -> bytes:
    """A line that `read` waits for, at most START_S seconds."""
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=lambda: lines.put(read()), daemon=True).start()
    return lines.get(timeout=START_S)
