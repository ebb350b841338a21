"""A lock on a file that ends with its process, however that ends (flock)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def locked(path: Path, flags: int, mode: int) -> int:
    """Open a file and take its lock; returns the descriptor, whose closing gives it free.

    Parameters
    ----------
    flags, mode : as of `os.open`

    Raises
    ------
    BlockingIOError : somebody else has it, in this process or another
    OSError : the file cannot be opened
    """
    descriptor = os.open(path, flags, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
