"""The one seam through which node and simulator pick tips, `select(graph, k, rng)`, and what there is, by name.

| name       | file    | source                                 |
|------------|---------|----------------------------------------|
| weighted   | walk    | Popov 2018, section 4.1                |
| unweighted | walk    | the same with alpha = 0                |
| uniform    | uniform | Popov 2018, section 3; TIP-3           |
| g-iota     | giota   | Bu, Gürcan, Potop-Butucaru 2019        |
| e-iota     | eiota   | Bu, Hana, Potop-Butucaru 2019          |
| hybrid     | hybrid  | Ferraro, King, Shorten 2020            |
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from tangle.tipselect import eiota, giota, hybrid, uniform, walk
from tangle.tipselect.errors import BadSetting
from tangle.tipselect.graph import Graph
from tangle.tipselect.kernels import Int64


class Selector(Protocol):
    """A tip selection. Settings are bound beforehand, with `named` or `functools.partial`."""

    def __call__(self, graph: Graph, k: int, rng: np.random.Generator, /) -> Int64:
        """Return min(k, number of tips) distinct tips as absolute indices; empty only without tips.

        BadSetting for k < 1.
        """
        ...


SELECTORS: Mapping[str, Callable[..., Int64]] = MappingProxyType(
    {
        "weighted": walk.select,
        "unweighted": walk.unweighted,
        "uniform": uniform.select,
        "g-iota": giota.select,
        "e-iota": eiota.select,
        "hybrid": hybrid.select,
    }
)
"""name -> selector that takes its settings by keyword"""


def accepted(name: str) -> frozenset[str]:
    """Return the names of the settings that the selector `name` takes. BadSetting for an unknown selector."""
    if name not in SELECTORS:
        raise BadSetting("selector", f"{name!r} is none of {', '.join(SELECTORS)}")
    parameters = inspect.signature(SELECTORS[name]).parameters.values()
    return frozenset(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def named(name: str, **settings: Any) -> Selector:
    """Return the selector `name` with these settings bound; BadSetting for a selector or setting nobody knows.

    Values are checked when the selector is used.
    """
    unknown = sorted(settings.keys() - accepted(name))
    if unknown:
        known = ", ".join(sorted(accepted(name))) or "none"
        raise BadSetting(unknown[0], f"no setting of the selector {name!r}; it takes {known}")
    return partial(SELECTORS[name], **settings)
