"""What a Tangle is to a reader: addresses with data under them, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable

from tangle.mam import Channel, Event, Position, Reader, Sealed

Block = tuple[bytes, bytes, bytes]
"""address, data, id"""


class Mailbox:
    """Blocks by address; ids count up."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def post(self, address: bytes, data: bytes) -> bytes:
        """Put data under an address; returns the id."""
        block_id = len(self.blocks).to_bytes(32, "big")
        self.blocks.append((address, data, block_id))
        return block_id

    def publish(self, sealed: Sealed) -> list[bytes]:
        """Put all parts under their address; returns the ids."""
        return [self.post(sealed.address, data) for data in sealed.parts]

    def read(self, reader: Reader, *, pass_gaps: bool = False) -> list[Event]:
        """Give a reader all that lies where it looks, until nothing new comes."""
        events: list[Event] = []
        given: set[bytes] = set()
        while True:
            found = [block for block in self.blocks if block[0] in reader.addresses and block[2] not in given]
            for address, data, block_id in found:
                given.add(block_id)
                events += reader.take(address, data, block_id)
            if not found:
                if not (pass_gaps and reader.missing):
                    return events
                events += reader.pass_gap()


def written(channel: Channel, bodies: Iterable[bytes], position: Position | None = None) -> list[Sealed]:
    """The messages with these bodies, one after the other."""
    position = position or Position()
    messages = []
    for body in bodies:
        messages.append(channel.write(body, position))
        position = messages[-1].following
    return messages
