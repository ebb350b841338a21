"""What is simulated, declared: as Python (`Scenario(...)`) or as a TOML file (`scenario_file`).

The model is that of Popov 2018, section 3: blocks arrive at random with rate lambda, whoever issues one selects
its parents among what he has received by then, and others receive it a delay h later. Everything random outside of
the Tangle (arrivals, issuers, delays, own weights) is drawn beforehand from the seed, see `arrivals`.

Times are in a unit of your choice, rates in blocks per that unit. Block 0 is the genesis, at time 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import pairwise
from numbers import Real
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationError,
    model_validator,
)  # fmt: skip

from tangle.sim.attacks import attack
from tangle.sim.errors import BadScenario
from tangle.sim.fields import CHOICE, Needed, Range, Table, dotted, refusal
from tangle.sim.recipes import recipe
from tangle.sim.tables import named_function, plain
from tangle.tipselect.errors import TipSelectError
from tangle.tipselect.kernels import PARENTS_MAX
from tangle.tipselect.selectors import SELECTORS, Selector, accepted

AGENTS_MAX = 1_000
"""views of their own; each costs memory for a window"""
OWN_WEIGHT_MAX = 2**31 - 1
"""of one block"""
BLOCKS_MAX = 2**31 - 1
"""of one run"""

ONE, SEVERAL = CHOICE + "one", CHOICE + "several"


def _one_or_several(value: object) -> str:
    return ONE if isinstance(value, int | float) else SEVERAL


def _name_or_function(value: object) -> object:
    if not (isinstance(value, str) or callable(value)):
        raise ValueError("a name or a function is needed")
    return value


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


PART = ConfigDict(extra="forbid", arbitrary_types_allowed=True, revalidate_instances="always")
"""parts are checked as fields of a scenario, so that errors name their place in it"""
Number = Annotated[float, Range(-math.inf)]
Finite = Annotated[float, Range(0, below=math.inf)]
Weight = Annotated[int, Range(1, OWN_WEIGHT_MAX), BeforeValidator(_whole)]
Chosen = Annotated[str | Selector, PlainValidator(_name_or_function)]
Corners = tuple[Annotated[tuple[Finite, Finite], Needed("pairs of numbers of at least 0 are needed")], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A group of issuers that share one view of the Tangle: a node and its clients, a region, a crowd.

    name : for figures and tables
    share : of the honest arrivals, in proportion to the other agents' shares
    selector, alpha, settings : the scenario's where None
    """

    __pydantic_config__: ClassVar[ConfigDict] = PART
    name: str = ""
    share: Finite = 1.0
    selector: Chosen | None = None
    alpha: Number | None = None
    settings: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The network is torn between two times: nothing passes from one group of agents to another until the end.

    groups : indices of agents; agents that no group names form one more
    """

    __pydantic_config__: ClassVar[ConfigDict] = PART
    start: Finite
    end: Finite
    groups: tuple[tuple[Annotated[int, Range(0)], ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adversary:
    """Somebody who issues blocks of his own making; see `attacks`.

    attack : a name of `attacks.ATTACKS`, or "module:function"
    share : q, his share of all blocks while he is at work; he issues lambda q / (1 - q)
    start, end : when he is at work
    delay : mean of the delays from and to him
    settings : the attack's own
    """

    __pydantic_config__: ClassVar[ConfigDict] = PART
    attack: str
    share: Annotated[float, Range(0, below=1)]
    start: Finite = 0.0
    end: Annotated[float, Range(0)] = math.inf
    delay: Finite | None = None
    settings: Table = field(default_factory=dict)


PARTS: dict[str | int, type[Any]] = {"agents": Agent, "splits": Split, "adversary": Adversary}
"""fields of a scenario that have fields"""


class Scenario(BaseModel):
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

    BadScenario names the first field that cannot be, such as "agents[1].share", and the rule it breaks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str = ""
    arrivals: Annotated[
        Annotated[Finite, Tag(ONE)] | Annotated[Corners, Tag(SEVERAL)], Discriminator(_one_or_several)
    ] = 100.0
    process: Literal["poisson", "fixed"] = "poisson"
    delay: Finite = 1.0
    spread: Literal["fixed", "uniform", "exponential"] = "fixed"
    own_delay: Finite | None = None
    delays: tuple[tuple[Finite, ...], ...] | None = None
    parents: Annotated[int, Range(1, PARENTS_MAX)] = 2
    selector: Chosen = "weighted"
    alpha: Number | None = None
    settings: Table = Field(default_factory=dict, validate_default=True)
    blocks: Annotated[int, Range(1, BLOCKS_MAX)] = 10_000
    agents: Annotated[
        Annotated[int, Range(1, AGENTS_MAX), Tag(ONE)] | Annotated[tuple[Agent, ...], Tag(SEVERAL)],
        Discriminator(_one_or_several),
    ] = 1
    own_weights: tuple[tuple[Weight, Finite], ...] = ((1, 1.0),)
    splits: tuple[Split, ...] = ()
    adversary: Adversary | None = None
    entries: Literal["settled", "any"] | None = None
    entry_depth: Annotated[int, Range(1, BLOCKS_MAX)] | None = None
    window: Annotated[int, Range(16, BLOCKS_MAX)] | None = None
    seed: Annotated[int, Range(0, 2**63 - 1)] = 1

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            path, rule = refusal(error)
            if rule == "unknown":
                rule = f"no field of a scenario; there are {', '.join(type(self).model_fields)}"
                if len(path) > 1:
                    rule = f"unknown; there are {', '.join(each.name for each in fields(PARTS[path[0]]))}"
            raise BadScenario(dotted(path), rule) from None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What no field says alone."""
        _check_arrivals(self.corners)
        if self.window is not None and self.window < 4 * self.depth:
            raise BadScenario("window", f"at least 4 entry depths of {self.depth} blocks are needed")
        _check_agents(self)
        _check_weights(self)
        for i, split in enumerate(self.splits):
            _check_split(split, f"splits[{i}]", len(self.everybody))
        if self.adversary is not None:
            if not self.adversary.end >= self.adversary.start:
                raise BadScenario("adversary.end", "not before the start")
            attack(self.adversary.attack, self.adversary.settings)
        return self

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
        always = {"blocks", "settings", "seed"}
        given = {
            name: value for name, value in self
            if name in always or value != type(self).model_fields[name].default
        }  # fmt: skip
        return {name: plain(value) for name, value in given.items() if value is not None}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """Build a scenario from tables as TOML and JSON have them. BadScenario names what is wrong."""
        return cls(**table)

    def but(self, **changes: Any) -> Self:
        """Return the scenario with some fields changed."""
        return type(self)(**{**dict(self), **changes})


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


