"""What a machine imports: a node over REST, and a wallet.

    async with NodeClient("http://127.0.0.1:14265") as node:
        wallet = Wallet(node, Keys.from_mnemonic(words))
        print(await node.bech32(wallet.address()), (await wallet.balance()).available)
        sent = await wallet.send("tgl1…", 1_000)
        print("paid under milestone", sent.milestone_index)

Everything is asynchronous, amounts are integers in base units, ids are bytes. Errors are the tree of
`client.errors`; those of the wire format (`tangle.protocol.errors`) come up when an argument breaks one of its
rules. The package uses `tangle.protocol` and never the node: what it can do, any program over HTTP can do.
"""

from client.errors import ClientError, Conflicting, InsufficientFunds, NodeError, NodeUnreachable
from client.keys import KeyPair, Keys, new_mnemonic
from client.metadata import Irc27, Irc30
from client.rest import NodeClient
from client.wallet import Balance, Created, Rounds, Sent, Wallet

__all__ = [
    "Balance",
    "ClientError",
    "Conflicting",
    "Created",
    "InsufficientFunds",
    "Irc27",
    "Irc30",
    "KeyPair",
    "Keys",
    "NodeClient",
    "NodeError",
    "NodeUnreachable",
    "Rounds",
    "Sent",
    "Wallet",
    "new_mnemonic",
]
