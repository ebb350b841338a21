"""A node over REST (TIP-25, TIP-26, and ours under ``/api/tangle/v1``), asynchronously.

One method per thing a program wants from a node. Ids are bytes, amounts integers, answers the dataclasses of
`tangle.protocol.answers` or the classes of `tangle.protocol`. Blocks travel in their binary form, and what
comes back is
checked against the id that was asked for, so a node cannot hand out another block.

Every method raises NodeUnreachable, NodeError or UnexpectedAnswer (`tangle.client.errors`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import orjson

from tangle.client.errors import ClientError, NodeError, UnexpectedAnswer
from tangle.client.node import events
from tangle.client.node.indexed import PAGE_SIZE, Indexed
from tangle.client.node.transport import BINARY, BUSY_RETRIES, Transport, json_of
from tangle.protocol.addresses import Address, to_bech32
from tangle.protocol.answers import (
    BlockId,
    BlockMetadata,
    Confidence,
    Event,
    FaucetReceipt,
    FoundData,
    FoundOutput,
    HistoryItem,
    NodeInfo,
    OutputMetadata,
    TaggedBlock,
    Tips,
    UtxoChanges,
    event_from_json,
)
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.errors import ProtocolError
from tangle.protocol.milestones import Milestone
from tangle.protocol.outputs import Output
from tangle.protocol.parameters import PROTOCOL_VERSION, ProtocolParameters
from tangle.protocol.serial import Fields, Json, to_hex
from tangle.protocol.tagged_data import TaggedData

T = TypeVar("T")
NODE_POW_TIMEOUT_S = 120.0
"""seconds to wait for a node that does the proof of work"""


class NodeClient(Indexed):
    """A node under a URL.

    Use it as an asynchronous context manager, or call `close` at the end. One client serves any number of tasks of
    one event loop and keeps its connections open.

    Parameters
    ----------
    url : scheme, host and port, such as ``http://127.0.0.1:14265``
    timeout : seconds for connecting and between two pieces of an answer
    busy_retries : times a request is sent again after 503 with Retry-After
    """

    def __init__(self, url: str, *, timeout: float = 30.0, busy_retries: int = BUSY_RETRIES) -> None:
        self._transport = Transport(url, timeout=timeout, busy_retries=busy_retries)
        self._parameters: ProtocolParameters | None = None

    def __repr__(self) -> str:
        return f"NodeClient({self.url!r})"

    @property
    def url(self) -> str:
        """Where the node is."""
        return self._transport.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.http.aclose()

    # The node and its network

    async def health(self) -> bool:
        """Whether the node calls itself healthy; a node that does not answer raises NodeUnreachable."""
        return (await self._transport.request("GET", "/health", busy_retries=0)).is_success

    async def info(self) -> NodeInfo:
        """Name, version, milestones and protocol parameters of the node."""
        info = await self._get("/api/core/v2/info", NodeInfo.from_json)
        self._parameters = info.parameters
        self._transport.store_id = self._transport.store_id or info.store_id
        return info

    async def store_id(self) -> str:
        """The journal that this client's event numbers belong to, empty where the node names none; see `info`."""
        if self._transport.store_id is None:
            self._transport.store_id = (await self.info()).store_id or ""
        return self._transport.store_id

    def forget_store(self) -> None:
        """Have the next question find out anew which journal the node has: after JournalChanged, to begin anew."""
        self._transport.store_id = None

    async def parameters(self) -> ProtocolParameters:
        """The protocol parameters of the network; asked for once, `info` asks again."""
        return self._parameters or (await self.info()).parameters

    async def bech32(self, address: Address | str) -> str:
        """The text of an address on this network; text stays as it is."""
        return address if isinstance(address, str) else to_bech32(address, (await self.parameters()).bech32_hrp)

    # Blocks

    async def tips(self) -> list[bytes]:
        """1 to 8 block ids to approve, sorted, unique."""
        return list((await self._get("/api/core/v2/tips", Tips.from_json)).tips)

    async def submit(self, block: Block) -> bytes:
        """Post a block; the answer comes once the node holds it durably.

        A nonce of 0 asks the node for the proof of work, which makes another block of it.

        Returns
        -------
        the block id, 32 bytes
        """
        content = block.encoded
        response = await self._transport.answer(
            "POST", "/api/core/v2/blocks", content=content, headers={"content-type": BINARY}
        )
        block_id = _read(response, BlockId.from_json).block_id
        if block.nonce and block_id != block.id:
            raise UnexpectedAnswer(self.url, f"block {to_hex(block.id)} became {to_hex(block_id)}")
        return block_id

    async def submit_payload(self, payload: Payload | None, *, parents: Sequence[bytes] = ()) -> bytes:
        """Post a payload for which the node does the proof of work and, without `parents`, chooses them.

        Returns
        -------
        the block id, 32 bytes
        """
        body: Json = {"protocolVersion": PROTOCOL_VERSION}
        if parents:
            body["parents"] = [to_hex(parent) for parent in sorted(set(parents))]
        if payload is not None:
            body["payload"] = payload.to_json()
        return await self._post(
            "/api/core/v2/blocks",
            body,
            lambda fields: fields.data("blockId", size=32),
            read_timeout_s=NODE_POW_TIMEOUT_S,
        )

    async def submit_data(self, tag: bytes, data: bytes) -> bytes:
        """Post tagged data for which the node does the proof of work. Returns the block id."""
        return await self.submit_payload(TaggedData(tag, data))

    async def block_bytes(self, block_id: bytes) -> bytes:
        """The binary form of a block."""
        return await self._get_binary(f"/api/core/v2/blocks/{to_hex(block_id)}")

    async def block(self, block_id: bytes) -> Block:
        """A block; its id is checked."""
        block = self._decode(await self.block_bytes(block_id))
        if block.id != block_id:
            raise UnexpectedAnswer(self.url, f"asked for block {to_hex(block_id)}, got {to_hex(block.id)}")
        return block

    async def metadata(self, block_id: bytes) -> BlockMetadata:
        """What became of a block."""
        return await self._get(f"/api/core/v2/blocks/{to_hex(block_id)}/metadata", BlockMetadata.from_json)

    async def confidence(
        self, block_id: bytes, *, walks: int | None = None, seed: int | None = None
    ) -> Confidence:
        """In how many walks a block was reached; with `walks` or `seed` the node draws them for this request."""
        given = {"n": walks, "seed": seed}
        return await self._get(
            f"/api/tangle/v1/confidence/{to_hex(block_id)}", Confidence.from_json, params=_present(given)
        )

    async def tagged_blocks(self, tag: bytes, *, after: int = 0) -> AsyncIterator[TaggedBlock]:
        """All blocks under a tag with a number above `after`, in order of attaching."""
        path, cursor = f"/api/tangle/v1/tags/{to_hex(tag)}/blocks", {"after": after}
        async for item in self._pages(path, cursor, "after", "next", TaggedBlock.from_json):
            yield item

    async def tagged_data(self, tag: bytes, *, after: int = 0) -> AsyncIterator[FoundData]:
        """What `tagged_blocks` finds, with the data; many come with one request, unchecked (see `FoundData`)."""
        path, cursor = f"/api/tangle/v1/tags/{to_hex(tag)}/blocks", {"after": after, "data": "true"}

        def parse(fields: Fields) -> FoundData:
            return FoundData.from_json(Fields({**fields.members, "tag": to_hex(tag)}))

        async for item in self._pages(path, cursor, "after", "next", parse):
            yield item

    def new_data(
        self,
        tags: Sequence[bytes],
        after: int,
        *,
        give_up_after: float | None = 60.0,
        on_break: Callable[[ClientError], None] | None = None,
    ) -> AsyncIterator[FoundData]:
        """What comes under some tags after an event number, in order, each block once, through breaks.

        Parameters
        ----------
        tags : 1 to 16
        give_up_after, on_break : as for `tangle.client.node.events.follow`
        """
        first, *also = (to_hex(tag) for tag in tags)
        params = {"also": ",".join(also)} if also else {}
        path = f"/api/tangle/v1/tags/{first}/events"
        parse = FoundData.from_json
        return events.follow(
            self._transport, path, params, after, parse, give_up_after=give_up_after, on_break=on_break
        )

    # The ledger

    async def included_block(self, transaction_id: bytes) -> Block | None:
        """The block with which the ledger took a transaction; None while it has not."""
        try:
            data = await self._get_binary(f"/api/core/v2/transactions/{to_hex(transaction_id)}/included-block")
        except NodeError as error:
            if error.status == 404:
                return None
            raise
        return self._decode(data)

    async def output(self, output_id: bytes) -> tuple[Output, OutputMetadata]:
        """An output and where it comes from."""
        found = await self._get(f"/api/core/v2/outputs/{to_hex(output_id)}", FoundOutput.from_json)
        return found.output, found.metadata

    async def milestone(self, index: int) -> Milestone:
        """The milestone of an index."""
        return await self._get(f"/api/core/v2/milestones/by-index/{index}", Milestone.from_json)

    async def utxo_changes(self, index: int) -> UtxoChanges:
        """What a milestone created and consumed."""
        return await self._get(f"/api/core/v2/milestones/by-index/{index}/utxo-changes", UtxoChanges.from_json)

    async def address_history(self, address: Address | str) -> AsyncIterator[HistoryItem]:
        """What every included transaction changed for an address, oldest first."""
        path = f"/api/tangle/v1/addresses/{await self.bech32(address)}/history"
        async for item in self._pages(path, {}, "after", "next", HistoryItem.from_json):
            yield item

    async def request_faucet(self, address: Address | str) -> FaucetReceipt:
        """Ask the node's faucet for funds."""
        body = {"address": await self.bech32(address)}
        return await self._post("/api/tangle/v1/faucet/enqueue", body, FaucetReceipt.from_json)

    # What happens

    def events(
        self,
        after: int | None = None,
        types: Collection[str] | None = None,
        *,
        give_up_after: float | None = 60.0,
    ) -> AsyncIterator[Event]:
        """Events with a number above `after`, in order, each once, through breaks of the connection.

        Parameters
        ----------
        after : number of the last event already known, 0 for all; None leaves the start to the node
        types : some of ``solid``, ``referenced``, ``confidence``, ``milestone``; all by default
        give_up_after : seconds of breaks and failures in a row after which the last failure is raised; None: never
        """
        params = {} if types is None else {"types": ",".join(sorted(types))}
        path = "/api/tangle/v1/events"
        return events.follow(self._transport, path, params, after, event_from_json, give_up_after=give_up_after)

    async def newest_event(self) -> int:
        """The number of the newest event, 0 before the first."""
        return await self._get("/api/tangle/v1/metrics", lambda fields: fields.count("eventNumber"))

    # The graph, as the node gives it: see docs/rest.md for the members.

    async def graph(
        self, limit: int | None = None, *, first: int | None = None, around: bytes | None = None
    ) -> Json:
        """A slice of the Tangle: the newest blocks, those from event `first` on, or those around a block."""
        given = {"limit": limit, "from": first, "around": None if around is None else to_hex(around)}
        return await self._members("/api/tangle/v1/graph", given)

    async def unapproved(self, limit: int | None = None) -> Json:
        """Blocks that nothing approves, oldest first, and what walks make of them."""
        return await self._members("/api/tangle/v1/tips", {"limit": limit})

    async def explain_tips(self, k: int | None = None, *, seed: int | None = None) -> Json:
        """One weighted tip selection, step by step."""
        return await self._members("/api/tangle/v1/tips/explain", {"k": k, "seed": seed})

    async def orphans(self, age: int | None = None) -> Json:
        """What the Tangle in the node's memory loses; `age` in blocks that have come since."""
        return await self._members("/api/tangle/v1/orphans", {"age": age})

    async def _members(self, path: str, given: Mapping[str, str | int | None]) -> Json:
        return await self._get(path, lambda fields: dict(fields.members), params=_present(given))

    async def _get(
        self, path: str, parse: Callable[[Fields], T], *, params: Mapping[str, str | int] | None = None
    ) -> T:
        return _read(await self._transport.answer("GET", path, params=params), parse)

    async def _get_binary(self, path: str) -> bytes:
        return (await self._transport.answer("GET", path, headers={"accept": BINARY})).content

    async def _post(
        self, path: str, body: Json, parse: Callable[[Fields], T], *, read_timeout_s: float | None = None
    ) -> T:
        response = await self._transport.answer(
            "POST",
            path,
            content=orjson.dumps(body),
            headers={"content-type": "application/json"},
            read_timeout_s=read_timeout_s,
            repeatable=False,
        )
        return _read(response, parse)

    async def _pages(
        self, path: str, start: dict[str, Any], cursor: str, following: str, parse: Callable[[Fields], T]
    ) -> AsyncIterator[T]:
        """The items of all pages; page n + 1 starts at what page n names under `following`."""
        params: dict[str, str | int] = {**start, "pageSize": PAGE_SIZE}
        if cursor == "after" and self._transport.store_id:
            params["storeId"] = self._transport.store_id

        def page_of(fields: Fields) -> tuple[tuple[T, ...], str | int | None]:
            value = fields.members.get(following)
            place = value if isinstance(value, str) or value is None else fields.count(following)
            return fields.each("items", parse), place

        while True:
            page, place = await self._get(path, page_of, params=params)
            for item in page:
                yield item
            if place is None:
                return
            if place == params.get(cursor):
                raise UnexpectedAnswer(self.url, f"{path} repeats its page")
            params[cursor] = place

    def _decode(self, data: bytes) -> Block:
        try:
            return Block.decode(data)
        except ProtocolError as error:
            raise UnexpectedAnswer(self.url, f"no block: {error}") from None


def _present(given: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """Without what was not given."""
    return {name: value for name, value in given.items() if value is not None}


def _read(response: httpx.Response, parse: Callable[[Fields], T]) -> T:
    """What `parse` makes of the JSON object of an answer. Raises UnexpectedAnswer."""
    try:
        return parse(Fields(json_of(response), "answer"))
    except ProtocolError as error:
        raise UnexpectedAnswer(str(response.url), str(error)) from None
