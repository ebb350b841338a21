"""The known figures can be made again, and what was published holds, within what each check allows."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tangle.sim.lab.figures import rendered
from tangle.sim.lab.known import KNOWN
from tests.tries import drawn

DIFFERS = {
    "weight-growth": ["exponent of the early growth, per h, λh = 1000"],
    "distance": ["share left behind, farthest less nearest agent, single nodes"],
}
"""numbers that do not come out as published; each has a remark that says why"""


@drawn
@pytest.mark.parametrize("name", KNOWN)
def test_a_known_figure_comes_out_again(name: str) -> None:
    known = KNOWN[name]
    data = known.run(True)
    checks = known.check(data)
    assert checks
    assert [check.what for check in checks if not check.within] == DIFFERS.get(name, [])
    assert all(check.within or check.remark for check in checks)
    assert ElementTree.fromstring(rendered(known.draw(data))).tag.endswith("svg")
    assert known.title
    assert known.source
    assert known.claim


def test_there_are_a_dozen_at_least() -> None:
    assert len(KNOWN) >= 12
    assert all(name == known.name for name, known in KNOWN.items())
