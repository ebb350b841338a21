"""What counts as money for a party: coins that are its own for good, as a real node shows them."""

import asyncio
import time
from pathlib import Path

from tangle.client.node.rest import NodeClient
from tangle.parties.ledger import NodeLedger
from tangle.protocol.outputs import (
    AddressUnlockCondition,
    BasicOutput,
    ExpirationUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TagFeature,
    TimelockUnlockCondition,
    UnlockCondition,
)
from tests.networks import Key, spend
from tests.nodes import running_node

MACHINE = Key.named("machine").address
TAG = b"pop/order/x"
AMOUNT = 1_000_000


def test_only_plain_coins_are_deposits(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", faucet=False) as node:
        payer = node.holder
        later = int(time.time()) + 3_600
        conditions: list[UnlockCondition] = [
            StorageDepositReturnUnlockCondition(payer.address, AMOUNT - 1_000),
            TimelockUnlockCondition(later),
            ExpirationUnlockCondition(payer.address, later),
        ]
        owned = AddressUnlockCondition(MACHINE)
        outputs = [BasicOutput(AMOUNT, (owned, held), (TagFeature(TAG),)) for held in conditions]
        plain = BasicOutput(AMOUNT, (owned,), (TagFeature(TAG),))
        (coin,) = node.coins(payer)
        rest = BasicOutput.to(payer.address, coin.output.amount - 4 * AMOUNT)
        paid = spend([coin], [*outputs, plain, rest], parameters=node.service.parameters)
        assert node.include(paid)["ledgerInclusionState"] == "included"

        async def ask() -> list[bytes]:
            async with NodeClient(node.url) as client:
                ledger = NodeLedger(client, "node")
                found, after = await ledger.arrived(MACHINE, 0, lambda _: False)
                assert [coin.output_id for coin in await ledger.coins(MACHINE)] == [one.output_id for one in found]
                assert await ledger.payer(found[0]) == payer.address
                # From there on nothing is new, and a coin that is known is not told.
                assert await ledger.arrived(MACHINE, after, lambda _: False) == ([], after)
                assert (await ledger.arrived(MACHINE, 0, lambda _: True))[0] == []
                return [coin.output_id for coin in found]

        assert asyncio.run(ask()) == [paid.output_id(3)]
