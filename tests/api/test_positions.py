"""Positions name the journal that gave them: a foreign or a future one is answered 409 at once."""

from pathlib import Path
from typing import Any

import pytest

from tangle.client import NodeClient
from tangle.client.errors import JournalChanged
from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.tagged_data import TaggedData
from tests.networks import open_node
from tests.nodes import RunningNode

FOREIGN = "ab" * 16
BEYOND = 10**9
ADDRESS = "{address}"
PLACES = [
    "/api/tangle/v1/events",
    "/api/tangle/v1/tags/0x61/events",
    "/api/tangle/v1/tags/0x61/blocks",
    "/api/tangle/v1/graph",
    f"/api/tangle/v1/addresses/{ADDRESS}/history",
]


def refused(node: RunningNode, path: str, headers: dict[str, str] | None = None, **params: Any) -> Any:
    path = path.replace(ADDRESS, node.bech32(Ed25519Address(bytes(32))))
    response = node.http.get(path, params=params or None, headers=headers)
    assert response.status_code == 409, response.text
    return response.json()


@pytest.mark.parametrize("path", PLACES)
def test_a_foreign_or_a_future_position_is_refused(node: RunningNode, path: str) -> None:
    ahead = refused(node, path, after=BEYOND)
    assert ahead["code"] == "position_ahead"
    assert "beyond" in ahead["detail"]
    foreign = refused(node, path, after=1, storeId=FOREIGN)
    assert foreign["code"] == "position_foreign"
    assert FOREIGN in foreign["detail"]


def test_where_browsers_and_channels_stand_is_a_position_too(node: RunningNode) -> None:
    assert refused(node, PLACES[0], {"last-event-id": str(BEYOND)})["code"] == "position_ahead"
    assert "Last-Event-ID" in refused(node, PLACES[1], {"last-event-id": str(BEYOND)})["detail"]
    assert refused(node, f"/api/tangle/v1/graph?from={BEYOND}")["code"] == "position_ahead"
    root = "0x" + "61" * 32
    place = node.get(f"/api/tangle/v1/mam/{root}")["position"]
    for path in (f"/api/tangle/v1/mam/{root}", f"/api/tangle/v1/mam/{root}/events"):
        assert refused(node, path, after=place, storeId=FOREIGN)["code"] == "position_foreign"


def test_a_cursor_names_its_journal(node: RunningNode) -> None:
    path = "/api/indexer/v1/outputs/basic"
    page = node.get(path, pageSize=1)
    if "cursor" not in page:
        store, place = node.get("/api/core/v2/info")["storeId"], "00000000" + "00" * 34
        page = {"cursor": f"{place}.1.{store[:8]}"}
    node.get(path, cursor=page["cursor"])
    place, size, _ = page["cursor"].split(".")
    assert refused(node, path, cursor=f"{place}.{size}.abababab")["code"] == "position_foreign"
    store = page["cursor"].rpartition(".")[2]
    assert refused(node, path, cursor=f"ffffffff{place[8:]}.{size}.{store}")["code"] == "position_ahead"


async def test_a_client_sends_its_journal_along(node: RunningNode) -> None:
    node.attach(TaggedData(b"position", b"x"))
    async with NodeClient(node.url) as client:
        store = await client.store_id()
        assert store == node.get("/api/tangle/v1/metrics")["storeId"] == node.service.store_id
        assert [item async for item in client.tagged_blocks(b"position", after=0)]
        client._transport.store_id = FOREIGN
        with pytest.raises(JournalChanged, match="begin anew"):
            await anext(client.tagged_blocks(b"position", after=1))
        with pytest.raises(JournalChanged):
            await anext(client.events(after=1))
        client.forget_store()
        assert await client.store_id() == store
        with pytest.raises(JournalChanged, match="beyond"):
            await anext(client.events(after=BEYOND))


def test_the_id_stays_when_a_node_starts_again(tmp_path: Path) -> None:
    first = open_node(tmp_path / "t.db")
    store = first.network.store_id
    first.close()
    assert len(store) == 32
    assert open_node(tmp_path / "t.db").network.store_id == store
