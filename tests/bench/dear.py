"""Dear questions: what a client who posts notices while 20 others ask each route for its dearest answer.

The node is `tangle up` on a ledger with transactions of 127 inputs and outputs, 38,000 unspent outputs of one
address, blocks of 32 KiB under one tag, and a full window. A client posts a finished block every 20 ms; in another
process 20 others ask one question as fast as they are answered, for some seconds each. The rival of every row
is the same client alone. The aim is a median of 20 ms and 100 ms for 99 of 100.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tangle.protocol.addresses import to_bech32
from tangle.protocol.blocks import Block
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.service.directory import read_keys
from tangle.service.founding import make_network
from tangle.service.settings import Settings
from tests.bench import processes
from tests.bench.askers import Connection
from tests.networks import Coin, Key, spend
from tests.nodes import BINARY

CLIENTS = 20
BLOCKS = "/api/core/v2/blocks"
Row = dict[str, str]


def run(small: bool) -> list[Row]:
    """Rows of the table; `small` has a tenth of the ledger and asks for a second each."""
    scale, seconds = (10, 1.0) if small else (1, 6.0)
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        settings: dict[str, Any] = {"min_pow_score": 0, "faucet": False, "below_max_depth": 100}
        make_network(Settings.load(data=data, **settings))
        holder = Key(Keys.from_mnemonic(read_keys(data).mnemonic).derive().seed)
        with processes.node(data, log_level="error", **settings) as server:
            questions = asyncio.run(filled(server.port, holder, Settings.load(data=data, **settings), scale))
            alone = asyncio.run(posted(server.port, seconds))
            return [row(server, what, asked, seconds, alone) for what, asked in questions.items()]


def row(
    server: processes.Server, what: str, asked: tuple[str, str, bytes], seconds: float, alone: list[float]
) -> Row:
    """Post while 20 clients ask one question."""
    path, method, body = asked
    program = [sys.executable, "-m", "tests.bench.askers", str(server.port), str(CLIENTS), str(seconds + 1), path]
    with subprocess.Popen([*program, method], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(body)
        process.stdin.close()
        time.sleep(0.5)
        beside = asyncio.run(posted(server.port, seconds))
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
    served = ", ".join(f"{count} x {status}" for status, count in sorted(told["statuses"].items()))
    median = "" if told["p50_ms"] is None else f"; p50 of its answers {told['p50_ms']:,.0f} ms"
    return {
        "what": f"{what}, POST beside it, p50 / p99 ms",
        "ours": f"{share(beside, 50):.1f} / {share(beside, 99):.1f}",
        "rival": f"{share(alone, 50):.1f} / {share(alone, 99):.1f}",
        "ratio": "",
        "note": f"{served}{median}; node {server.rss_bytes / 1e6:,.0f} MB",
    }


def share(seconds: list[float], percent: int) -> float:
    """A percentile, in milliseconds."""
    return sorted(seconds)[min(len(seconds) * percent // 100, len(seconds) - 1)] * 1e3


async def posted(port: int, seconds: float) -> list[float]:
    """Seconds that each post took."""
    connection, took = Connection(port), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        block = Block(await tips(connection), TaggedData(b"post", os.urandom(20)))
        began = time.perf_counter()
        status, _ = await connection.ask("POST", BLOCKS, block.encoded, BINARY)
        took.append(time.perf_counter() - began)
        assert status == 201
        await asyncio.sleep(0.02)
    connection.close()
    return took


async def tips(connection: Connection) -> tuple[bytes, ...]:
    """Parents."""
    _, body = await connection.ask("GET", "/api/core/v2/tips?count=2")
    return tuple(bytes.fromhex(tip[2:]) for tip in json.loads(body)["tips"])


async def filled(port: int, holder: Key, settings: Settings, scale: int) -> dict[str, tuple[str, str, bytes]]:
    """Fill the ledger; returns the dearest questions: what, and path, method and body."""
    connection = Connection(port)
    sent = transactions(holder, settings, 150 // scale)
    previous = await tips(connection)
    for transaction in sent:
        previous = await post(connection, previous, transaction)
    for _ in range(200 // scale):
        previous = await post(connection, previous, TaggedData(b"big", os.urandom(32_000)))
    await asyncio.gather(*(fill(Connection(port), 20_000 // scale // 16) for _ in range(16)))
    await asyncio.sleep(3)
    index = await busiest(connection)
    me, some = to_bech32(holder.address, settings.bech32_hrp), f"0x{previous[0].hex()}"
    ours, core = "/api/tangle/v1", "/api/core/v2"
    gets = {
        "history of an address": f"{ours}/addresses/{me}/history?pageSize=1000",
        "graph, JSON": f"{ours}/graph?limit=1000",
        "graph, GraphML": f"{ours}/graph?limit=1000&format=graphml",
        "graph, dot": f"{ours}/graph?limit=1000&format=dot",
        "confidence, 10,000 walks": f"{ours}/confidence/{some}?n=10000",
        "a selection explained": f"{ours}/tips/explain?k=8",
        "all tips": f"{ours}/tips?limit=1000",
        "orphans": f"{ours}/orphans?age=1",
        "data under a tag": f"{ours}/tags/0x626967/blocks?data=true",
        "outputs of an address": f"/api/indexer/v1/outputs?unlockableByAddress={me}",
        "outputs through all filters": f"/api/indexer/v1/outputs/basic?address={me}&createdBefore=2000000000"
        "&maxNativeTokenCount=0&hasTimelock=false&hasExpiration=false&hasStorageDepositReturn=false&createdAfter=1",
        "supply": f"{ours}/supply",
        "what a milestone changed": f"{core}/milestones/by-index/{index}/utxo-changes",
        "a transaction of 32 KiB": f"{core}/transactions/0x{sent[len(sent) // 4].id.hex()}/included-block",
        "OpenAPI": "/openapi.json",
        "messages under a tag": f"/api/v1/messages?index={b'fill'.hex()}",
        "a public channel": f"{ours}/mam/0x{'00' * 32}",
        "info": f"{core}/info",
    }
    large = json.dumps({"payload": {"type": 5, "tag": "0x61", "data": "0x" + "ab" * 32_000}}).encode()
    broken = json.dumps({"payload": {"type": 6, "essence": {}, "unlocks": [{}] * 60_000}}).encode()
    return {what: (path, "GET", b"") for what, path in gets.items()} | {
        "blocks of 32 KiB as JSON": (BLOCKS, "POST", large),
        "a list too long": (BLOCKS, "POST", broken),
    }


def transactions(holder: Key, settings: Settings, count: int) -> list[Transaction]:
    """As many that spend what the one before made, and as many that leave it unspent."""
    parameters, own = settings.parameters(), holder.address
    rest = Coin(bytes(34), BasicOutput.to(own, parameters.token_supply), holder)
    outputs = [BasicOutput.to(own, 1_000_000) for _ in range(127)]
    sent: list[Transaction] = []

    def split(amount: int) -> list[Coin]:
        nonlocal rest
        made = [BasicOutput.to(own, amount) for _ in range(127)]
        left = BasicOutput.to(own, rest.output.amount - 127 * amount)
        one = spend([rest], [*made, left], parameters=parameters)
        sent.append(one)
        rest = Coin(one.output_id(127), left, holder)
        return [Coin(one.output_id(i), output, holder) for i, output in enumerate(made)]

    coins = split(1_000_000)
    for _ in range(count):
        sent.append(spend(coins, outputs, parameters=parameters))
        coins = [Coin(sent[-1].output_id(i), output, holder) for i, output in enumerate(outputs)]
    for _ in range(count):
        split(1_000)
    return sent


async def post(connection: Connection, parents: tuple[bytes, ...], payload: Any) -> tuple[bytes, ...]:
    """Post a block; returns it as the parent of the next."""
    block = Block(parents, payload)
    status, body = await connection.ask("POST", BLOCKS, block.encoded, BINARY)
    assert status == 201, body
    return (block.id,)


async def fill(connection: Connection, count: int) -> None:
    """Post many small blocks."""
    parents = await tips(connection)
    for number in range(count):
        if number % 40 == 0:
            parents = await tips(connection)
        await post(connection, parents, TaggedData(b"fill", os.urandom(12)))


async def busiest(connection: Connection) -> int:
    """The milestone that changed most."""
    _, body = await connection.ask("GET", "/api/core/v2/info")
    sizes = {}
    for index in range(1, json.loads(body)["status"]["latestMilestone"]["index"] + 1):
        _, changes = await connection.ask("GET", f"/api/core/v2/milestones/by-index/{index}/utxo-changes")
        sizes[len(changes)] = index
    return sizes[max(sizes)]


if __name__ == "__main__":
    for line in run(small="--small" in sys.argv):
        print(line["what"], line["ours"], "alone", line["rival"], line["note"], flush=True)
