"""What is done to a node: faults that last a while, and ends of its process; several at once where it is drawn so.

A fault that lasts is a context, over when the context ends. It touches nothing but the process, its files and its
clock, from outside, as a machine does it to a node.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.nodes import LOOK_S, NodeProcess
from tests.forked import START_S

WAL_HEADER, FRAME_HEADER = 32, 24
"""bytes; https://sqlite.org/walformat.html"""
CLOCK_S = (5.0, 90.0, 3_600.0, 400 * 86_400.0)
"""seconds by which a clock is wrong, to either side"""
BIRTH_S = 2.0
"""seconds of a start after which a node that is killed while it starts is killed, at most"""
PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Victim:
    """A node and what can be done to it from outside.

    Attributes
    ----------
    clock : file with the seconds that are added to the node's clock
    disk : where a file system of its own is mounted; None when the data lie with everything else
    """

    node: NodeProcess
    clock: Path
    disk: Path | None

    @property
    def log(self) -> Path:
        """The log of the database."""
        return self.node.data / "tangle.db-wal"


Fault = Callable[[Victim, random.Random], contextlib.AbstractContextManager[None]]
End = Callable[[Victim, random.Random], None]


@contextmanager
def limit(victim: Victim, what: int, value: int) -> Iterator[None]:
    """Bound a resource of the running process; a process that was started meanwhile has its own."""
    pid = victim.node.pid
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (value, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, what, before)


def disk_fails(victim: Victim, rng: random.Random) -> contextlib.AbstractContextManager[None]:
    """No file grows beyond where the log ends now: writing fails, and most often in the middle of a commit."""
    size = victim.log.stat().st_size if victim.log.exists() else 0
    return limit(victim, resource.RLIMIT_FSIZE, size + rng.randrange(1, 20_000))


def descriptors_end(victim: Victim, rng: random.Random) -> contextlib.AbstractContextManager[None]:
    """No further file, and no further connection, can be opened."""
    opened = len(os.listdir(f"/proc/{victim.node.pid}/fd"))
    return limit(victim, resource.RLIMIT_NOFILE, opened + rng.randrange(3))


@contextmanager
def disk_full(victim: Victim, rng: random.Random) -> Iterator[None]:
    """Something else takes all the room that the disk has."""
    assert victim.disk is not None
    ballast = victim.disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(PIECE_BYTES))
        yield
    finally:
        ballast.unlink()


@contextmanager
def clock_jumps(victim: Victim, rng: random.Random) -> Iterator[None]:
    """The clock is wrong for a while, ahead or behind."""
    victim.clock.write_text(str(rng.choice((-1, 1)) * rng.choice(CLOCK_S)))
    try:
        yield
    finally:
        victim.clock.write_text("0")


@contextmanager
def stalls(victim: Victim, rng: random.Random) -> Iterator[None]:
    """The process stands still, as in a machine that is suspended."""
    victim.node.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        victim.node.signal(signal.SIGCONT)


def killed(victim: Victim, rng: random.Random) -> None:
    """SIGKILL."""
    victim.node.kill()


def killed_at_birth(victim: Victim, rng: random.Random) -> None:
    """Killed, and killed again while it starts."""
    victim.node.kill()
    victim.node.launch()
    with contextlib.suppress(TimeoutError):
        victim.node.wait(rng.uniform(0, BIRTH_S))
    victim.node.kill()


def torn(victim: Victim, rng: random.Random) -> None:
    """Killed, and what lies in the log behind its last commit, never flushed, is cut, blanked or scrambled."""
    victim.node.kill()
    if not victim.log.exists():
        return
    data = victim.log.read_bytes()
    end = end_of_commits(data)
    # In its place, and no longer than it was: the disk may be full.
    with victim.log.open("r+b") as log:
        log.seek(end)
        match rng.randrange(3):
            case 0:
                log.truncate(end + rng.randrange(len(data) - end + 1))
            case 1:
                log.write(bytes(len(data) - end))
            case _:
                log.write(rng.randbytes(len(data) - end))


def end_of_commits(log: bytes | bytearray) -> int:
    """Bytes of a log up to the end of its last commit."""
    size, end, at = int.from_bytes(log[8:12], "big") + FRAME_HEADER, WAL_HEADER, WAL_HEADER
    while at + size <= len(log) and log[at + 8 : at + 16] == log[16:24]:
        at += size
        if log[at - size + 4 : at - size + 8] != bytes(4):
            end = at
    return min(end, len(log))


def read_only(victim: Victim, rng: random.Random) -> None:
    """Killed, and started on a disk that cannot be written: it ends and says why, and starts once it can."""
    assert victim.disk is not None
    victim.node.kill()
    remount = ["mount", "-o", "remount,ro", str(victim.disk)]
    deadline = time.monotonic() + START_S
    # Processes that read for the node end a moment after it.
    while subprocess.run(remount, check=False, capture_output=True).returncode:
        assert time.monotonic() < deadline, "something still writes to the disk of a node that was killed"
        time.sleep(LOOK_S)
    before = victim.node.log.stat().st_size
    try:
        victim.node.launch()
        code = victim.node.wait()
        said = victim.node.log.read_bytes()[before:].decode()
        assert code, "it ran on a disk that cannot be written"
        assert "Read-only file system" in said, said
        assert "Traceback" not in said, said
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(victim.disk)], check=True)


LASTING: dict[str, Fault] = {
    "disk fails": disk_fails,
    "descriptors end": descriptors_end,
    "clock jumps": clock_jumps,
    "stalls": stalls,
    "disk full": disk_full,
}
ENDS: dict[str, End] = {
    "killed": killed,
    "killed at birth": killed_at_birth,
    "torn log": torn,
    "disk read-only": read_only,
}
NEED_A_DISK = {"disk full", "disk read-only"}
"""faults that need a file system of its own, and so root"""


@contextmanager
def own_disk(directory: Path, megabytes: int) -> Iterator[Path | None]:
    """A small file system in memory, mounted at `directory`; None for who may not mount."""
    directory.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(directory)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
