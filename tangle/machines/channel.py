"""The writer of a machine's channel: it turns `tangle.machines.facts` into messages, in order, each once."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from tangle.client.channels import Carrier, Publisher
from tangle.client.channels.errors import NoChannel
from tangle.machines.facts import GRANT, REVOKE, Fact, fact_count, facts_from
from tangle.machines.sales import Sales
from tangle.parties.errors import OtherState

BATCH = 64
"""facts that are signed and written down together"""


async def open_channel(path: Path, sales: Sales, carrier: Carrier) -> Publisher:
    """The writer of the machine's channel, kept in a file that is made when there is none.

    Raises
    ------
    OtherState : the file keeps another channel, or more of this one than the journal knows
    ChannelInUse : another process writes it
    NoChannel, BookFailed
    """
    try:
        publisher = await Publisher.open(path, carrier)
    except NoChannel:
        publisher = await Publisher.create(path, sales.channel, carrier)
    with sales.book.transaction() as connection:
        known = fact_count(connection)
    written = (await publisher.position()).index
    own, ours = publisher.channel, sales.channel
    if (own.seed, own.version) == (ours.seed, ours.version) and written <= known:
        return publisher
    await publisher.close()
    raise OtherState(f"{path}: not the channel of this machine and journal, or one of the two is an old copy")


async def write_facts(sales: Sales, publisher: Publisher) -> None:
    """Publish every fact that is not yet written; returns when a node has acknowledged all of them.

    Raises
    ------
    NotYetPublished : the node took something not; it is signed, and the next call posts it
    BookFailed
    """
    while True:
        index = (await publisher.position()).index
        with sales.book.transaction() as connection:
            new = facts_from(connection, index, BATCH)
        if not new:
            break
        await _write(publisher, new)
    # What an earlier call, or an earlier life, has signed and could not post.
    await publisher.resume()


async def _write(publisher: Publisher, new: list[Fact]) -> None:
    """Write the facts up to the next change of the side key, or that change."""
    first = new[0]
    if first.kind == GRANT:
        await publisher.grant(first.body)
    elif first.kind == REVOKE:
        await publisher.revoke(first.body)
    else:
        told = takewhile(lambda fact: fact.kind not in {GRANT, REVOKE}, new)
        await publisher.publish_many([fact.body for fact in told])
