"""Measures for the tests of sweeps, and issuers that misbehave. Workers import them by name."""

from __future__ import annotations

import os
import signal

import numpy as np

from sim.result import Result


def few(result: Result) -> dict[str, float]:
    return {
        "mean_tips": float(result.tips.mean()),
        "mean_first_approval": float(np.nanmean(result.first_approvals)),
        "end": result.end,
    }


def fails_when_heavy(result: Result) -> dict[str, float]:
    if result.scenario.parents == 3:
        raise ValueError("three parents\nare too many")
    return few(result)


def dies_when_heavy(result: Result) -> dict[str, float]:
    if result.scenario.parents == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return few(result)
