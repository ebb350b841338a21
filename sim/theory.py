"""What is known of the Tangle as formulas: pure functions of numbers, each with its source.

rate is lambda (blocks per unit of time), delay is h (in that unit), parents is k, share is q, the part of all
blocks that an attacker issues. Everything here is of the model of Popov 2018 ("The Tangle", version 1.4.3),
sections 3 and 4: uniform selection of k tips among those of a delay h ago, Poisson arrivals, one weight for all
blocks.

Where that paper approximates and a better answer can be had, there are both, and the docstrings say what differs:

- `growth_rate` (0.352 / h for k = 2) takes every tip in view as equally likely to be one still, whatever its age;
  `branching_rate` (0.331 / h) follows the ages. The blocks that approve a young block are younger than others.
- `tips` is the mean for great loads; `tips_at_load` bends into the chain of low loads, where the tips are 1 +
  lambda h.

For the number of tips left behind, which weighted walks let grow with alpha, no formula is published that we know
of.

Other sources: Kusmierz 2017, "The first glance at the simulation of the Tangle: discrete model"; Kusmierz et al.
2019, "Properties of the Tangle for uniform random and random walk tip selection" (arXiv 2001.07734); Bramas 2018,
"The stability and the security of the Tangle"; Ferraro, King and Shorten 2019, "On the stability of unverified
transactions in a DAG-based distributed ledger" (arXiv 1901.07302); King 2021, "The fluid limit of a random graph
model for a shared ledger"; Rosenfeld 2014, "Analysis of hashrate-based double spending" (arXiv 1402.2009);
Nakamoto 2008.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tangle.sim.errors import BadMeasure
from tangle.tipselect.kernels import Float64

STEPS = 200
"""steps per delay when equations are integrated; the error of a weight is then below 0.5 %"""


# --- tips -----------------------------------------------------------------------------------------------------


def tips(rate: float, delay: float, parents: int = 2) -> float:
    """Stationary number of tips, k lambda h / (k - 1): Popov 2018, section 3. Infinite for k = 1.

    Each block takes one tip away on average, so one of the k it selects is a tip still: 1 / k of the tips in view
    are. The others, (k - 1) / k of them, were approved during the last h: lambda h tips.
    """
    return math.inf if parents == 1 else parents * rate * delay / (parents - 1)


def tips_at_load(rate: float, delay: float, parents: int = 2) -> float:
    """Number of tips at any load: as `tips`, but not less than 1 + lambda h, which is the mean of low loads.

    With k tips in view or fewer all of them are selected, so that each waits for the next block only, 1 / lambda.
    The two meet at lambda h = k - 1; near there chance makes it up to a fifth more. Derived here, from Little's
    law.
    """
    return rate * delay + max(1.0, delay * rate / (parents - 1) if parents > 1 else math.inf)


def tips_in_rounds(rate: float, parents: int = 2) -> float:
    """Number of tips when `rate` blocks at a time select among those of the round before: 1.255 lambda for k = 2.

    The root L of L (1 - exp(-k lambda / L)) = lambda. Kusmierz 2017 simulates this model, Bramas 2018 has it as a
    Markov chain. It is not the model of `sim`, whose tips are replaced all the time.
    """
    if parents == 1:
        return math.inf
    return rate / bisect(lambda x: (1 - math.exp(-parents * x)) / x - 1, 1e-9, float(parents))


def fluid_tips(times: ArrayLike, rates: ArrayLike, delay: float, parents: int = 2) -> Float64:
    """float64[n]: tips over time when the rate changes and is great, from a genesis alone.

    times : float64[n], ascending from 0
    rates : float64[n], lambda at these times, linear in between

    The fluid limit of Ferraro, King and Shorten 2019 and King 2021, for any k: of the tips in view, those approved
    by nobody are free; X' = lambda(t - h) - k lambda(t) X / (X + W), where W were approved during the last h and
    are tips to those who have not heard of it. Tips are the free ones, and the blocks that nobody sees yet.
    """
    at, rate = np.asarray(times, np.float64), np.asarray(rates, np.float64)
    step = delay / STEPS
    n = math.ceil(at[-1] / step) + 1
    grid = np.arange(n) * step
    issued = np.interp(grid, at, rate) * step
    taken, free, count = np.zeros(n), 1.0, np.ones(n)
    waiting = hidden = 0.0
    for i in range(n):
        if i >= STEPS:
            free += issued[i - STEPS]
            hidden -= issued[i - STEPS]
            waiting -= taken[i - STEPS]
        taken[i] = min(free, parents * issued[i] * free / max(free + waiting, float(parents)))
        free -= taken[i]
        waiting += taken[i]
        hidden += issued[i]
        count[i] = free + hidden
    return np.interp(at, grid, count)


# --- first approval -------------------------------------------------------------------------------------------


def first_approval(delay: float, parents: int = 2) -> float:
    """Mean time to the first approval, h k / (k - 1), which is 2 h for k = 2: Popov 2018, section 3.

    Nobody sees a block for h; then each of the lambda blocks per unit of time selects k of L = k lambda h / (k -
    1) tips, so that it is approved at rate (k - 1) / h. By Little's law it is the number of tips divided by
    lambda.
    """
    return math.inf if parents == 1 else delay * parents / (parents - 1)


def first_approval_at_load(rate: float, delay: float, parents: int = 2) -> float:
    """Mean time to the first approval at any load, `tips_at_load` / lambda: h + 1 / lambda when loads are low."""
    return tips_at_load(rate, delay, parents) / rate


def unapproved(age: ArrayLike, delay: float, parents: int = 2) -> Float64:
    """float64[...]: probability of no approval at an age: 1 up to h, then exp(-(k - 1)(age - h) / h)."""
    ages = np.asarray(age, np.float64)
    found: Float64 = np.exp(-(parents - 1) * np.maximum(ages / delay - 1, 0.0))
    return found


def chain_share(rate: float, delay: float) -> float:
    """Share of blocks that approve their predecessor and nothing else, exp(-2 lambda h): near 1 when loads are
    low.

    The last block has to be in view, no other since h: and it has to have seen all of its own, so that it left no
    other tip. Derived here; exact when k is no limit, for k = 2 up to terms of (lambda h) squared.
    """
    return math.exp(-2 * rate * delay)


# --- cumulative weight ----------------------------------------------------------------------------------------


def lambert(x: float) -> float:
    """Lambert's W for x >= 0: the w with w exp(w) = x."""
    w = math.log1p(x)
    for _ in range(50):
        change = (w * math.exp(w) - x) / (math.exp(w) * (w + 1))
        w -= change
        if abs(change) <= 1e-15 * (1 + w):
            break
    return w


