"""A node in a process of its own: started, asked, stopped, killed, started again. Its milestones come sooner.

The port is kept from one life to the next, so that a client which lost its node finds it again. It is taken from
below the range from which systems hand out ports by themselves: nobody else gets it while the node is down.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from pathlib import Path

import httpx

from tests import forked
from tests.forked import SPEED, START_S, Forked

STOP_S = 30
LOOK_S = 0.03
LOG_LINES = 60
"""lines of the log that a failing test shows"""
PORTS = range(20_000, 30_000)


class NodeProcess:
    """`tangle up` on a data directory, with settings given as environment variables.

    Parameters
    ----------
    data : the data directory, made by the first start
    speed : how often faster the writer's clock runs than ours
    settings : by field name of `tangle.service.settings.Settings`

    Attributes
    ----------
    clock : file with the seconds by which the clock of the process is wrong; set before it starts
    log : what it writes, over all its lives
    """

    def __init__(self, data: Path, speed: float = SPEED, **settings: object) -> None:
        self.data = data
        self.port = free_port()
        self.log = data.with_name(data.name + ".log")
        self._speed = speed
        self.clock: Path | None = None
        self._process: Forked | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TANGLE_")}
        self._environment = kept | {f"TANGLE_{name.upper()}": str(value) for name, value in settings.items()}

    @property
    def url(self) -> str:
        """Where the node listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_end(self) -> str:
        """The last lines of what the node wrote, over all its lives."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_LINES:])

    def start(self) -> None:
        """Start it; returns when `/health` says yes."""
        self.launch()
        self.await_health()

    def launch(self) -> None:
        """Start it without waiting."""
        arguments = (self.data, self.port, self._speed, self.clock)
        log, environment = self.log, self._environment
        self._process = Forked(forked.node, *arguments, stdout=log, stderr=log, environment=environment)

    def await_health(self) -> None:
        """Wait until `/health` says yes; fails when the process ends instead."""
        deadline = time.monotonic() + START_S
        with httpx.Client(trust_env=False, timeout=5) as client:
            while time.monotonic() < deadline:
                code = self._running.poll()
                assert code is None, f"the node ended with exit code {code}\n{self.log_end}"
                try:
                    if client.get(f"{self.url}/health").is_success:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(LOOK_S)
        raise AssertionError(f"the node is not healthy after {START_S} s\n{self.log_end}")

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._running.pid

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        self._running.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self, within_s: float = STOP_S) -> int:
        """Wait for it to end by itself; the exit code. Raises TimeoutError."""
        return self._running.wait(within_s)

    def kill(self) -> None:
        """SIGKILL: no code of the node runs any more. Does nothing to a node that does not run."""
        if self._process is not None:
            self._process.kill()

    @property
    def _running(self) -> Forked:
        assert self._process is not None, "the node was never started"
        return self._process


def free_port() -> int:
    """A port that nothing listens on."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port among 100 tried")
