"""`tangle data`: bytes under a tag, written to the Tangle and read from it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.errors import FileUnreadable
from tangle.cli.group import command
from tangle.cli.options import NODE_URL, AsJson, NodeUrl, finite
from tangle.cli.output import show, show_done
from tangle.cli.session import WAIT_S, Worker, block_id_of, known_block, pow_by, run_async, tag_of
from tangle.client.node.attach import attach
from tangle.client.node.inclusion import wait_referenced
from tangle.client.node.rest import NodeClient
from tangle.errors import NotFound
from tangle.protocol.serial import Json, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.terminal.live import progress
from tangle.terminal.text import columns, facts, for_people, readable

PAGE = 20
"""blocks shown under a tag unless told otherwise"""

Tag = Annotated[str, typer.Option("--tag", metavar="TEXT|0xHEX", help="At most 64 bytes.")]


@command()
def post(
    data: Annotated[str | None, typer.Argument(metavar="TEXT", help="The data, as text.")] = None,
    tag: Tag = "",
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Take the data from a file.")] = None,
    worker: Annotated[Worker, typer.Option("--pow", help="Who does the proof of work.")] = Worker.AUTO,
    wait: Annotated[bool, typer.Option(help="Wait until a milestone references the block.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0, callback=finite, metavar="SECONDS", help="Seconds to wait at most.")
    ] = WAIT_S,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    payload = TaggedData(tag_of(tag), _bytes_to_post(data, file))
    with progress("asking the node", as_json=as_json) as tell:
        result = run_async(_post(node, payload, worker, timeout if wait else None, tell))
    text = facts(
        [
            ("block", result["blockId"]),
            ("tag", for_people(payload.tag) or "(none)"),
            ("bytes", len(payload.data)),
            ("milestone", result.get("milestoneIndex")),
        ]
    )
    show_done(result, text, as_json=as_json)


@command()
def get(
    block_id: Annotated[str | None, typer.Argument(metavar="BLOCK_ID", help="A block, as 0x…")] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="TEXT|0xHEX", help="All blocks under this tag.")
    ] = None,
    after: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="With --tag: start behind this event number.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=1, metavar="COUNT", help="With --tag: at most so many blocks.")] = PAGE,
    raw: Annotated[
        bool, typer.Option("--raw", help="With BLOCK_ID: write the data as it is, nothing else.")
    ] = False,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    if (block_id is None) == (tag is None):
        raise typer.BadParameter("give either a BLOCK_ID or --tag")
    if block_id is None:
        assert tag is not None
        result = run_async(_get_tag(node, tag_of(tag), after, limit))
        show(result, _listing(result), as_json=as_json)
        return
    payload = run_async(_get_block(node, block_id_of(block_id)))
    if raw:
        sys.stdout.buffer.write(payload.data)
        sys.stdout.flush()
        return
    rows = [("tag", for_people(payload.tag) or "(none)"), ("data", for_people(payload.data))]
    show({"blockId": block_id.lower(), **_contents(payload)}, facts(rows), as_json=as_json)


def _bytes_to_post(data: str | None, file: Path | None) -> bytes:
    if data is not None and file is not None:
        raise typer.BadParameter("give the data either as an argument or with --file")
    if data is not None:
        return data.encode()
    if file is not None:
        try:
            return file.read_bytes()
        except OSError as error:
            raise FileUnreadable(file, error.strerror or "it cannot be read") from None
    if sys.stdin.isatty():
        raise typer.BadParameter("give the data as an argument, with --file, or on standard input")
    return sys.stdin.buffer.read()


async def _post(
    url: str, payload: TaggedData, worker: Worker, seconds: float | None, tell: Callable[[str], None]
) -> Json:
    async with NodeClient(url) as node:
        by = await pow_by(node, worker)
        tell("proof of work" if by == "local" else "the node does the proof of work")
        block_id = await attach(node, payload, pow=by)
        result: Json = {"blockId": to_hex(block_id), "tag": to_hex(payload.tag), "bytes": len(payload.data)}
        if seconds is not None:
            tell("posted; waiting for a milestone")
            metadata = await wait_referenced(node, block_id, pow_by=by, within_s=seconds)
            result["milestoneIndex"] = metadata.milestone_index
    return result


async def _get_block(url: str, block_id: bytes) -> TaggedData:
    async with NodeClient(url) as node:
        block = await known_block(node.block(block_id), block_id)
    if not isinstance(block.payload, TaggedData):
        raise NotFound(f"the node does not know tagged data in block {to_hex(block_id)}; see `tangle block show`")
    return block.payload


async def _get_tag(url: str, tag: bytes, after: int, limit: int) -> Json:
    items: list[Json] = []
    result: Json = {"tag": to_hex(tag), "items": items}
    async with NodeClient(url) as node:
        async for found in node.tagged_blocks(tag, after=after):
            if len(items) == limit:
                result["next"] = items[-1]["number"]
                break
            block = await node.block(found.block_id)
            if isinstance(block.payload, TaggedData):
                head = {"number": found.number, "blockId": to_hex(found.block_id)}
                items.append(head | _contents(block.payload))
    return result


def _contents(payload: TaggedData) -> Json:
    contents: Json = {"tag": to_hex(payload.tag), "data": to_hex(payload.data)}
    if (text := readable(payload.data)) is not None:
        contents["text"] = text
    return contents


def _listing(result: Json) -> str:
    if not result["items"]:
        return "no block under this tag"
    rows = [
        (item["number"], item["blockId"], item.get("text", item["data"]).replace("\n", "⏎"))
        for item in result["items"]
    ]
    more = f"\nmore with --after {result['next']}" if "next" in result else ""
    return columns(("number", "block", "data"), rows) + more
