"""Known figures, made again: what papers have drawn or computed, beside what is simulated here.

    tangle sim figure weight-growth --out weight.svg

    from tangle.sim.lab.known import KNOWN

    known = KNOWN["weight-growth"]
    data = known.run(quick=True)
    known.draw(data)                    # a figure of matplotlib
    known.check(data)                   # what was published or derived, what was measured

Every figure runs with fixed seeds, so it comes out the same everywhere. `quick` runs take a second or two and
are what the tests check; the full ones take at most a minute on one core and are those of docs/simulations.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tangle.sim.lab.known import alpha, contests, growth, network, steady
from tangle.sim.lab.known.known import Comparison, Data, Known

KNOWN: Mapping[str, Known] = MappingProxyType({
    known.name: known
    for known in (*steady.KNOWN, *growth.KNOWN, *alpha.KNOWN, *network.KNOWN, *contests.KNOWN)
})  # fmt: skip
"""every known figure by its name, in the order of the documentation"""
__all__ = ["KNOWN", "Comparison", "Data", "Known"]
