"""What can be wrong with a node's memory.

TangleError
└── MemoryUnsound            memory may differ from the database
"""

from __future__ import annotations

from tangle.errors import Ending, TangleError


class MemoryUnsound(TangleError):
    """The node's memory may differ from its database, and has to be read again before anything is answered."""

    code = "memory_unsound"
    template = "the node's memory may differ from its database: {reason}"
    ending = Ending.UNAVAILABLE
    passes = True
    reason: str
