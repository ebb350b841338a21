"""Adversaries, one generator function each, in a module of its own that says where it comes from and what wins.

An attack is handed an `Attacker` (see `tangle.sim.attacker`). It yields an `Issue` each time it may issue a
block, and is sent the number of that block when it may issue the next one. Its settings are keyword-only
arguments, checked as `settings` says.

| name           | module         | source                                               |
|----------------|----------------|------------------------------------------------------|
| double-spend   | double_spend   | Popov 2018, section 4                                |
| parasite-chain | parasite_chain | Popov 2018, section 4.1; Cullen and others 2020      |
| splitting      | splitting      | Popov 2018, section 4.2                              |
| lazy-tips      | lazy_tips      | Popov 2018, section 4.1, on lazy tips                |
| tip-spam       | tip_spam       | Popov 2018, section 4.1, on inflating the tips       |

Selfish issuers attack nobody: they are agents with a selector of their own, see `selfish`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tangle.sim.attacker import Attacker, Moves
from tangle.sim.attacks.double_spend import double_spend
from tangle.sim.attacks.lazy_tips import lazy_tips
from tangle.sim.attacks.parasite_chain import parasite_chain
from tangle.sim.attacks.settings import bound
from tangle.sim.attacks.splitting import splitting
from tangle.sim.attacks.tip_spam import tip_spam
from tangle.sim.errors import BadScenario
from tangle.sim.tables import named_function

ATTACKS: Mapping[str, Callable[..., Moves]] = MappingProxyType(
    {
        "double-spend": double_spend,
        "parasite-chain": parasite_chain,
        "splitting": splitting,
        "lazy-tips": lazy_tips,
        "tip-spam": tip_spam,
    }
)
"""name -> attack(attacker, **settings)"""


def attack(name: str, settings: Mapping[str, Any]) -> Callable[[Attacker], Moves]:
    """Return the attack with its settings bound. BadScenario for an unknown one, or a setting it cannot have."""
    if name in ATTACKS:
        return bound(ATTACKS[name], settings)
    if ":" in name:
        return bound(named_function(name, "adversary.attack"), settings)
    raise BadScenario("adversary.attack", f"{name!r} is none of {', '.join(ATTACKS)}, nor module:function")
