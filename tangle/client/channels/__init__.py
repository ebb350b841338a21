"""Writing a channel: a writer that cannot sign an index twice and loses nothing that it signed.

    channel = Channel.create("restricted")
    async with NodeClient(url) as node:
        async with await Publisher.create(Path("pump.channel"), channel, NodeCarrier(node)) as publisher:
            await publisher.publish({"pressure_bar": 3.2, "at": "2026-11-21T10:00:00Z"})

The messages themselves are made by `tangle.mam`; the node sees no key. Errors are the tree of
`tangle.client.channels.errors` and those of `tangle.mam.errors`.
"""

from tangle.client.channels.book import ChannelBook, Outgoing
from tangle.client.channels.carrier import Carrier, NodeCarrier
from tangle.client.channels.publisher import Published, Publisher

__all__ = ["Carrier", "ChannelBook", "NodeCarrier", "Outgoing", "Published", "Publisher"]
