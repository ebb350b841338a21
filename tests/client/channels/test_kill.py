"""kill -9 of a writer at random moments: no index is signed twice, none is left out, what was acknowledged is
there."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

from client.channels import Book, Publisher
from mam import Channel, Message, Mode, Position, Rekeyed, Repeated
from tests.client.channels.tables import TableCarrier, read

ROOT = Path(__file__).parents[3]
KILLS = 8


async def test_a_writer_killed_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    channel = Channel(moments.randbytes(32), Mode.RESTRICTED, 2)
    Book.create(tmp_path / "channel.db", channel).close()
    acknowledged: set[int] = set()
    for _ in range(KILLS):
        acknowledged |= await asyncio.to_thread(life, tmp_path, moments.uniform(0, 0.4))
    carrier = TableCarrier(tmp_path / "tangle.db")
    async with await Publisher.open(tmp_path / "channel.db", carrier) as publisher:
        await publisher.resume()
        position = await publisher.position()
    reader = channel.reader()
    events = read(carrier, channel, reader)
    carrier.close()
    assert {type(event) for event in events} <= {Message, Rekeyed, Repeated}
    delivered = [event.index for event in events if isinstance(event, Message | Rekeyed)]
    assert delivered == list(range(position.index))
    assert Position(reader.index or 0, reader.rekeyed_at) == position
    assert acknowledged <= set(delivered)
    assert acknowledged, "no life was long enough to publish anything"
    bodies = {event.index: event.body for event in events if isinstance(event, Message)}
    assert all(body.startswith(b"%d " % index) for index, body in bodies.items())


def life(directory: Path, seconds: float) -> set[int]:
    """Start the writer and kill it some time after it has begun; the indexes it called published."""
    command = [sys.executable, "-m", "tests.client.channels.victim", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.kill()
        lines = process.stdout.read().split("\n")
    # The last line may have been cut off in the middle of its number.
    return {int(line) for line in lines[:-1]}
