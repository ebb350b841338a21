"""Servers under measurement, each a process of its own on a free port, with fresh data where it is asked for."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STOP_S = 30


@dataclass(frozen=True)
class Server:
    """A process that listens on `port`."""

    pid: int
    port: int

    @property
    def cpu_s(self) -> float:
        """Processor time it has taken so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)

    @property
    def rss_bytes(self) -> int:
        """Resident memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def node(data: Path, **settings: object) -> Iterator[Server]:
    """`tangle up` on `data`; `settings` as in `tangle.service.settings`, all others at their defaults."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANGLE_")}
    given = {f"TANGLE_{name.upper()}": str(value) for name, value in settings.items()}
    program = [sys.executable, "-m", "tangle", "up", "--port", "0", "--data", str(data), "--json"]
    with _process(program, kept | given) as process:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the node ended with {process.wait(STOP_S)} before it was ready")
            text += line
        yield Server(process.pid, int(json.loads(text)["url"].rpartition(":")[2]))


@contextmanager
def naive(path: Path) -> Iterator[Server]:
    """The rival of `tests.bench.naive` over a fresh database at `path`."""
    with _process([sys.executable, "-m", "tests.bench.naive", str(path)], dict(os.environ)) as process:
        assert process.stdout is not None
        yield Server(process.pid, int(process.stdout.readline()))


@contextmanager
def _process(program: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
