"""A node in a process that has no file descriptor left; see `test_descriptors`."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from tangle.node import NodeSettings
from tangle.service import descriptors
from tangle.store.engine import warm
from tests.networks import COORDINATOR, Alone, block_on, note


def starve(path: str, limit: int) -> None:
    """Use up all descriptors, then write and read; prints what came of it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    node = Alone.open(f"sqlite:///{path}", NodeSettings(seed=1), coordinator_seeds=[COORDINATOR.seed])
    warm(node.engine)
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    block = block_on(node.reading.tips(), note("no descriptor left"))
    step = node.add([block])
    node.lose()
    node.reload()
    with node.engine.connect() as one, node.engine.connect() as other:
        assert not one.closed
        assert not other.closed
    for number in taken:
        os.close(number)
    print(len(taken) > 0, type(step.answers[0]).__name__, node.number_of(block.id), flush=True)


def raised(path: str, limit: int) -> None:
    """Start with a low limit, and raise it; writes the limits into a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, min(hard, 4_000)))
    low = descriptors.for_clients()
    Path(path).write_text(f"{low} {descriptors.raise_limit()} {descriptors.for_clients()}")
