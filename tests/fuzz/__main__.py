"""`python -m tests.fuzz`: fuzz each target for a while and keep what was answered in a new way."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.fuzz.fuzzing import Target, fuzz, keep
from tests.fuzz.targets import TARGETS, routes
from tests.nodes import running_node

SLICE_S = 60.0
"""seconds after which a target's corpus is written and the next one has its turn"""


def main() -> int:
    """Run them in turns; stops at the first fault."""
    names = [*(target.name for target in TARGETS), "routes"]
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3_600, help="in all [3600]")
    parser.add_argument("--seed", type=int, help="of what is drawn; one is drawn and printed when not given")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="TARGET", help=", ".join(names))
    given = parser.parse_args()
    seed = secrets.randbits(32) if given.seed is None else given.seed
    with tempfile.TemporaryDirectory() as name, running_node(Path(name) / "data", min_pow_score=0) as node:
        targets = [target for target in (*TARGETS, routes(node.http)) if target.name in given.only]
        left = given.seconds
        while left > 0:
            for target in targets:
                seconds = min(SLICE_S, given.seconds / len(targets))
                _turn(target, seconds, seed)
                left -= seconds
                seed += 1
    return 0


def _turn(target: Target, seconds: float, seed: int) -> None:
    found = fuzz(target, seconds, seed)
    new = keep(target, found)
    told = f"{found.tried:9,} inputs, {len(found.answers):4} answers, {new:3} new in the corpus"
    print(f"{target.name:10} seed {seed:10} {told}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
