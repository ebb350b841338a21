"""Adversaries, one function each."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

from sim.errors import BadScenario
from sim.scenario import Adversary, named_function

if TYPE_CHECKING:
    from sim.world import Attacker, Issue

ATTACKS: dict[str, Callable[..., Generator[Issue, int, None]]] = {}


def attack(adversary: Adversary) -> Callable[[Attacker], Generator[Issue, int, None]]:
    """Return the attack with its settings bound. BadScenario for an unknown one."""
    name = adversary.attack
    if name in ATTACKS:
        return partial(ATTACKS[name], **adversary.settings)
    if ":" in name:
        return partial(named_function(name, "adversary.attack"), **adversary.settings)
    raise BadScenario("adversary.attack", f"{name!r} is none of {', '.join(ATTACKS)}, nor module:function")