def growth_rate(delay: float, parents: int = 2) -> float:
    """Rate at which a young block's cumulative weight grows, W((k - 1)^2 / k) / h: 0.352 / h for k = 2.

    Popov 2018, section 3.1: the tips K that approve a block obey K'(t) = lambda (1 - (1 - x)^k - x), x = K(t - h)
    / L, which for few of them is K'(t) = (k - 1)^2 / (k h) K(t - h). The paper writes it for k = 2, which gives 1
    / (2 h).
    """
    return lambert((parents - 1) ** 2 / parents) / delay


def branching_rate(delay: float, parents: int = 2) -> float:
    """The same rate when the ages of tips are minded: 0.331 / h for k = 2.

    A young block and what approves it are a branching process: a block is in view from h on, it is approved at
    rate (k - 1) / h, and goes on to be for h after its first approval, since nobody knows better. The Malthusian
    parameter c of that is the root of (k - 1) e^-z ((1 - e^-z) / z + e^-z / (z + k - 1)) = 1, z = c h. Derived
    here; the mean weight grows so exactly as long as it is small against the tips.
    """
    if parents == 1:
        return 0.0

    def excess(z: float) -> float:
        e = math.exp(-z)
        return (parents - 1) * e * ((1 - e) / z + e / (z + parents - 1)) - 1

    return bisect(excess, 1e-9, 50.0) / delay


def adaptation_period(rate: float, delay: float, parents: int = 2) -> float:
    """Time until nearly all new blocks approve a block, ln(L) / growth_rate: 2.84 h ln L for k = 2.

    Popov 2018, section 3.1: the time at which exp(0.352 t / h) reaches the number of tips.
    """
    return math.log(max(tips(rate, delay, parents), 1.0)) / growth_rate(delay, parents)


def weight(age: ArrayLike, rate: float, delay: float, parents: int = 2) -> Float64:
    """float64[...]: cumulative weight of a block of this age, own weight 1 included, as the mean field has it.

    Blocks that approve it are issued at rate b(t) = lambda (1 - (1 - x)^k), x = K(t) / L, where K of the L tips in
    view approve it: those issued up to t - h that had no approval at t - h. Of n blocks a share exp(-(k - 1) a /
    h) has none once it has been in view for a. Derived here as `branching_rate`, whose growth it begins with; it
    ends with slope lambda. No chance is in it: blocks that are lucky or not at first take less or more time, not
    another course.
    """
    ages = np.asarray(age, np.float64)
    count = tips(rate, delay, parents)
    step = delay / STEPS
    n = math.ceil(float(ages.max(initial=0.0)) / step) + 2
    fading = math.exp(-(parents - 1) / STEPS)
    total, free, before = np.ones(n), np.zeros(n), 0.0
    for i in range(1, n):
        seen = 0.0
        if i >= STEPS:
            came = total[i - STEPS] - (total[i - STEPS - 1] if i > STEPS else 0.0)
            free[i] = free[i - 1] * fading + came
            seen = free[i - STEPS] + total[i - STEPS] - (total[i - 2 * STEPS] if i >= 2 * STEPS else 0.0)
        births = 1 - (1 - min((seen + before) / 2 / count, 1.0)) ** parents
        total[i] = total[i - 1] + rate * step * births
        before = seen
    return np.interp(ages, np.arange(n) * step, total)


