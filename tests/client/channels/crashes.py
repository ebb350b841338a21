"""Lives of a writer that end before its n-th SQL statement, n = 1, 2, …: `python -m tests.client.channels.crashes
DIR`.

One process forks them all, which is much faster than starting each. It prints how many it took until one lived
to the end of the story: two messages at once, one of two parts, a rekey message; each posted and acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tangle.client.channels import ChannelBook
from tangle.mam import public_key_of
from tests.client.channels.tables import TableCarrier


def life(directory: Path, statements: int) -> None:
    """Live through the story, but not to its statement number `statements`."""
    book = ChannelBook.open(directory / "channel.db")
    left = statements

    def count(_statement: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    book._book.connection.set_trace_callback(count)
    post(directory, book)
    book.reserve([b"one", bytes(50_000)])
    post(directory, book)
    book.rekey(granted=[public_key_of(b"a" * 32)])
    post(directory, book)
    book.close()


def post(directory: Path, book: ChannelBook) -> None:
    carrier = TableCarrier(directory / "tangle.db")
    for one in book.outgoing():
        block_id = asyncio.run(carrier.post(one.address, one.data))
        book.acknowledge(one.index, one.part, block_id)
    carrier.close()


def main(directory: Path) -> None:
    """Fork lives until one is not killed."""
    lives = 0
    survived = False
    while not survived:
        lives += 1
        child = os.fork()
        if not child:
            life(directory, lives)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        survived = os.WIFEXITED(status)
        assert survived or os.WTERMSIG(status) == signal.SIGKILL
    print(lives, os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
