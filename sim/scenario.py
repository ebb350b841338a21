"""What is simulated, declared: as Python (`Scenario(...)`) or as a TOML file (`scenario_file`).

The model is that of Popov 2018, section 3: blocks arrive at random with rate lambda, whoever issues one selects
its parents among what he has received by then, and others receive it a delay h later. Everything random outside of
the Tangle (arrivals, issuers, delays, own weights) is drawn beforehand from the seed, see `arrivals`.

Times are in a unit of your choice, rates in blocks per that unit. Block 0 is the genesis, at time 0.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Self

from tangle.sim.errors import BadScenario
from tangle.tipselect.errors import TipSelectError
from tangle.tipselect.kernels import PARENTS_MAX
from tangle.tipselect.selectors import SELECTORS, Selector, accepted

PROCESSES = ("poisson", "fixed")
"""how blocks arrive"""
SPREADS = ("fixed", "uniform", "exponential")
"""how delays are distributed around their mean: not at all, between 0 and twice it, memoryless"""
ENTRIES = ("settled", "any")
"""where walks begin"""
AGENTS_MAX = 1_000
"""views of their own; each costs memory for a window"""
OWN_WEIGHT_MAX = 2**31 - 1
"""of one block"""
BLOCKS_MAX = 2**31 - 1
"""of one run"""
CONFLICT_SIDES = 8
"""sides a conflict can have; one bit each"""

Number = float | int
Table = Mapping[str, Any]
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A group of issuers that share one view of the Tangle: a node and its clients, a region, a crowd.

    name : for figures and tables
    share : of the honest arrivals, in proportion to the other agents' shares
    selector, alpha, settings : the scenario's where None
    """

    name: str = ""
    share: float = 1.0
    selector: str | Selector | None = None
    alpha: float | None = None
    settings: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The network is torn between two times: nothing passes from one group of agents to another until the end.

    groups : indices of agents; agents that no group names form one more
    """

    start: float
    end: float
    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adversary:
    """Somebody who issues blocks of his own making; see `attacks`.

    attack : a name of `attacks.ATTACKS`, or "module:function"
    share : q, his share of all blocks while he is at work; he issues lambda q / (1 - q)
    start, end : when he is at work
    delay : mean of the delays from and to him
    settings : the attack's own
    """

    attack: str
    share: float
    start: float = 0.0
    end: float = math.inf
    delay: float | None = None
    settings: Table = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A simulation, completely: the same scenario gives the same result everywhere.

    arrivals : lambda, honest blocks per unit of time; or corners (time, rate) between which it changes linearly,
        two corners of one time are a jump
    process : "poisson" or "fixed" (the same rate without chance)
    delay : h, mean time until others have received a block
    spread : of delays: "fixed", "uniform" (0 to 2 h), "exponential"; drawn anew for each block and receiver
    own_delay : mean time until an agent has received its own block; None: as everybody's. 0 for agents that are
        single nodes
    delays : mean delay from agent (row) to agent (column), with the diagonal; instead of the two above
    parents : k, tips each block approves, 1 to 8
    selector : a name of tipselect.selectors, "module:function", or a function select(graph, k, rng)
    alpha : of selectors that take one; their own default where None
    settings : further settings of the selector. Unlike a node, one walker is sent per tip (walkers_per_tip = 1)
        and all are let finish (fast_ratio = 0), which is the model that papers describe
    blocks : to be issued, the genesis and the adversary's included
    agents : how many views of equal share, or a tuple of Agent
    own_weights : (own weight, chance) of each possible one; weights are whole numbers
    splits : times when the network is torn
    adversary : somebody who attacks
    entries : where walks begin: on "settled" blocks, which half of all newer ones approve (the node's rule), or on
        "any" that is approved (Popov 2018, section 4.1); None: "any" for "unweighted", whose walks read no weights
    entry_depth : blocks behind the newest where walks start at least, twice that at most; None: 16 lambda h
    window : blocks a view keeps; a tip older than that cannot be approved any more; None: six entry depths
    seed : of everything random
    """

    name: str = ""
    arrivals: float | Corners = 100.0
    process: str = "poisson"
    delay: float = 1.0
    spread: str = "fixed"
    own_delay: float | None = None
    delays: tuple[tuple[float, ...], ...] | None = None
    parents: int = 2
    selector: str | Selector = "weighted"
    alpha: float | None = None
    settings: Table = field(default_factory=dict)
    blocks: int = 10_000
    agents: int | tuple[Agent, ...] = 1
    own_weights: tuple[tuple[int, float], ...] = ((1, 1.0),)
    splits: tuple[Split, ...] = ()
    adversary: Adversary | None = None
    entries: str | None = None
    entry_depth: int | None = None
    window: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        normalize(self)
        check(self)

    @property
    def everybody(self) -> tuple[Agent, ...]:
        """The agents one by one, without the adversary."""
        if isinstance(self.agents, int):
            return tuple(Agent() for _ in range(self.agents))
        return self.agents

    @property
    def rate_max(self) -> float:
        """Greatest honest rate, blocks per unit of time."""
        return max(rate for _, rate in self.corners)

    @property
    def corners(self) -> Corners:
        """Honest rate over time as corners; the last rate goes on for ever."""
        return ((0.0, self.arrivals),) if isinstance(self.arrivals, float) else self.arrivals

    @property
    def delay_max(self) -> float:
        """Greatest mean delay between two agents."""
        return max((max(row) for row in self.delays), default=0.0) if self.delays else self.delay

    @property
    def load(self) -> float:
        """Lambda h: blocks issued during one delay, at the greatest rate."""
        return self.rate_max * self.delay_max

    @property
    def depth(self) -> int:
        """The entry depth, in blocks."""
        return self.entry_depth if self.entry_depth is not None else max(20, math.ceil(16 * self.load))

    @property
    def window_blocks(self) -> int:
        """The window, in blocks."""
        return self.window if self.window is not None else max(2_000, 6 * self.depth)

    @property
    def unit_weights(self) -> bool:
        """Whether every block weighs 1."""
        return all(weight == 1 for weight, _ in self.own_weights)

    def selector_of(self, agent: Agent) -> tuple[str | Selector, dict[str, Any]]:
        """Return an agent's selector and all settings it is given, the walks' entry depth aside."""
        selector = agent.selector if agent.selector is not None else self.selector
        own = agent.selector is not None and agent.selector != self.selector
        given = agent.settings if agent.settings is not None else ({} if own else self.settings)
        alpha = agent.alpha if agent.alpha is not None else (None if own else self.alpha)
        settings = dict(given)
        if alpha is not None:
            settings["alpha"] = alpha
        return selector, settings

    def to_table(self) -> dict[str, Any]:
        """Return the scenario as tables, lists, strings and numbers: what TOML and JSON can hold."""
        table = {key: plain(value) for key, value in _fields(self).items() if value is not None}
        default = Scenario.__dataclass_fields__
        return {k: v for k, v in table.items() if k in {"blocks", "seed"} or v != plain(default[k].default)}

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Build a scenario from tables as TOML and JSON have them. BadScenario names what is wrong."""
        given = dict(table)
        unknown = sorted(given.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise BadScenario(
                unknown[0], f"no field of a scenario; there are {', '.join(cls.__dataclass_fields__)}"
            )
        if isinstance(given.get("agents"), list | tuple):
            given["agents"] = tuple(_record(Agent, each, f"agents[{i}]") for i, each in enumerate(given["agents"]))
        if "splits" in given:
            splits = _sequence(given["splits"], "splits")
            given["splits"] = tuple(_record(Split, each, f"splits[{i}]") for i, each in enumerate(splits))
        if given.get("adversary") is not None:
            given["adversary"] = _record(Adversary, given["adversary"], "adversary")
        return cls(**given)

    def but(self, **changes: Any) -> Self:
        """Return the scenario with some fields changed."""
        return dataclasses.replace(self, **changes)


def named_function(name: str, field_name: str) -> Any:
    """Return what "module:function" names. BadScenario when it cannot be imported."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadScenario(field_name, f"{name!r} cannot be imported: {error}") from None
    if not callable(found):
        raise BadScenario(field_name, f"{name!r} is no function")
    return found


