"""File descriptors: a process may open so many files and connections, and a database without one cannot write.

Most systems allow 1,024 unless asked for more, and a few hundred idle connections would use them up. So the limit
is raised at start, and what the database, the log and the event loop need is kept from clients: whoever accepts
connections takes `for_clients()` of them and no more. The database opens its connections before the first client
comes (`tangle.store.engine.warm`), so that the reserve is for what comes on top.
"""

from __future__ import annotations

import contextlib
import resource

WANTED = 65_536
"""descriptors asked for at start; more than that many clients would need other limits first"""
RESERVE = 320
"""descriptors kept from clients: two for each of the database's connections, and the files of the node"""
CLIENTS_MIN = 16
"""connections of clients that are let in however low the limit is"""


def raise_limit() -> int:
    """Raise the limit of this process as far as it may go, up to WANTED; returns the limit that holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return limit()


def limit() -> int:
    """Descriptors that this process may have open at the same time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if soft == resource.RLIM_INFINITY else soft


def for_clients() -> int:
    """Connections of clients that leave the reserve alone; of a low limit, half are theirs."""
    allowed = limit()
    return max(allowed - RESERVE, allowed // 2 - RESERVE // 4, CLIENTS_MIN)
