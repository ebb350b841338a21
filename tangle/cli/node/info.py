"""`tangle info`: the node and its network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tangle.cli.options import NODE_URL, AsJson, NodeUrl
from tangle.cli.output import amount, facts, show
from tangle.cli.session import run_async

if TYPE_CHECKING:
    from tangle.client.node.answers import NodeInfo

# Imports inside functions keep `tangle --help` quick.


def info(node: NodeUrl = NODE_URL, as_json: AsJson = False) -> None:
    """Show the node: its network, its health and its newest milestone."""
    answer = run_async(_info(node))
    show(answer.members, _text(node, answer), as_json=as_json)


async def _info(url: str) -> NodeInfo:
    from tangle.client.node.rest import NodeClient

    async with NodeClient(url) as node:
        return await node.info()


def _text(url: str, answer: NodeInfo) -> str:
    parameters, newest = answer.parameters, answer.latest_milestone
    age = "none yet"
    if newest.timestamp is not None:
        at = datetime.fromtimestamp(newest.timestamp, UTC)
        age = f"{newest.index}, {at:%Y-%m-%d %H:%M:%S} UTC"
    rent = parameters.rent_structure
    return facts(
        [
            ("node", f"{answer.name} {answer.version} at {url}"),
            ("health", "healthy" if answer.is_healthy else "not healthy"),
            ("network", parameters.network_name),
            ("addresses", f"{parameters.bech32_hrp}1…"),
            ("milestone", age),
            ("supply", amount(parameters.token_supply)),
            ("PoW score", f"at least {parameters.min_pow_score}"),
            ("depth", f"at most {parameters.below_max_depth} milestones"),
            (
                "byte cost",
                f"{rent.v_byte_cost} (data x {rent.v_byte_factor_data}, key x {rent.v_byte_factor_key})",
            ),
            ("features", ", ".join(answer.features) or None),
        ]
    )
