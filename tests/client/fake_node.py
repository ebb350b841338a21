"""A node for the tests of the client: a real HTTP server over a ledger in memory, without a Tangle.

It decodes and checks blocks with `tangle.protocol` and keeps outputs as a node does, but confirms when a test says
so, asks for promotion when a test says so, and breaks connections when a test says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tangle.protocol.addresses import Address, from_bech32, to_bech32
from tangle.protocol.blocks import Block, check_block
from tangle.protocol.errors import ProtocolError
from tangle.protocol.outputs import BasicOutput, Output
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.pow.search import search
from tangle.protocol.serial import Fields, from_hex, to_hex
from tangle.protocol.transactions import Transaction

BINARY = "application/vnd.iota.serializer-v1"
PAGE_ITEMS = 2
LONG_PAGE_ITEMS = 100


def problem(status: int, code: str, detail: str, **more: str) -> Response:
    body = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code, **more}
    return Response(orjson.dumps(body), status, media_type="application/problem+json")


class FakeNode:
    """State that tests look at and turn; `url` once it is served."""

    def __init__(self) -> None:
        self.url = ""
        self.parameters = ProtocolParameters(min_pow_score=1)
        self.blocks: dict[bytes, Block] = {}
        self.referenced: dict[bytes, tuple[int, str, int | None]] = {}
        self.flags: dict[bytes, str] = {}
        self.outputs: dict[bytes, tuple[Output, bytes, int]] = {}
        self.spent: dict[bytes, tuple[bytes, int]] = {}
        self.included: dict[bytes, bytes] = {}
        self.milestone = 0
        self.auto_confirm = True
        self.answers: list[Response] = []
        self.requests: list[str] = []
        self.queries: list[str] = []
        self.event_log: list[bytes] = []
        self.event_cuts: list[tuple[int, bool]] = []
        self.event_starts: list[int] = []
        self.event_newest = 0
        self.drops = 0
        self.tells_history = True

    # The ledger

    def fund(self, address: Address, amount: int) -> bytes:
        """Make a plain output out of nothing."""
        return self.put(BasicOutput.to(address, amount))

    def put(self, output: Output) -> bytes:
        """Make any output out of nothing; its id."""
        output_id = len(self.outputs).to_bytes(32, "big") + b"\0\0"
        self.milestone += 1
        self.outputs[output_id] = (output, bytes(32), self.milestone)
        return output_id

    def take(self, block: Block) -> bytes:
        self.blocks[block.id] = block
        if self.auto_confirm:
            self.confirm(block.id)
        return block.id

    def confirm(self, block_id: bytes) -> None:
        """Reference a block with a milestone of its own, and apply its transaction."""
        self.milestone += 1
        payload = self.blocks[block_id].payload
        if not isinstance(payload, Transaction):
            self.referenced[block_id] = (self.milestone, "noTransaction", None)
            return
        consumed = [spent.output_id for spent in payload.essence.inputs]
        if any(output_id in self.spent or output_id not in self.outputs for output_id in consumed):
            self.referenced[block_id] = (self.milestone, "conflicting", 1)
            return
        self.referenced[block_id] = (self.milestone, "included", None)
        self.included[payload.id] = block_id
        for output_id in consumed:
            self.spent[output_id] = (payload.id, self.milestone)
        for i, output in enumerate(payload.essence.outputs):
            self.outputs[payload.output_id(i)] = (output, block_id, self.milestone)

    def balance(self, address: Address) -> int:
        return sum(
            output.amount
            for output_id, (output, _, _) in self.outputs.items()
            if output.owner == address and output_id not in self.spent
        )

    # Routes

    async def info(self, request: Request) -> Response:
        milestone = {"index": self.milestone}
        status = {"isHealthy": True, "latestMilestone": milestone, "confirmedMilestone": milestone}
        body = {"name": "fake", "version": "1", "status": {**status, "pruningIndex": 0}, "features": ["pow"]}
        return JSONResponse({**body, "protocol": self.parameters.to_json()})

    async def health(self, request: Request) -> Response:
        return Response(status_code=200)

    async def tips(self, request: Request) -> Response:
        return JSONResponse({"tips": [to_hex(tip) for tip in self.newest()]})

    def newest(self) -> list[bytes]:
        return sorted(list(self.blocks)[-2:]) or [bytes(32)]

    async def post_block(self, request: Request) -> Response:
        body = await request.body()
        try:
            if request.headers["content-type"] == BINARY:
                block = Block.decode(body)
            else:
                members = orjson.loads(body)
                members.setdefault("parents", [to_hex(tip) for tip in self.newest()])
                block = self._work(Block.from_json(Fields(members)))
            check_block(block, self.parameters)
        except ProtocolError as error:
            return problem(400, error.code, error.rule, field=error.field)
        return JSONResponse({"blockId": to_hex(self.take(block))}, 201)

    def _work(self, block: Block) -> Block:
        return block.with_nonce(search(block.encoded[:-8], self.parameters.min_pow_score, workers=1))

    async def block(self, request: Request) -> Response:
        block = self.blocks.get(from_hex(request.path_params["id"], "id"))
        return Response(block.encoded, media_type=BINARY) if block else not_found()

    async def metadata(self, request: Request) -> Response:
        block_id = from_hex(request.path_params["id"], "id")
        if block_id not in self.blocks:
            return not_found()
        parents = [to_hex(parent) for parent in self.blocks[block_id].parents]
        body: dict[str, Any] = {"blockId": to_hex(block_id), "parents": parents, "isSolid": True}
        body["confidence"] = {"m": 1, "n": 4, "low": 0.05, "high": 0.7}
        if block_id in self.referenced:
            index, inclusion, reason = self.referenced[block_id]
            body |= {"referencedByMilestoneIndex": index, "ledgerInclusionState": inclusion}
            body |= {"conflictReason": reason} if reason else {}
        elif block_id in self.flags:
            body[self.flags[block_id]] = True
        return JSONResponse(body)

    async def included_block(self, request: Request) -> Response:
        block_id = self.included.get(from_hex(request.path_params["id"], "id"))
        return Response(self.blocks[block_id].encoded, media_type=BINARY) if block_id else not_found()

    async def output(self, request: Request) -> Response:
        output_id = from_hex(request.path_params["id"], "id")
        if output_id not in self.outputs:
            return not_found()
        output, block_id, booked = self.outputs[output_id]
        spent = self.spent.get(output_id)
        metadata = {
            "blockId": to_hex(block_id),
            "transactionId": to_hex(output_id[:32]),
            "outputIndex": int.from_bytes(output_id[32:], "little"),
            "isSpent": spent is not None,
            "milestoneIndexBooked": booked,
            "milestoneTimestampBooked": 1_700_000_000 + booked,
            "ledgerIndex": self.milestone,
        }
        if spent:
            metadata |= {"transactionIdSpent": to_hex(spent[0]), "milestoneIndexSpent": spent[1]}
        return JSONResponse({"metadata": metadata, "output": output.to_json()})

    async def basic_outputs(self, request: Request) -> Response:
        name = "address" if "address" in request.query_params else "unlockableByAddress"
        address = from_bech32(request.query_params[name], self.parameters.bech32_hrp)
        matching = [
            to_hex(output_id)
            for output_id, (output, _, _) in self.outputs.items()
            if output.owner == address and output_id not in self.spent
        ]
        start = int(request.query_params.get("cursor", "0"))
        # After the first pages, which show that pages are followed, long ones save time.
        end = start + (PAGE_ITEMS if start < 3 * PAGE_ITEMS else LONG_PAGE_ITEMS)
        body = {"ledgerIndex": self.milestone, "pageSize": PAGE_ITEMS, "items": matching[start:end]}
        return JSONResponse(body | ({"cursor": str(end)} if end < len(matching) else {}))

    async def absent(self, request: Request) -> Response:
        return not_found()

    async def history(self, request: Request) -> Response:
        if not self.tells_history:
            return not_found()
        address = from_bech32(request.path_params["address"], self.parameters.bech32_hrp)
        items = [item for item in (self._item(id_, address) for id_ in self.included) if item]
        # What was made out of nothing stands for the payment of a stranger.
        made = [
            id_ for id_, (output, by, _) in self.outputs.items() if by == bytes(32) and output.owner == address
        ]
        items = [self._received(output_id) for output_id in made] + items
        start = int(request.query_params.get("after", "0"))
        end = start + PAGE_ITEMS
        return JSONResponse({"items": items[start:end]} | ({"next": end} if end < len(items) else {}))

    def _item(self, transaction_id: bytes, address: Address) -> dict[str, Any] | None:
        block_id = self.included[transaction_id]
        transaction = self.blocks[block_id].payload
        assert isinstance(transaction, Transaction)
        inputs = [self.outputs[spent.output_id][0] for spent in transaction.essence.inputs]
        amount = sum(o.amount for o in transaction.essence.outputs if o.owner == address)
        amount -= sum(o.amount for o in inputs if o.owner == address)
        others = {o.owner for o in (*inputs, *transaction.essence.outputs)}
        if address not in others:
            return None
        return {
            "transactionId": to_hex(transaction_id),
            "amount": str(amount),
            "milestoneIndex": self.referenced[block_id][0],
            "timestamp": 1_700_000_000,
            "counterparts": [to_bech32(o, self.parameters.bech32_hrp) for o in others - {address}],
        }

    def _received(self, output_id: bytes) -> dict[str, Any]:
        output, _, milestone = self.outputs[output_id]
        return {
            "transactionId": to_hex(output_id[:32]),
            "amount": str(output.amount),
            "milestoneIndex": milestone,
            "timestamp": 1_700_000_000,
            "counterparts": [],
        }

    async def tagged(self, request: Request) -> Response:
        after, tag = int(request.query_params["after"]), from_hex(request.path_params["tag"], "tag")
        found = [
            {"number": number, "blockId": to_hex(block_id)}
            for number, (block_id, block) in enumerate(self.blocks.items(), start=1)
            if number > after and getattr(block.payload, "tag", None) == tag
        ]
        page = found[:PAGE_ITEMS]
        more = {"next": page[-1]["number"]} if len(found) > PAGE_ITEMS else {}
        return JSONResponse({"tag": to_hex(tag), "items": page, **more})

    async def faucet(self, request: Request) -> Response:
        address = (await request.json())["address"]
        self.fund(from_bech32(address, self.parameters.bech32_hrp), 10_000)
        return JSONResponse({"address": address, "waitingRequests": 1}, 202)

    async def events(self, request: Request) -> Response:
        after = int(request.query_params.get("after", self.event_newest))
        self.event_starts.append(after)
        # A reader that names a number gets that event once more; it has to notice.
        start = max(after - 1, 0) if "after" in request.query_params else after
        cut, abort = self.event_cuts.pop(0) if self.event_cuts else (len(self.event_log), False)

        async def stream() -> AsyncIterator[bytes]:
            yield b": welcome\nid: %d\n\n" % after
            for data in self.event_log[start : after + cut]:
                yield b"id: %d\ndata: " % orjson.loads(data)["number"] + data + b"\n\n"
            if abort:
                raise ConnectionAbortedError("as the test asked")

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests.append(f"{scope['method']} {scope['path']}")
        self.queries.append(scope["query_string"].decode())
        if self.drops:
            self.drops -= 1
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ConnectionAbortedError("as the test asked")
        if self.answers:
            await self.answers.pop(0)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    @cached_property
    def app(self) -> Starlette:
        core, ours = "/api/core/v2", "/api/tangle/v1"
        return Starlette(
            routes=[
                Route("/health", self.health),
                Route(f"{core}/info", self.info),
                Route(f"{core}/tips", self.tips),
                Route(f"{core}/blocks", self.post_block, methods=["POST"]),
                Route(f"{core}/blocks/{{id}}", self.block),
                Route(f"{core}/blocks/{{id}}/metadata", self.metadata),
                Route(f"{core}/transactions/{{id}}/included-block", self.included_block),
                Route(f"{core}/outputs/{{id}}", self.output),
                Route("/api/indexer/v1/outputs/basic", self.basic_outputs),
                Route("/api/indexer/v1/outputs", self.basic_outputs),
                Route("/api/indexer/v1/outputs/{kind}/{id}", self.absent),
                Route(f"{ours}/addresses/{{address}}/history", self.history),
                Route(f"{ours}/tags/{{tag}}/blocks", self.tagged),
                Route(f"{ours}/faucet/enqueue", self.faucet, methods=["POST"]),
                Route(f"{ours}/events", self.events),
            ]
        )


def not_found() -> Response:
    return JSONResponse({"error": {"code": "404", "message": "not found"}}, 404)


@contextlib.asynccontextmanager
async def served(node: FakeNode) -> AsyncIterator[FakeNode]:
    """`node` on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(node, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    node.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:  # noqa: ASYNC110 - the server has nothing else to wait for
            await asyncio.sleep(0.01)
        yield node
    finally:
        server.should_exit = True
        await running
        listener.close()