def adaptation_lag(rate: float, delay: float, parents: int = 2) -> float:
    """By how much weight falls behind that of a block which all approve from the first: age - weight / lambda,
    late.

    The intercept of the linear phase with the axis of time, from `weight`: unlike the end of adaptation it can be
    measured without a threshold. Blocks are lucky or not at first, and the mean of their lags is longer than that
    of a mean block: by about 1.06 h for k = 2, as simulations show.
    """
    late = 4 * adaptation_period(rate, delay, parents) + 10 * delay
    return late - float(weight(late, rate, delay, parents)) / rate


# --- double spends --------------------------------------------------------------------------------------------


def heavy_success(time: float, power: float, weight: float) -> float:
    """Probability that one block heavier than `weight` is found in some time: Popov 2018, section 4.

    Own weights are powers of 3. An attacker of this power finds a block of weight 3^n after an exponential time of
    mean 3^n / power, and n = ceil(log3 weight) will do: 1 - exp(-time power / 3^n). Without a greatest own weight
    he may go on to heavier ones for ever, and wins at last; that is why there has to be one.
    """
    n = math.ceil(math.log(max(weight, 1.0)) / math.log(3) - 1e-12)
    return -math.expm1(-time * power / 3.0**n)


def many_success(time: float, power: float, blocks: int) -> float:
    """Probability that an attacker issues at least `blocks` blocks of weight 1 in some time: Popov 2018, section
    4.

    They come at rate `power`, so the time for them is Gamma and their number Poisson distributed.
    """
    return 1 - sum(poisson(power * time, m) for m in range(blocks))


def many_bound(time: float, power: float, blocks: int) -> float:
    """Chernoff's bound of `many_success`, exp(-blocks phi(power time / blocks)), phi(a) = a - 1 - ln a.

    The paper's approximation by large deviations; 1 where the attacker is expected to make it.
    """
    a = power * time / blocks
    return 1.0 if a >= 1 else math.exp(-blocks * (a - 1 - math.log(a))) if a > 0 else 0.0


def catch_up(share: float, behind: int) -> float:
    """Probability that an attacker of share q ever makes up for `behind` blocks: (q / p)^behind, 1 from q = p on.

    The gambler's ruin; Nakamoto 2008, section 11. To get ahead, he has to make up for one more.
    """
    honest = 1 - share
    return 1.0 if share >= honest or behind <= 0 else (share / honest) ** behind


def race_success(share: float, depth: int, *, lead: int = 1) -> float:
    """Probability that a double spend gets ahead which is released once the payment has weight `depth`.

    lead : blocks the attacker has when the race begins

    Sum over his blocks m by then, negative binomial, of `catch_up`: he wins with more blocks than the honest
    issuers, now or later. With lead = 1 it is Rosenfeld 2014, whose attacker has one block in advance. That honest
    blocks approve the payment from the first is assumed: in a Tangle those of an adaptation period mostly do not.
    """
    honest = 1 - share
    if share >= honest:
        return 1.0
    # With so many, nothing is left to make up for.
    enough = max(depth + 1 - lead, 0)
    slow = [negative_binomial(m, depth, honest) for m in range(enough)]
    losses = (p * (1 - catch_up(share, enough - m)) for m, p in enumerate(slow))
    return 1 - sum(losses)


def race_success_poisson(share: float, depth: int) -> float:
    """Nakamoto 2008, section 11: as `race_success`, but m is Poisson, of mean depth q / p, and a tie is a win."""
    honest = 1 - share
    if share >= honest:
        return 1.0
    mean = depth * share / honest
    return 1 - sum(poisson(mean, m) * (1 - catch_up(share, depth - m)) for m in range(depth + 1))


# --- numbers --------------------------------------------------------------------------------------------------


def poisson(mean: float, m: int) -> float:
    """Probability of m for a Poisson distributed number."""
    if mean == 0:
        return float(m == 0)
    return math.exp(m * math.log(mean) - mean - math.lgamma(m + 1))


def negative_binomial(m: int, n: int, chance: float) -> float:
    """Probability of m failures before the n-th success, for n >= 1; for n = 0 there are none."""
    if n == 0:
        return float(m == 0)
    return math.exp(
        math.lgamma(m + n) - math.lgamma(n) - math.lgamma(m + 1) + n * math.log(chance)
        + (m * math.log1p(-chance) if m else 0.0)
    )  # fmt: skip


def bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of a function whose sign changes once between low and high. BadMeasure when it does not."""
    sign = function(low) > 0
    if (function(high) > 0) == sign:
        raise BadMeasure("function", f"no change of sign between {low:g} and {high:g}")
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (function(middle) > 0) == sign else (low, middle)
    return (low + high) / 2
