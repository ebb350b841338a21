"""A whole node for tests: a real server on a free port over a real database file, in a thread of this process."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tangle.api.app import Server, prepared, url_of
from tangle.protocol.addresses import Address, to_bech32
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.keys import Keys
from tangle.protocol.outputs import OUTPUTS
from tangle.protocol.pow.search import search
from tangle.protocol.serial import Fields
from tangle.protocol.transactions import Transaction
from tangle.service.directory import supply_words
from tangle.service.founding import make_network
from tangle.service.running import Service
from tangle.service.settings import NETWORK_SETTINGS, Settings
from tests.forked import SPEED
from tests.networks import Coin, Key

BINARY = "application/vnd.iota.serializer-v1"
START_S = 120
"""seconds; a first start compiles"""
DEFAULTS: dict[str, Any] = {
    "network_name": "tangle-test",
    "min_pow_score": 1,
    "milestone_interval_ms": 1_000,
    "milestone_silence_ms": 10_000,
    "confidence_interval_ms": 200,
    "parents_wait_ms": 3_000,
    "clock_step_max_s": 10**7,
    "readers": 0,
    "faucet_client_hourly": 10_000,
    "faucet_address_hourly": 10_000,
}
"""fast where the protocol allows it, in milliseconds of the writer's clock; all tests are one client"""
_TEMPLATES = TemporaryDirectory()


@dataclass(frozen=True)
class RunningNode:
    """A node that serves, and what tests need to speak with it."""

    url: str
    settings: Settings
    server: Server
    http: httpx.Client

    @property
    def service(self) -> Service:
        """The parts of the running service; only what may be read from any thread is safe to touch."""
        service: Service = self.server.app.state.service
        return service

    @property
    def holder(self) -> Key:
        """The key that the supply was given to."""
        return Key(Keys.from_mnemonic(supply_words(self.settings.supply_path)).derive().seed)

    def bech32(self, address: Address) -> str:
        """The text of an address on this network."""
        return to_bech32(address, self.settings.bech32_hrp)

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of a successful answer."""
        response = self.http.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def tips(self) -> tuple[bytes, ...]:
        """Block ids to approve."""
        return tuple(bytes.fromhex(tip[2:]) for tip in self.get("/api/core/v2/tips")["tips"])

    def finished(self, payload: Payload | None, parents: tuple[bytes, ...] | None = None) -> Block:
        """A block with its proof of work done."""
        block = Block(parents or self.tips(), payload)
        nonce = search(block.encoded[:-8], self.settings.min_pow_score, workers=1)
        return block.with_nonce(nonce)

    def post_bytes(self, data: bytes) -> httpx.Response:
        """Post a block in its binary form."""
        return self.http.post("/api/core/v2/blocks", content=data, headers={"content-type": BINARY})

    def attach(self, payload: Payload | None) -> bytes:
        """Post a finished block; returns its id."""
        block = self.finished(payload)
        response = self.post_bytes(block.encoded)
        assert response.status_code == 201, response.text
        return block.id

    def wait_referenced(self, block_id: bytes, within_s: float = 20) -> Any:
        """The metadata of a block once a milestone references it."""
        deadline = time.monotonic() + within_s
        while True:
            metadata = self.get(f"/api/core/v2/blocks/0x{block_id.hex()}/metadata")
            if "referencedByMilestoneIndex" in metadata:
                return metadata
            assert time.monotonic() < deadline, f"not referenced in time: {metadata}"
            time.sleep(0.05)

    def include(self, transaction: Transaction) -> Any:
        """Attach a transaction and wait until a milestone settles it; returns the block's metadata."""
        return self.wait_referenced(self.attach(transaction))

    def coins(self, key: Key) -> list[Coin]:
        """What the ledger holds for a key."""
        items = self.get("/api/indexer/v1/outputs/basic", address=self.bech32(key.address))["items"]
        return [self._coin(bytes.fromhex(item[2:]), key) for item in items]

    def _coin(self, output_id: bytes, key: Key) -> Coin:
        members = self.get(f"/api/core/v2/outputs/0x{output_id.hex()}")
        return Coin(output_id, OUTPUTS.from_json(Fields(members["output"])), key)


def quick_ticks() -> float:
    """The writer's clock. The time that milestones tell grows by a second with each, and so runs ahead of ours."""
    return SPEED * time.monotonic()


@cache
def _founded(**settings: Any) -> Path:
    """A data directory with a new network, to copy."""
    directory = Path(_TEMPLATES.name) / str(_founded.cache_info().currsize)
    make_network(Settings.load(data=directory, **settings))
    return directory


@contextmanager
def running_node(data: Path, **settings: Any) -> Iterator[RunningNode]:
    """A node on the data directory `data`; a second one on the same directory goes on where the first stopped."""
    given = {**DEFAULTS, **settings}
    loaded = Settings.load(data=data, **{"port": 0, **given})
    if not data.exists():
        chosen = {name: given[name] for name in NETWORK_SETTINGS if name in given}
        founded = _founded(**chosen)
        shutil.copytree(founded, data)
        shutil.copy(Settings.load(data=founded).supply_path, loaded.supply_path)
    with prepared(loaded, ticks=quick_ticks) as (server, listener):
        url = url_of(listener)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="node")
        thread.start()
        try:
            deadline = time.monotonic() + START_S
            while not server.started:
                assert thread.is_alive(), "the server ended while it started"
                assert time.monotonic() < deadline, "the server did not start in time"
                time.sleep(0.01)
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
                yield RunningNode(url, loaded, server, http)
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "the server did not stop"
