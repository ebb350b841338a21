"""`tangle block`: what a block says and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from tangle.cli.group import command
from tangle.cli.options import NODE_URL, AsJson, NodeUrl
from tangle.cli.output import show
from tangle.cli.session import block_id_of, confidence_text, known_block, run_async
from tangle.client.node.rest import NodeClient
from tangle.protocol.addresses import to_bech32
from tangle.protocol.answers import BlockMetadata
from tangle.protocol.blocks import Block
from tangle.protocol.conflicts import meaning
from tangle.protocol.milestones import Milestone
from tangle.protocol.serial import Json, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import Transaction
from tangle.terminal.text import Facts, amount, facts, for_people


@command()
def show_block(
    block_id: Annotated[str, typer.Argument(metavar="BLOCK_ID", help="The block, as 0x…")],
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    block, metadata, hrp = run_async(_fetch(node, block_id_of(block_id)))
    result = {"blockId": to_hex(block.id), "block": block.to_json(), "metadata": _metadata_json(metadata)}
    show(result, _text(block, metadata, hrp), as_json=as_json)


async def _fetch(url: str, block_id: bytes) -> tuple[Block, BlockMetadata, str]:
    async with NodeClient(url) as node:
        block = await known_block(node.block(block_id), block_id)
        metadata = await known_block(node.metadata(block_id), block_id)
        return block, metadata, (await node.parameters()).bech32_hrp


def _metadata_json(metadata: BlockMetadata) -> Json:
    told = {"shouldPromote": False, "shouldReattach": False, **metadata.to_json()}
    return {name: value for name, value in told.items() if name not in {"blockId", "parents", "milestoneIndex"}}


def _text(block: Block, metadata: BlockMetadata, hrp: str) -> str:
    rows: list[tuple[str, object]] = [
        ("block", to_hex(block.id)),
        ("size", f"{len(block.encoded)} bytes"),
        ("parents", "\n".join(map(to_hex, block.parents))),
        *_payload(block, hrp),
        ("nonce", block.nonce),
        ("confidence", metadata.confidence and confidence_text(metadata.confidence)),
        ("milestone", _milestone(metadata)),
        ("ledger", _ledger(metadata)),
        ("advice", _advice(metadata)),
    ]
    return facts(rows)


def _payload(block: Block, hrp: str) -> Facts:
    payload = block.payload
    if payload is None:
        return [("payload", "none")]
    if isinstance(payload, TaggedData):
        return [("payload", f"tagged data, {len(payload.data)} bytes"), *_tagged(payload)]
    if isinstance(payload, Transaction):
        return _transaction(payload, hrp)
    assert isinstance(payload, Milestone)
    return _milestone_payload(payload)


def _tagged(payload: TaggedData) -> Facts:
    return [("  tag", for_people(payload.tag) or "(none)"), ("  data", for_people(payload.data))]


def _transaction(transaction: Transaction, hrp: str) -> Facts:
    essence = transaction.essence
    outputs = [f"{amount(output.amount)} to {to_bech32(output.owner, hrp)}" for output in essence.outputs]
    tagged = essence.payload
    return [
        ("payload", "transaction"),
        ("  id", to_hex(transaction.id)),
        ("  inputs", "\n".join(to_hex(item.output_id) for item in essence.inputs)),
        ("  outputs", "\n".join(outputs)),
        *(_tagged(tagged) if tagged is not None else ()),
    ]


def _milestone_payload(milestone: Milestone) -> Facts:
    essence = milestone.essence
    return [
        ("payload", f"milestone {essence.index}"),
        ("  id", to_hex(essence.id)),
        ("  issued", f"{essence.timestamp} s (unix time)"),
        ("  past", to_hex(essence.inclusion_root)),
        ("  applied", to_hex(essence.applied_root)),
    ]


def _milestone(metadata: BlockMetadata) -> str:
    if metadata.milestone_index is None:
        return "not referenced yet"
    return f"referenced by milestone {metadata.milestone_index}"


def _ledger(metadata: BlockMetadata) -> str | None:
    if metadata.inclusion is None:
        return None
    if metadata.conflict_reason:
        return f"conflicting ({metadata.conflict_reason}): {meaning(metadata.conflict_reason)}"
    return {"noTransaction": "not a transaction"}.get(metadata.inclusion, metadata.inclusion)


def _advice(metadata: BlockMetadata) -> str | None:
    if metadata.should_reattach:
        return "too old for a milestone: its payload has to be attached again"
    return "promote it: too little approves it" if metadata.should_promote else None
