"""The loop: change an input that is known, try it, and keep it if it was answered in a way not seen before.

What a target says of an input (accepted, or which rule it broke) stands for the way it went through the code. So
the corpus grows into the rare branches without anybody looking at coverage. It is kept, an input a line in hex.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
KEPT_BYTES_MAX = 8_192
"""of one input that is kept"""
KEPT_MAX = 400
"""inputs kept of a target"""


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes
    ----------
    name : of its file in the corpus
    seeds : inputs that somebody would send
    change : a known input, changed
    attempt : tries an input and says what became of it; what it raises is a fault
    """

    name: str
    seeds: Callable[[], Iterable[bytes]]
    change: Callable[[bytes, random.Random], bytes]
    attempt: Callable[[bytes], str]


@dataclass
class Found:
    """What a run came to.

    Attributes
    ----------
    answers : how often each answer was given
    kept : inputs of the corpus, with the answer each was kept for
    """

    tried: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    kept: dict[str, bytes] = field(default_factory=dict)


class Fault(AssertionError):
    """An input that something broke on."""


def fuzz(target: Target, seconds: float, seed: int) -> Found:
    """Try inputs for a while; the kept ones first. Raises Fault, which tells the input."""
    rng, found = random.Random(seed), Found()
    deadline = time.monotonic() + seconds
    seeds = [*target.seeds()]
    for data in [*seeds, *kept(target)]:
        _attempt(target, data, found, seed)
    while time.monotonic() < deadline:
        known = rng.choice([*seeds, *found.kept.values()])
        _attempt(target, target.change(known, rng), found, seed)
    return found


def _attempt(target: Target, data: bytes, found: Found, seed: int) -> None:
    try:
        answer = target.attempt(data)
    except Exception as error:
        shown = data if len(data) <= KEPT_BYTES_MAX else data[:64] + b"..."
        raise Fault(f"{target.name}, seed {seed}: {error!r} on {len(data)} bytes: {shown.hex()}") from error
    found.tried += 1
    found.answers[answer] += 1
    if answer not in found.kept and len(data) <= KEPT_BYTES_MAX:
        found.kept[answer] = data


def kept(target: Target) -> list[bytes]:
    """The corpus of a target."""
    file = CORPUS / f"{target.name}.txt"
    return [bytes.fromhex(line) for line in file.read_text().split()] if file.exists() else []


def keep(target: Target, found: Found) -> int:
    """Write the corpus down, the shortest first where there are too many; returns how many are new."""
    before = set(kept(target))
    inputs = sorted({*found.kept.values()}, key=lambda data: (len(data), data))[:KEPT_MAX]
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{target.name}.txt").write_text("".join(f"{data.hex()}\n" for data in inputs))
    return len(set(inputs) - before)
