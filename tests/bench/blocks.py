"""Blocks to post, the same for every network: they rest on the block before all blocks, whose id is known.

Their Tangle is grown as in Popov 2018: each approves two uniform tips of what was there `DELAY` blocks before. With
fewer connections than that, parents have been answered before their children are sent. Data blocks name no network,
so that work done once serves as many fresh networks of one minimum score as there are runs.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tangle.protocol.blocks import NONCE_BYTES, Block
from tangle.protocol.milestones import NO_ID
from tangle.protocol.pow.search import cores, search
from tangle.protocol.tagged_data import TaggedData
from tipselect import reference

DELAY = 128
"""blocks issued between a block and its becoming visible"""
DATA_BYTES = 100
"""of each block, about a sensor reading in JSON"""
SEED = 2018


def prepared(count: int, min_score: int) -> list[Block]:
    """Return `count` finished blocks, parents before children, each with a score of at least `min_score`."""
    rng = np.random.default_rng(SEED)
    graph = reference.grown_graph(rng, count + 1, delay=DELAY)
    ids, blocks = [NO_ID], list[Block]()
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(1, count + 1, DELAY):
            stop = min(start + DELAY, count + 1)
            drafts = [
                Block(
                    tuple(sorted(ids[parent] for parent in graph.parents(index))),
                    TaggedData(b"bench", rng.bytes(DATA_BYTES)),
                )
                for index in range(start, stop)
            ]
            done = list(pool.map(lambda draft: _worked(draft, min_score), drafts))
            ids.extend(block.id for block in done)
            blocks.extend(done)
    return blocks


def _worked(block: Block, min_score: int) -> Block:
    return block.with_nonce(search(block.encoded[:-NONCE_BYTES], min_score, workers=1))
