"""What the Tangle is: its graph, blocks that wait for parents, the ledger, white-flag order, finality.

Pure and deterministic: the same blocks in give the same state out. No clock, no I/O.
"""

from tangle.extras import needs

needs("node", "the ledger", "numba", "numpy")
