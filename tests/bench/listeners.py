"""Listeners of a tag: run as a program, they say what reached them.

Plain sockets with little to compute, in a process of their own. Each listener asks for the tag's stream from the
beginning, checks that numbers only grow, and counts messages. Stalled ones ask and never read.

Arguments: port, listeners, stalled ones. Prints `ready` when all are answered; at the end of its standard input it
prints one JSON object: messages per listener (fewest, most), processor time, and how many numbers came twice or in
the wrong order.
"""

import asyncio
import json
import sys
import time
from typing import Any

TAG = b"bench"
PATH = f"/api/tangle/v1/tags/0x{TAG.hex()}/events?after=0"
_REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
OPENING_AT_ONCE = 50


class Listener(asyncio.Protocol):
    """One stream; `opened` is set with its first bytes."""

    def __init__(self, *, stalled: bool) -> None:
        self.stalled = stalled
        self.opened = asyncio.get_running_loop().create_future()
        self.messages = 0
        self.last = 0
        self.wrong = 0
        self.lost = False
        self.rest = b""

    def connection_made(self, transport: Any) -> None:
        transport.write(_REQUEST)
        if self.stalled:
            transport.pause_reading()
            self.opened.set_result(None)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self.opened.set_result(None)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"id: "):
                number = int(line[4:])
            elif line.startswith(b"event: "):
                self.wrong += number <= self.last
                self.last = number
                self.messages += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


async def run(port: int, count: int, stalled: int) -> None:
    """Listen until the end of standard input."""
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    for start in range(0, count + stalled, OPENING_AT_ONCE):
        part = [Listener(stalled=i >= count) for i in range(start, min(start + OPENING_AT_ONCE, count + stalled))]
        for listener in part:
            await loop.create_connection(lambda listener=listener: listener, "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.gather(*(listener.opened for listener in part))
        listeners += part
    print("ready", flush=True)
    cpu = time.process_time()
    await asyncio.to_thread(sys.stdin.readline)
    reading = listeners[:count]
    print(
        json.dumps(
            {
                "fewest": min((one.messages for one in reading), default=0),
                "most": max((one.messages for one in reading), default=0),
                "wrong": sum(one.wrong for one in reading),
                "lost": sum(one.lost for one in reading),
                "cpu_s": time.process_time() - cpu,
            }
        )
    )


if __name__ == "__main__":
    import uvloop

    uvloop.run(run(*map(int, sys.argv[1:4])))
