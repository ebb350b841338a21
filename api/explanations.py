"""One tip selection in JSON: blocks by their ids, and of a step with thousands of candidates the likeliest."""

from __future__ import annotations

from typing import Any

from tangle.node.still import Still
from tangle.protocol.serial import to_hex
from tangle.tipselect.explain import Step, Walker

Json = dict[str, Any]

CANDIDATES_MAX = 10
"""candidates of a step that are named; the others are counted"""


def explanation_json(still: Still, k: int, seed: int) -> Json:
    """Explain one weighted selection of k tips on `still`."""
    found = still.explain(k, seed)

    numbers: dict[str, int] = {}

    def name(index: int) -> str:
        block_id = to_hex(still.id_of(index))
        numbers[block_id] = still.number_of(index)
        return block_id

    def step_json(step: Step) -> Json:
        likely = sorted(step.candidates, key=lambda one: (one.index != step.chosen, -one.probability, one.index))
        named, others = likely[:CANDIDATES_MAX], likely[CANDIDATES_MAX:]
        json: Json = {
            "blockId": name(step.index),
            "weight": step.weight,
            "chosen": name(step.chosen),
            "candidates": [
                {"blockId": name(one.index), "weight": one.weight, "probability": one.probability} for one in named
            ],
        }
        if others:
            json["others"] = {"count": len(others), "probability": sum(one.probability for one in others)}
        return json

    def walker_json(walker: Walker) -> Json:
        return {
            "entry": name(walker.entry),
            "tip": name(walker.tip),
            "pace": walker.pace,
            "fast": walker.fast,
            "steps": [step_json(step) for step in walker.steps],
        }

    return {
        "asOf": still.number,
        "milestoneIndex": still.milestone,
        "selector": still.selection.name,
        "seed": found.seed,
        "k": found.k,
        "alpha": found.alpha,
        "tipCount": still.graph.tip_count,
        "entryPoints": [name(index) for index in found.entry_points],
        "walkers": [walker_json(walker) for walker in found.walkers],
        "selected": [name(index) for index in found.selected],
        "filled": [name(index) for index in found.filled],
        "numbers": numbers,
    }
