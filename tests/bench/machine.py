"""The machine that figures were taken on."""

import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

import numba

from tangle.protocol.pow.search import cores

FLUSHES = 200


def facts(directory: Path) -> list[tuple[str, str]]:
    """Name and value of what figures depend on; the disk is that of `directory`."""
    return [
        ("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
        ("commit", commit()),
        ("processor", f"{processor()}, {cores()} cores"),
        ("load before", f"{os.getloadavg()[0]:.1f} processes over the last minute"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}, numba {numba.__version__}"),
        ("disk", f"a flush (fdatasync) of 4 KiB takes {flush_us(directory):,.0f} µs, median of {FLUSHES}"),
    ]


def processor() -> str:
    """Model name, as far as the kernel tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> str:
    """The checkout's commit, with a plus when files differ from it."""
    try:
        head = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def flush_us(directory: Path) -> float:
    """Median microseconds until a 4 KiB write is on the disk."""
    path = directory / "flush"
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            file.write(bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    path.unlink()
    return statistics.median(took) * 1e6
