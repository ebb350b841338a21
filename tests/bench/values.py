"""Value transactions for benchmarks: a network whose supply lies in many coins, and payments that spend them.

A network is made once and copied for each run, so that every run meets the same ledger and the payments are signed
once. Each payment consumes one coin and creates two, for a random wallet and its own; all of them are valid and
none needs another, so they may come in any order.
"""

import math
import random
import shutil
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tangle.node import GENESIS_OUTPUT_ID, Node, Receipt
from tangle.protocol.blocks import Block
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.parameters import OUTPUTS_MAX, PARENTS_MAX, ProtocolParameters
from tangle.protocol.transactions import Transaction
from tangle.service.directory import supply_words
from tangle.service.founding import make_network, open_node
from tangle.service.settings import Settings
from tangle.service.writer import commit
from tests.bench.generator import SEED, Tangle, block_of
from tests.networks import Coin, Key, block_on, coins_of, note, spend

WALLETS = tuple(Key.named(f"wallet {number}") for number in range(16))
SETTINGS: dict[str, Any] = {"min_pow_score": 0, "faucet": False}


@dataclass(frozen=True)
class Funded:
    """A data directory to copy, the coins of the network in it, and a signed payment of each."""

    data: Path
    coins: Sequence[Coin]
    payments: Sequence[Transaction]

    def copied(self, to: Path) -> Path:
        """A copy of the data directory, as new."""
        return Path(shutil.copytree(self.data, to))

    def written(self, path: Path) -> Path:
        """The payments, in a file for the generator."""
        payloads = (payment.encode() for payment in self.payments)
        path.write_bytes(b"".join(struct.pack("<I", len(payload)) + payload for payload in payloads))
        return path


def funded(data: Path, count: int) -> Funded:
    """Make a network in `data` whose supply lies in at least `count` coins, and `count` payments."""
    settings = Settings.load(data=data, **SETTINGS)
    make_network(settings)
    opened = open_node(settings)
    try:
        parameters = opened.node.parameters
        holder = Key(Keys.from_mnemonic(supply_words(settings.supply_path)).derive().seed)
        supply = BasicOutput.to(holder.address, parameters.token_supply)
        coins = fan_out(opened.node, Coin(GENESIS_OUTPUT_ID, supply, holder), count)[:count]
        return Funded(data, coins, payments(coins, parameters))
    finally:
        opened.close()


def fan_out(node: Node, coin: Coin, count: int) -> list[Coin]:
    """Split `coin` until there are at least `count`, evenly over the wallets."""
    coins = [coin]
    while len(coins) < count:
        width = min(OUTPUTS_MAX, math.ceil(count / len(coins)))
        splits = [split(coin, width, node.parameters) for coin in coins]
        confirm(node, splits)
        coins = [new for transaction in splits for new in coins_of(transaction, WALLETS)]
    return coins


def split(coin: Coin, width: int, parameters: ProtocolParameters) -> Transaction:
    """One coin becomes `width` coins."""
    share, rest = divmod(coin.output.amount, width)
    amounts = [share + rest, *[share] * (width - 1)]
    outputs = (BasicOutput.to(WALLETS[i % len(WALLETS)].address, amount) for i, amount in enumerate(amounts))
    return spend([coin], outputs, parameters=parameters)


def payments(coins: Sequence[Coin], parameters: ProtocolParameters) -> list[Transaction]:
    """A payment of each coin: half to a random wallet, the rest back."""
    rng = random.Random(SEED)
    made = []
    for coin in coins:
        half = coin.output.amount // 2
        back = coin.output.amount - half
        receiver = rng.choice(WALLETS)
        outputs = BasicOutput.to(receiver.address, half), BasicOutput.to(coin.key.address, back)
        made.append(spend([coin], outputs, parameters=parameters))
    return made


def confirm(node: Node, transactions: Sequence[Transaction]) -> None:
    """Attach `transactions` and issue a milestone over them."""
    blocks = [block_on(node.reading.tips(), transaction) for transaction in transactions]
    attach(node, blocks)
    join(node, [block.id for block in blocks])
    commit(node, partial(node.issue, int(time.time())))
    node.refresh_tips()


def attach(node: Node, blocks: Sequence[Block]) -> None:
    """Attach `blocks` in one commit."""
    for answer in commit(node, partial(node.attach, blocks)).answers:
        if not isinstance(answer, Receipt):
            raise answer


def join(node: Node, tips: Sequence[bytes]) -> None:
    """Approve `tips` with data blocks, and those with others, until one block approves all of them."""
    while len(tips) > 1:
        parts = [tips[first : first + PARENTS_MAX] for first in range(0, len(tips), PARENTS_MAX)]
        blocks = [block_on(part, note("joined")) for part in parts]
        attach(node, blocks)
        tips = [block.id for block in blocks]


def grown(
    tips: Sequence[bytes], transactions: Sequence[Transaction], batch: int
) -> tuple[list[bytes], list[bytes]]:
    """Blocks for `transactions`, encoded, each on two random tips of what was there before its batch.

    Returns
    -------
    the blocks, and the tips they leave
    """
    tangle, encoded = Tangle(), []
    tangle.offered(list(tips))
    for first in range(0, len(transactions), batch):
        part = transactions[first : first + batch]
        blocks = [Block.decode(block_of(tangle.parents(), transaction.encode())) for transaction in part]
        for block in blocks:
            tangle.acknowledged(block.id, list(block.parents))
        encoded += [block.encoded for block in blocks]
    return encoded, tangle.tips