def own_selector(selector: str | Selector, settings: Table, field_name: str) -> Selector | None:
    """Return a selector written in Python, None for one that is compiled. BadScenario when there is none."""
    if not isinstance(selector, str):
        return partial(selector, **settings) if settings else selector
    if selector in SELECTORS:
        return None
    if ":" not in selector:
        raise BadScenario(field_name, f"{selector!r} is none of {', '.join(SELECTORS)}, nor module:function")
    return partial(named_function(selector, field_name), **settings)


# --- checks -------------------------------------------------------------------------------------------------


def normalize(scenario: Scenario) -> None:
    """Bring numbers and sequences into the form that the fields promise; BadScenario for what has no such form."""

    def put(name: str, value: Any) -> None:
        object.__setattr__(scenario, name, value)

    if isinstance(scenario.arrivals, int | float) and not isinstance(scenario.arrivals, bool):
        put("arrivals", float(scenario.arrivals))
    else:
        put("arrivals", _pairs(scenario.arrivals, "arrivals"))
    if isinstance(scenario.delay, int):
        put("delay", float(scenario.delay))
    if scenario.delays is not None:
        rows = [_sequence(row, f"delays[{i}]") for i, row in enumerate(_sequence(scenario.delays, "delays"))]
        put("delays", tuple(tuple(_number(x, f"delays[{i}]") for x in row) for i, row in enumerate(rows)))
    if not isinstance(scenario.agents, int):
        put("agents", tuple(_sequence(scenario.agents, "agents")))
    chances = _pairs(scenario.own_weights, "own_weights")
    if any(weight != int(weight) for weight, _ in chances):
        raise BadScenario("own_weights", "own weights are whole numbers")
    put("own_weights", tuple((int(weight), chance) for weight, chance in chances))
    put("splits", tuple(_sequence(scenario.splits, "splits")))
    put("settings", MappingProxyType(dict(_table(scenario.settings, "settings"))))


