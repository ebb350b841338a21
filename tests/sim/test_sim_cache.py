"""An edit of the node's kernels reaches the simulator, though numba's cache looks at one file at a time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOOK = """
from tangle.sim import Scenario
from tangle.sim.world import World
world = World(Scenario(arrivals=5.0, selector="uniform", blocks=40))
world.run_to(40)
print(int(world.views.approvers.sum()))
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_edit_of_the_kernels_is_not_missed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tangle", tmp_path / "tangle", ignore=shutil.ignore_patterns("__pycache__"))

    def approvals() -> int:
        """Those counted by a fresh process, with whatever earlier ones have left in the cache."""
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        told = subprocess.run(
            [sys.executable, "-c", LOOK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return int(told.stdout)

    once = approvals()
    assert once == approvals() > 30
    kernels = tmp_path / "tangle" / "tipselect" / "kernels.py"
    text = kernels.read_text()
    line = "            approvers[p] += 1\n"
    assert text.count(line) == 1
    kernels.write_text(text.replace(line, "            approvers[p] += 3\n"))
    assert approvals() == 3 * once
