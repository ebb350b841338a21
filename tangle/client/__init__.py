"""What a machine imports: a node over REST, a wallet, and channels.

    async with NodeClient("http://127.0.0.1:14265") as node:
        wallet = Wallet(node, Keys.from_mnemonic(words))
        print(await node.bech32(wallet.address()), (await wallet.balance()).available)
        sent = await wallet.send("tgl1…", 1_000)
        print("paid under milestone", sent.milestone_index)

        channel = Channel.create("private")
        async with await Publisher.create(Path("pump.channel"), channel, NodeCarrier(node)) as publisher:
            await publisher.publish({"pressure_bar": 3.2})
        async for message in Subscription(node, channel.access()):
            print(message.index, message.body)

Everything is asynchronous, amounts are integers in base units, ids are bytes. Errors are the tree of
`tangle.client.errors`; those of the wire format (`tangle.protocol.errors`) come up when an argument breaks one
of its rules. The package uses `tangle.protocol` and never the node: what it can do, any program over HTTP can do.

A name is imported when it is first used: what asks a node one question loads neither wallet nor channels.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tangle.client.channels import NodeCarrier, Publisher
    from tangle.client.channels.bookmark import Bookmark
    from tangle.client.channels.recovery import recover
    from tangle.client.channels.subscription import Subscription
    from tangle.client.errors import ClientError, Conflicting, InsufficientFunds, NodeError, NodeUnreachable
    from tangle.client.node.rest import NodeClient
    from tangle.client.wallet.metadata import Irc27, Irc30
    from tangle.client.wallet.wallet import Balance, Created, Rounds, Sent, Wallet
    from tangle.mam import Channel
    from tangle.protocol.keys import KeyPair, Keys, new_mnemonic

__all__ = [
    "Balance",
    "Bookmark",
    "Channel",
    "ClientError",
    "Conflicting",
    "Created",
    "InsufficientFunds",
    "Irc27",
    "Irc30",
    "KeyPair",
    "Keys",
    "NodeCarrier",
    "NodeClient",
    "NodeError",
    "NodeUnreachable",
    "Publisher",
    "Rounds",
    "Sent",
    "Subscription",
    "Wallet",
    "new_mnemonic",
    "recover",
]

_NAMES = {
    "tangle.client.channels": "NodeCarrier Publisher",
    "tangle.client.channels.bookmark": "Bookmark",
    "tangle.client.channels.recovery": "recover",
    "tangle.client.channels.subscription": "Subscription",
    "tangle.client.errors": "ClientError Conflicting InsufficientFunds NodeError NodeUnreachable",
    "tangle.client.node.rest": "NodeClient",
    "tangle.client.wallet.metadata": "Irc27 Irc30",
    "tangle.client.wallet.wallet": "Balance Created Rounds Sent Wallet",
    "tangle.mam": "Channel",
    "tangle.protocol.keys": "KeyPair Keys new_mnemonic",
}
"""module -> what it gives of the names above"""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for module, names in _NAMES.items():
            if name in names.split():
                return globals().setdefault(name, getattr(import_module(module), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
