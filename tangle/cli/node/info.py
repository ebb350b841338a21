"""`tangle info`: the node and its network."""

from __future__ import annotations

from tangle.cli.group import command
from tangle.cli.options import NODE_URL, AsJson, NodeUrl
from tangle.cli.output import show
from tangle.client.node import once
from tangle.client.node.place import without_password
from tangle.protocol.answers import NodeInfo
from tangle.terminal.text import amount, facts, when


@command()
def info(node: NodeUrl = NODE_URL, as_json: AsJson = False) -> None:
    answer = once.info(node)
    show(answer.to_json(), _text(node, answer), as_json=as_json)


def _text(url: str, answer: NodeInfo) -> str:
    parameters, newest = answer.parameters, answer.latest_milestone
    age = "none yet"
    if newest.timestamp is not None:
        age = f"{newest.index}, {when(newest.timestamp)}"
    rent = parameters.rent_structure
    return facts(
        [
            ("node", f"{answer.name} {answer.version} at {without_password(url)}"),
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
            ("rules", ", ".join(answer.rules or ()) or None),
        ]
    )
