"""Measures, selectors and attacks for the tests of results and sweeps. Workers import them by name."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from typing import Any

import numpy as np

from tangle.sim.attacker import Attacker, Issue
from tangle.sim.result import Result
from tangle.tipselect.graph import Graph


def few(result: Result) -> dict[str, float]:
    return {
        "mean_tips": float(result.tips.mean()),
        "expected_tips": result.scenario.parents * result.scenario.load / (result.scenario.parents - 1),
        "mean_first_approval": float(np.nanmean(result.first_approvals)),
        "end": result.end,
    }


def fails_with_three_parents(result: Result) -> dict[str, float]:
    if result.scenario.parents == 3:
        raise ValueError("three parents\nare too many")
    return few(result)


def dies_with_three_parents(result: Result) -> dict[str, float]:
    if result.scenario.parents == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return few(result)


def with_nan(result: Result) -> dict[str, float]:
    found = few(result) | {"nothing": float("nan"), "seed": 7.0}
    return found if result.scenario.parents == 2 else found | {"attack_success": 1.0}


def oldest(graph: Graph, k: int, _rng: np.random.Generator) -> Any:
    return np.sort(graph.tips)[:k]


def withholder(attacker: Attacker, *, kept: int = 3, ever: bool = True) -> Generator[Issue, int, None]:
    """Withholds blocks upon honest tips, and tells of them when there are `kept`; with not `ever`, never."""
    secret: list[int] = []
    while True:
        number = yield Issue(attacker.select(), withheld=True)
        secret.append(number)
        if ever and len(secret) == kept:
            attacker.release(secret)
            secret.clear()