def _check_arrivals(corners: Corners) -> None:
    if not corners:
        raise BadScenario("arrivals", "a rate, or at least one corner (time, rate), is needed")
    for (earlier, _), (later, _) in pairwise(corners):
        if later < earlier:
            raise BadScenario("arrivals", f"corners are in the order of time; {later} comes after {earlier}")
    if corners[-1][1] <= 0:
        raise BadScenario("arrivals", "the last rate goes on for ever and has to be greater than 0")


def _check_agents(scenario: Scenario) -> None:
    everybody = scenario.everybody
    if not 1 <= len(everybody) <= AGENTS_MAX:
        raise BadScenario("agents", f"from 1 to {AGENTS_MAX} are possible, not {len(everybody)}")
    for i, agent in enumerate(everybody):
        where = f"agents[{i}]." if not isinstance(scenario.agents, int) else ""
        _check_selector(scenario, agent, where)
    if sum(agent.share for agent in everybody) <= 0:
        raise BadScenario("agents", "at least one share is greater than 0")
    if scenario.delays is not None:
        size = len(everybody)
        if len(scenario.delays) != size or any(len(row) != size for row in scenario.delays):
            raise BadScenario("delays", f"{size} rows of {size} delays are needed, one for each pair of agents")


def _check_selector(scenario: Scenario, agent: Agent, where: str) -> None:
    selector, settings = scenario.selector_of(agent)
    if own_selector(selector, settings, f"{where}selector") is not None:
        return
    assert isinstance(selector, str)
    taken = accepted(selector) - {"entry", "entry_depth"}
    for name, value in settings.items():
        if name not in taken:
            known = ", ".join(sorted(taken)) or "none"
            raise BadScenario(f"{where}{name}", f"no setting of the selector {selector!r}; it takes {known}")
        if isinstance(value, bool) or not isinstance(value, Real | None):
            raise BadScenario(f"{where}{name}", f"a number is needed, not {value!r}")
    try:
        recipe(selector, settings, scenario.depth)
    except TipSelectError as error:
        raise BadScenario(f"{where}{error.field}", error.rule) from None


def _check_weights(scenario: Scenario) -> None:
    if not scenario.own_weights:
        raise BadScenario("own_weights", "at least one weight is needed")
    total = sum(chance for _, chance in scenario.own_weights)
    if not math.isclose(total, 1.0, rel_tol=1e-6):
        raise BadScenario("own_weights", f"chances add up to 1, not to {total:g}")


def _check_split(split: Split, where: str, agents: int) -> None:
    if split.end < split.start:
        raise BadScenario(f"{where}.end", f"a number of at least {split.start:g} is needed, not {split.end:g}")
    named = [agent for group in split.groups for agent in group]
    if len(named) != len(set(named)):
        raise BadScenario(f"{where}.groups", "an agent is in one group at most")
    if any(agent >= agents for agent in named):
        raise BadScenario(f"{where}.groups", f"agents from 0 to {agents - 1} are possible, not {max(named)}")