def check(scenario: Scenario) -> None:
    """Raise BadScenario for the first field that is out of its range or contradicts another one."""
    _whole("blocks", scenario.blocks, 1, BLOCKS_MAX)
    _whole("parents", scenario.parents, 1, PARENTS_MAX)
    _whole("seed", scenario.seed, 0, 2**63 - 1)
    _one_of("process", scenario.process, PROCESSES)
    _one_of("spread", scenario.spread, SPREADS)
    _finite("delay", scenario.delay, 0.0)
    if scenario.entries is not None:
        _one_of("entries", scenario.entries, ENTRIES)
    if scenario.own_delay is not None:
        _finite("own_delay", scenario.own_delay, 0.0)
    if scenario.entry_depth is not None:
        _whole("entry_depth", scenario.entry_depth, 1, BLOCKS_MAX)
    if scenario.window is not None:
        _whole("window", scenario.window, 16, BLOCKS_MAX)
        if scenario.window < 4 * scenario.depth:
            raise BadScenario("window", f"at least 4 entry depths of {scenario.depth} blocks are needed")
    _check_arrivals(scenario.corners)
    _check_agents(scenario)
    _check_weights(scenario)
    for i, split in enumerate(scenario.splits):
        _check_split(split, f"splits[{i}]", len(scenario.everybody))
    if scenario.adversary is not None:
        _check_adversary(scenario.adversary)


def _check_arrivals(corners: Corners) -> None:
    if not corners:
        raise BadScenario("arrivals", "a rate, or at least one corner (time, rate), is needed")
    for (earlier, _), (later, _) in pairwise(corners):
        if later < earlier:
            raise BadScenario("arrivals", f"corners are in the order of time; {later} comes after {earlier}")
    for time, rate in corners:
        _finite("arrivals", time, 0.0)
        _finite("arrivals", rate, 0.0)
    if corners[-1][1] <= 0:
        raise BadScenario("arrivals", "the last rate goes on for ever and has to be greater than 0")


def _check_agents(scenario: Scenario) -> None:
    if isinstance(scenario.agents, int):
        _whole("agents", scenario.agents, 1, AGENTS_MAX)
    everybody = scenario.everybody
    _whole("agents", len(everybody), 1, AGENTS_MAX)
    for i, agent in enumerate(everybody):
        where = f"agents[{i}]." if not isinstance(scenario.agents, int) else ""
        _finite(f"{where}share", agent.share, 0.0)
        _check_selector(scenario, agent, where)
    if sum(agent.share for agent in everybody) <= 0:
        raise BadScenario("agents", "at least one share is greater than 0")
    if scenario.delays is not None:
        size = len(everybody)
        if len(scenario.delays) != size or any(len(row) != size for row in scenario.delays):
            raise BadScenario("delays", f"{size} rows of {size} delays are needed, one for each pair of agents")
        for row in scenario.delays:
            for mean in row:
                _finite("delays", mean, 0.0)


