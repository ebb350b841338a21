"""Dear questions, as the desk asks them: functions of a library that return the bytes of the answer.

They run in another process (`tangle.service.reader`), so what they are given and return can be pickled, and
nothing of the running service is here.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import orjson

from tangle.api.channels import heard_json, place_text
from tangle.api.explanations import explanation_json
from tangle.api.graphs import WRITERS
from tangle.api.schemas import GraphNode
from tangle.api.stream import KINDS
from tangle.api.views import block_confidence, settled, share
from tangle.errors import NotFound
from tangle.node.still import Still
from tangle.protocol import answers, peek
from tangle.protocol.addresses import Address, to_bech32
from tangle.protocol.blocks import Block
from tangle.protocol.serial import to_hex
from tangle.service.decoding import Place, Walk, reading
from tangle.service.history import changes
from tangle.service.reader import Library
from tangle.store import journal, queries
from tangle.store.queries import BlockRecord, Cursor, Filter, TaggedFilter

Start = tuple[Literal["newest", "from", "around"], Any]
"""where a slice of the Tangle begins"""


# Of the database.


def block(_library: Library, data: bytes) -> bytes:
    """A long block in JSON."""
    return orjson.dumps(Block.decode(data).to_json())


def outputs(library: Library, chosen: Filter, cursor: Cursor | None, size: int, store_id: str) -> bytes:
    """A page of unspent outputs."""
    with library.connect() as connection:
        page = queries.unspent_outputs(connection, chosen, cursor, size)
        ledger_index = queries.ledger_index(connection)
    text = page.cursor.encode(store_id) if page.cursor is not None else None
    return orjson.dumps(answers.OutputPage(tuple(page.items), ledger_index, text).to_json())


def history(library: Library, address: Address, text: str, hrp: str, after: int, size: int) -> bytes:
    """A page of the changes of an address."""
    with library.connect() as connection:
        page, more = changes(connection, address, after, size)
    items = [
        answers.HistoryItem(
            change.transaction_id,
            change.amount,
            change.milestone_index,
            change.timestamp,
            tuple(to_bech32(other, hrp) for other in change.counterparts),
            change.number,
        ).to_json()
        for change in page
    ]
    body = {"address": text.lower(), "items": items}
    return orjson.dumps({**body, "next": page[-1].number} if more else body)


def tagged(library: Library, tag: str, chosen: TaggedFilter, size: int, bytes_max: int | None) -> bytes:
    """A page of the blocks under a tag; with their data where their bytes are bounded."""
    with library.connect() as connection:
        page = queries.tagged_page(connection, [bytes.fromhex(tag[2:])], chosen, size, bytes_max)
    items = [
        answers.TaggedBlock(
            one.number, one.block_id, one.received_at, None if bytes_max is None else peek.tagged_data(one.data)
        ).to_json()
        for one in page.blocks
    ]
    body = {"tag": tag.lower(), "items": items}
    return orjson.dumps({**body, "next": page.blocks[-1].number} if page.more else body)


def messages(library: Library, index: str, most: int) -> bytes:
    """Ids of the first blocks under a tag, in the form of the generation before."""
    with library.connect() as connection:
        found = queries.blocks_by_tag(connection, bytes.fromhex(index), 0, most)
    ids = [one.block_id.hex() for one in found]
    members = {"index": index.lower(), "maxResults": most, "count": len(ids), "messageIds": ids}
    return orjson.dumps({"data": members})


def utxo_changes(library: Library, index: int) -> bytes:
    """What a milestone created and consumed."""
    with library.connect() as connection:
        found = queries.utxo_changes(connection, index)
    return orjson.dumps(answers.UtxoChanges(index, found.created, found.consumed).to_json())


def supply(library: Library, token_supply: int) -> bytes:
    """The supply, and the sum of all unspent outputs."""
    with library.connect() as connection:
        unspent = journal.unspent_total(connection)
    return orjson.dumps({"tokenSupply": str(token_supply), "unspent": str(unspent)})


def channel(library: Library, root: str, place: Place, upto: int, size: int, now_ms: float) -> bytes:
    """A page of the messages of a public channel."""
    walk = Walk(place, reading(library.engine), lambda: now_ms)
    found = walk.advance(upto, size)
    here = place_text(walk.place)
    items = [heard_json(one) for one in found.items]
    body = {"root": root.lower(), "items": items, "skipped": dict(walk.skipped), "position": here}
    return orjson.dumps({**body, "next": here} if found.more else body)


# Of the window.


def slice_of(library: Library, place: Start, most: int, form: str) -> bytes:
    """A slice of the Tangle, in one of its forms."""
    with library.connect() as connection:
        ledger_index = queries.ledger_index(connection)
        kind, start = place
        if kind == "around":
            middle = queries.record(connection, start)
            if middle is None:
                raise NotFound(f"no block {to_hex(start)}")
            records = queries.blocks_around(connection, middle.block.number, most)
        elif kind == "from":
            records = queries.blocks_from(connection, start, most)
        else:
            records = queries.latest_blocks(connection, most, after=start)
    nodes = _nodes(library.window, records)
    if form == "json":
        return orjson.dumps({"ledgerIndex": ledger_index, "nodes": nodes})
    return WRITERS[form][1](nodes)


def _nodes(still: Still, records: list[BlockRecord]) -> list[dict[str, Any]]:
    weights = still.weights(record.block.number for record in records)
    return [
        GraphNode(
            record.block.block_id,
            record.block.number,
            tuple(peek.parents(record.block.data)),
            KINDS[record.block.payload_type],
            record.block.received_at,
            share(
                *still.share(record.block.number, record.referenced.milestone_index if record.referenced else None)
            ),
            weight=weights.get(record.block.number),
            **settled(record),
        ).to_json()
        for record in records
    ]


def confidence(library: Library, record: BlockRecord, walks: int, seed: int) -> bytes:
    """Walks drawn now; the sampled confidence of a block that has left the window."""
    still, block_id = library.window, record.block.block_id
    index = still.index_of(record.block.number)
    if index is None:
        milestone = record.referenced.milestone_index if record.referenced else None
        found = block_confidence(block_id, share(*still.share(record.block.number, milestone)))
    else:
        drawn = share(still.confidence(index, walks, seed), walks)
        found = block_confidence(block_id, drawn, seed, still.number)
    return orjson.dumps(found.to_json())


def explanation(library: Library, k: int, seed: int) -> bytes:
    """One weighted selection, step by step."""
    return orjson.dumps(explanation_json(library.window, k, seed))


def tips(library: Library, most: int) -> bytes:
    """Blocks that nothing approves."""
    still = library.window
    found = still.unapproved().tolist()
    low = still.graph.low
    items = [
        {
            "blockId": to_hex(still.id_of(index)),
            "number": still.number_of(index),
            "state": still.state_of(index),
            "blocksSince": still.graph.high - 1 - index,
            "oldestRoot": int(still.oldest[index - low]),
            "youngestRoot": int(still.youngest[index - low]),
        }
        for index in found[:most]
    ]
    counts = Counter(still.state_of(index) for index in found)
    states = ("good", "semiLazy", "lazy", "contested")
    return orjson.dumps(
        {
            "asOf": still.number,
            "milestoneIndex": still.milestone,
            "counts": {state: counts[state] for state in states},
            "items": items,
        }
    )


def orphans(library: Library, age: int) -> bytes:
    """What the Tangle in memory loses."""
    still = library.window
    losses = still.losses(age)
    return orjson.dumps(
        {
            "asOf": still.number,
            "milestoneIndex": still.milestone,
            "age": losses.age,
            "blocks": losses.vertices,
            "tips": losses.tips,
            "leftBehind": losses.left_behind,
            "lazyTips": losses.lazy_tips,
            "semiLazyTips": losses.semi_lazy_tips,
            "contested": still.contested_count,
            "orphaned": losses.orphaned,
            "orphanedShare": losses.orphaned_share,
            "belowMaxDepth": losses.forbidden,
        }
    )
