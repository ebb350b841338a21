"""Selectors as numbers, for the compiled loop: what each name of tipselect.selectors does with its settings.

A recipe is float64[RECIPE_SIZE]; the constants below say what is where. `kernels.choose` cooks it from the walks,
races and draws that the node's selectors are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tangle.tipselect import eiota, hybrid, orphans, walk
from tangle.tipselect.kernels import Float64

UNIFORM, WALK, E_IOTA, HYBRID, G_IOTA = range(5)
KIND, ALPHA, WALKERS, FAST_RATIO, DEPTH = range(5)
ZERO_SHARE, LOW_SHARE, LOW_ALPHA = 5, 6, 7
SWIPE_ALPHA = 5
"""below 0: tips are swept up uniformly at random"""
AGE = 5
ANY = 8
"""not 0: walks begin on any approved block of the range, settled or not"""
RECIPE_SIZE = 9


def recipe(selector: str, settings: Mapping[str, Any], depth: int, entries: str | None = None) -> Float64:
    """Return the recipe of a selector of tipselect.selectors; `depth` is where its walks start, in blocks,
    `entries` on which blocks there (see Scenario).

    BadSetting for a value out of its range.
    """
    settings = {name: value for name, value in settings.items() if value is not None}
    out = np.zeros(RECIPE_SIZE)
    out[DEPTH] = depth
    out[ANY] = entries == "any" or (entries is None and selector == "unweighted")
    walkers = int(settings.get("walkers_per_tip", 1))
    fast_ratio = float(settings.get("fast_ratio", 0.0))
    walk.check("walkers_per_tip", walkers, 1)
    walk.check("fast_ratio", fast_ratio, 0.0)
    out[[WALKERS, FAST_RATIO]] = walkers, fast_ratio
    if selector == "uniform":
        out[KIND] = UNIFORM
    elif selector in {"weighted", "unweighted"}:
        alpha = 0.0 if selector == "unweighted" else float(settings.get("alpha", walk.ALPHA))
        walk.check("alpha", alpha, 0.0)
        out[[KIND, ALPHA]] = WALK, alpha
    elif selector == "e-iota":
        shares = {name: settings[name] for name in ("zero_share", "low_share", "low_alpha", "high_alpha")
                  if name in settings}  # fmt: skip
        eiota.draw_alpha(np.random.default_rng(0), **shares)
        zero, low = shares.get("zero_share", eiota.ZERO_SHARE), shares.get("low_share", eiota.LOW_SHARE)
        out[[KIND, ZERO_SHARE, LOW_SHARE]] = E_IOTA, zero, low
        out[LOW_ALPHA] = shares.get("low_alpha", eiota.LOW_ALPHA)
        out[ALPHA] = shares.get("high_alpha", eiota.HIGH_ALPHA)
    elif selector == "hybrid":
        alpha, swipe = float(settings.get("alpha", hybrid.HIGH_ALPHA)), settings.get("swipe_alpha")
        walk.check("alpha", alpha, 0.0)
        if swipe is not None:
            walk.check("swipe_alpha", swipe, 0.0)
        out[[KIND, ALPHA, SWIPE_ALPHA]] = HYBRID, alpha, -1.0 if swipe is None else swipe
    else:
        assert selector == "g-iota"
        alpha, age = float(settings.get("alpha", walk.ALPHA)), settings.get("age", orphans.AGE)
        walk.check("alpha", alpha, 0.0)
        walk.check("age", age, 1)
        out[[KIND, ALPHA, AGE]] = G_IOTA, alpha, age
    if selector in {"e-iota", "hybrid", "g-iota"} and not {"walkers_per_tip", "fast_ratio"} & settings.keys():
        # These selectors of the node take no walkers of their own: they race as the weighted walk does by default.
        out[[WALKERS, FAST_RATIO]] = 1, 0.0
    return out