def _check_selector(scenario: Scenario, agent: Agent, where: str) -> None:
    selector, settings = scenario.selector_of(agent)
    if own_selector(selector, settings, f"{where}selector") is not None:
        return
    assert isinstance(selector, str)
    taken = accepted(selector) - {"entry", "entry_depth"}
    for name in settings:
        if name not in taken:
            known = ", ".join(sorted(taken)) or "none"
            raise BadScenario(f"{where}{name}", f"no setting of the selector {selector!r}; it takes {known}")
    from tangle.sim.recipes import recipe

    try:
        recipe(selector, settings, scenario.depth)
    except TipSelectError as error:
        raise BadScenario(f"{where}{error.argument}", str(error).partition(": ")[2]) from None


def _check_weights(scenario: Scenario) -> None:
    if not scenario.own_weights:
        raise BadScenario("own_weights", "at least one weight is needed")
    for weight, chance in scenario.own_weights:
        _whole("own_weights", weight, 1, OWN_WEIGHT_MAX)
        _finite("own_weights", chance, 0.0)
    total = sum(chance for _, chance in scenario.own_weights)
    if not math.isclose(total, 1.0, rel_tol=1e-6):
        raise BadScenario("own_weights", f"chances add up to 1, not to {total:g}")


def _check_split(split: Split, where: str, agents: int) -> None:
    _finite(f"{where}.start", split.start, 0.0)
    _finite(f"{where}.end", split.end, split.start)
    named = [agent for group in split.groups for agent in group]
    if len(named) != len(set(named)):
        raise BadScenario(f"{where}.groups", "an agent is in one group at most")
    for agent in named:
        _whole(f"{where}.groups", agent, 0, agents - 1)


def _check_adversary(adversary: Adversary) -> None:
    from tangle.sim.attacks import attack

    if not 0.0 <= adversary.share < 1.0:
        raise BadScenario("adversary.share", f"at least 0 and less than 1 is needed, not {adversary.share}")
    _finite("adversary.start", adversary.start, 0.0)
    if not adversary.end >= adversary.start:
        raise BadScenario("adversary.end", "not before the start")
    if adversary.delay is not None:
        _finite("adversary.delay", adversary.delay, 0.0)
    attack(adversary)


def _whole(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadScenario(name, f"a whole number from {least} to {most} is needed, not {value!r}")


def _finite(name: str, value: object, least: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value < math.inf:
        raise BadScenario(name, f"a number of at least {least:g} is needed, not {value!r}")


def _one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise BadScenario(name, f"{value!r} is none of {', '.join(known)}")


def _number(value: object, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadScenario(name, f"a number is needed, not {value!r}")
    return float(value)


def _sequence(value: object, name: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise BadScenario(name, f"a list is needed, not {value!r}")
    return value


def _table(value: object, name: str) -> Table:
    if not isinstance(value, Mapping):
        raise BadScenario(name, f"a table is needed, not {value!r}")
    return value


def _pairs(value: object, name: str) -> Corners:
    pairs = [_sequence(each, name) for each in _sequence(value, name)]
    if any(len(pair) != 2 for pair in pairs):
        raise BadScenario(name, "pairs of numbers are needed")
    return tuple((_number(a, name), _number(b, name)) for a, b in pairs)


# --- tables -------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return a value as TOML and JSON have it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {k: plain(v) for k, v in _fields(value).items() if v is not None and v != math.inf}
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if callable(value):
        return f"{value.__module__}:{getattr(value, '__qualname__', type(value).__name__)}"
    return value


def _fields(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}


def _record(kind: type[Any], table: object, where: str) -> Any:
    given = dict(_table(table, where))
    known = kind.__dataclass_fields__
    for name in given:
        if name not in known:
            raise BadScenario(f"{where}.{name}", f"unknown; there are {', '.join(known)}")
    if "groups" in given:
        groups = [_sequence(group, f"{where}.groups") for group in _sequence(given["groups"], f"{where}.groups")]
        given["groups"] = tuple(tuple(group) for group in groups)
    try:
        return kind(**given)
    except TypeError:
        missing = [n for n, f in known.items() if n not in given and f.default is f.default_factory]
        raise BadScenario(f"{where}.{missing[0] if missing else ''}", "missing") from None
