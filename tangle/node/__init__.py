"""The node: state in memory and journal on disk, joined.

node = Node.open("sqlite:///tangle.db", coordinator_seeds=[seed])
node.attach([block])                     # durable when it returns
node.issue_milestone(now)                # what it references is final
"""

from tangle.node.answers import Attached, MilestoneState, Outcome, Receipt
from tangle.node.founding import GENESIS_OUTPUT_ID, create_network
from tangle.node.settings import AuditFailed, NodeError, NodeSettings, NoNetwork
from tangle.node.snapshot import Snapshot
from tangle.node.spine import Node

__all__ = [
    "GENESIS_OUTPUT_ID",
    "Attached",
    "AuditFailed",
    "MilestoneState",
    "NoNetwork",
    "Node",
    "NodeError",
    "NodeSettings",
    "Outcome",
    "Receipt",
    "Snapshot",
    "create_network",
]
