"""`tangle tips`: which blocks wait for approval, why just those tips were chosen, and what the Tangle loses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.errors import FileUnwritable
from tangle.cli.group import command
from tangle.cli.options import NODE_URL, AsJson, NodeUrl
from tangle.cli.output import show
from tangle.cli.session import run_async
from tangle.cli.tips.picture import picture
from tangle.client.node.rest import NodeClient
from tangle.protocol.serial import Json
from tangle.terminal.text import columns, facts

SHOWN = 20
"""tips of a list unless told otherwise"""
STATES = {"good": "tip", "semiLazy": "semi-lazy", "lazy": "lazy", "contested": "contested"}


@command()
def list_tips(
    limit: Annotated[int, typer.Option(min=1, metavar="COUNT", help="At most so many.")] = SHOWN,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    result = _ask(node, lambda client: client.unapproved(limit))
    show(result, _listing(result), as_json=as_json)


@command()
def explain(
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, metavar="NUMBER", help="Of the walks; drawn if not given.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=8, metavar="COUNT", help="Tips to select.")] = 2,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the selection into this file.")] = None,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    result = _ask(node, lambda client: client.explain_tips(count, seed=seed))
    if svg is not None:
        try:
            svg.write_text(picture(result))
        except OSError as error:
            raise FileUnwritable(svg, error.strerror or "it cannot be written") from None
    show(result, _explanation(result), as_json=as_json)


@command()
def stats(
    age: Annotated[
        int | None, typer.Option(min=1, metavar="BLOCKS", help="Blocks after which a tip counts as left behind.")
    ] = None,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    result = _ask(node, lambda client: client.orphans(age))
    show(result, _losses(result), as_json=as_json)


def _ask(url: str, question: Callable[[NodeClient], Coroutine[None, None, Json]]) -> Json:
    async def main() -> Json:
        async with NodeClient(url) as client:
            return await question(client)

    return run_async(main())


def _listing(result: Json) -> str:
    counts = ", ".join(f"{count} {STATES[state]}" for state, count in result["counts"].items() if count)
    rows = [
        (
            item["blockId"],
            STATES[item["state"]],
            item["blocksSince"],
            f"{item['oldestRoot']} … {item['youngestRoot']}",
        )
        for item in result["items"]
    ]
    return f"{counts}\n\n" + columns(("block", "state", "blocks since", "rests on milestones"), rows)


def _explanation(result: Json) -> str:
    head = facts(
        [
            ("selector", result["selector"]),
            ("seed", f"{result['seed']}, alpha {result['alpha']:g}"),
            ("tips", f"{result['tipCount']}, {len(result['selected'])} selected"),
            ("milestone", result["milestoneIndex"]),
            ("entries", "\n".join(result["entryPoints"])),
        ]
    )
    walkers = [
        (
            number,
            len(walker["steps"]),
            f"{_chance(walker):.2g}",
            "too fast" if walker["fast"] else "",
            walker["tip"],
        )
        for number, walker in enumerate(result["walkers"], 1)
    ]
    ways = "\n".join(_way(number, walker) for number, walker in enumerate(result["walkers"], 1))
    filled = set(result["filled"])
    selected = [(block, "at random: no walker came" if block in filled else "") for block in result["selected"]]
    table = columns(("walker", "steps", "chance of its way", "", "tip"), walkers)
    return "\n\n".join([head, table, "last steps\n" + ways, columns(("selected", ""), selected)])


def _chance(walker: Json) -> float:
    """The product of the chances of all steps."""
    chance = 1.0
    for step in walker["steps"]:
        chance *= next(one["probability"] for one in step["candidates"] if one["blockId"] == step["chosen"])
    return chance


def _way(number: int, walker: Json) -> str:
    """The last steps of a walker, each with its chance, its rivals and their weights."""
    lines = []
    for step in walker["steps"][-3:]:
        offers = [
            f"{one['blockId'][:10]} (weight {one['weight']}) {one['probability']:.1%}"
            for one in step["candidates"][:4]
        ]
        others = len(step["candidates"]) - len(offers) + step.get("others", {"count": 0})["count"]
        more = f", {others} more" if others else ""
        lines.append(
            f"  {number}: {step['blockId'][:10]} (weight {step['weight']}) to " + ", ".join(offers) + more
        )
    return "\n".join(lines) or f"  {number}: began on a tip"


def _losses(result: Json) -> str:
    return facts(
        [
            ("blocks", f"{result['blocks']} in memory"),
            ("tips", result["tips"]),
            ("left behind", f"{result['leftBehind']} tips since which {result['age']} blocks have come"),
            ("orphaned", f"{result['orphaned']} blocks, {result['orphanedShare']:.2%} of those as old"),
            ("lost", f"{result['belowMaxDepth']} blocks below max depth: only reattaching helps"),
            (
                "lazy",
                f"{result['lazyTips']} lazy and {result['semiLazyTips']} semi-lazy blocks that nothing approves",
            ),
            ("contested", f"{result['contested']} blocks spend what another one that waits spends"),
        ]
    )
