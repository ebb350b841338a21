"""`python -m tests.crash`: rounds of faults and kills against nodes, with progress and a table in the end."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.faults import ENDS, LASTING
from tests.crash.siege import Siege, Toll

ROUNDS = 20
"""rounds against one node; then the next one is new"""


def main() -> int:
    """Run them; 1 when something was lost."""
    names = [*LASTING, *ENDS]
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="in all [200]")
    parser.add_argument("--seed", type=int, help="of what is drawn; one is drawn and printed when not given")
    parser.add_argument("--only", nargs="+", choices=names, default=[], metavar="FAULT", help=", ".join(names))
    given = parser.parse_args()
    seed = secrets.randbits(32) if given.seed is None else given.seed
    toll, began = Toll(), time.monotonic()
    for start in range(0, given.rounds, ROUNDS):
        rounds = min(ROUNDS, given.rounds - start)
        print(f"seed {seed}, rounds {start + 1} to {start + rounds} of {given.rounds}", flush=True)
        with tempfile.TemporaryDirectory() as name:
            siege = Siege(Path(name) / "siege", seed, lambda line: print(f"  {line}", flush=True))
            toll += asyncio.run(siege.run(rounds, given.only))
        seed += 1
    for fault, count in toll.done.most_common():
        print(f"{count:8,}  {fault}")
    print(f"{toll.acknowledged:8,}  blocks acknowledged, none lost")
    print(f"{toll.events:8,}  events heard, each once and in order")
    print(f"{toll.payments:8,}  payments settled as they must be")
    print(f"{toll.messages:8,}  messages of channels, without gap or fork")
    print(f"{toll.orders:8,}  orders at machines settled, sums right")
    print(f"{time.monotonic() - began:8,.0f}  seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
