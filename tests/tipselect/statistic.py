"""Pearson's chi-square test, as the tests of this room use it."""

import math
from collections import Counter


def unlikely_above(freedom: int) -> float:
    """Chi-square value exceeded with probability 3e-5 (Wilson and Hilferty 1931, z = 4)."""
    return freedom * (1 - 2 / (9 * freedom) + 4 * math.sqrt(2 / (9 * freedom))) ** 3


def chi_square(seen: Counter[int], expected: dict[int, float], n: int) -> tuple[float, int]:
    """Return the statistic and its degrees of freedom; rare outcomes are put together."""
    common = {x: p for x, p in expected.items() if p * n >= 5}
    cells = [(seen[x], p * n) for x, p in common.items()]
    rest = n * (1 - sum(common.values()))
    if rest >= 5:
        cells.append((n - sum(seen[x] for x in common), rest))
    return sum((got - want) ** 2 / want for got, want in cells), len(cells) - 1
