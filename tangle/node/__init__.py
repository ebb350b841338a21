"""The node: state in memory over a journal on disk.

node = Node.open("sqlite:///tangle.db", coordinator_seeds=[seed])
step = node.attach([block])              # in memory
journal.write(node.engine, step.batch)   # durable
node.publish()                           # seen by readers
"""

from tangle.extras import needs

needs("node", "a node", "numba", "numpy", "sqlalchemy")

from tangle.node.founding import GENESIS_OUTPUT_ID, create_network
from tangle.node.node import Node
from tangle.node.reading import Reading
from tangle.node.settings import NodeSettings
from tangle.node.step import Outcome, Receipt, Step
from tangle.node.still import Still

__all__ = [
    "GENESIS_OUTPUT_ID",
    "Node",
    "NodeSettings",
    "Outcome",
    "Reading",
    "Receipt",
    "Step",
    "Still",
    "create_network",
]
