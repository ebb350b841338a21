"""kill -9 of a writer at random moments: no index is signed twice, none is left out, what was acknowledged is
there."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

from tangle.client.channels import ChannelBook, Publisher
from tangle.mam import Channel, Event, Message, Mode, Position, Rekeyed, Repeated
from tests.client.channels import victim
from tests.client.channels.tables import TableCarrier, read
from tests.forked import Forked

ROOT = Path(__file__).parents[3]
KILLS = 8


async def test_a_writer_killed_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    channel = Channel(moments.randbytes(32), Mode.RESTRICTED, 2)
    ChannelBook.create(tmp_path / "channel.db", channel).close()
    acknowledged: set[int] = set()
    for _ in range(KILLS):
        acknowledged |= await asyncio.to_thread(life, tmp_path, moments.uniform(0, 0.4))
    events = await whole_channel(tmp_path, channel)
    delivered = [event.index for event in events if isinstance(event, Message | Rekeyed)]
    assert acknowledged <= set(delivered)
    assert acknowledged, "no life was long enough to publish anything"
    bodies = {event.index: event.body for event in events if isinstance(event, Message)}
    assert all(body.startswith(b"%d " % index) for index, body in bodies.items())


async def test_a_writer_killed_before_every_statement(tmp_path: Path) -> None:
    channel = Channel(b"s" * 32, Mode.RESTRICTED, 1)
    ChannelBook.create(tmp_path / "channel.db", channel).close()
    command = [sys.executable, "-m", "tests.client.channels.crashes", str(tmp_path)]
    printed = await asyncio.to_thread(subprocess.check_output, command, cwd=ROOT, text=True, timeout=120)
    lives, status = map(int, printed.split())
    assert (status, lives > 30) == (0, True)
    events = await whole_channel(tmp_path, channel)
    assert sum(isinstance(event, Message | Rekeyed) for event in events) > 30
    assert any(isinstance(event, Repeated) for event in events), (
        "no life ended between posting and writing it down"
    )


async def whole_channel(directory: Path, channel: Channel) -> list[Event]:
    """All that readers find once the last writer has sent what was left; complete, in order, without a fork."""
    carrier = TableCarrier(directory / "tangle.db")
    async with await Publisher.open(directory / "channel.db", carrier) as publisher:
        await publisher.resume()
        position = await publisher.position()
    reader = channel.reader()
    events = read(carrier, channel, reader)
    carrier.close()
    assert {type(event) for event in events} <= {Message, Rekeyed, Repeated}
    assert [e.index for e in events if isinstance(e, Message | Rekeyed)] == list(range(position.index))
    assert Position(reader.index or 0, reader.rekeyed_at) == position
    return events


def life(directory: Path, seconds: float) -> set[int]:
    """Start the writer and kill it some time after it has begun; the indexes it called published."""
    out = directory / "out"
    out.unlink(missing_ok=True)
    process = Forked(victim.main, directory, stdout=out)
    assert process.await_line(out) == "ready"
    time.sleep(seconds)
    process.kill()
    lines = out.read_text().split("\n")[1:]
    # The last line may have been cut off in the middle of its number.
    return {int(line) for line in lines[:-1]}
