"""The same sweep on clusters: real ones, with workers that are processes of their own."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tangle.extras import ExtraMissing
from tangle.sim import engines, sweep
from tangle.sim.errors import EngineMissing
from tangle.sim.versions import versions
from tests.sim import measured
from tests.sim.test_sim_sweep import BASE

GRID: dict[str, Any] = {"alpha": [0.0, 0.5], "parents": [2, 3]}
SMALL = sweep.Sweep(BASE, GRID, 3, measured.few)


@pytest.fixture(scope="module")
def here() -> sweep.Swept:
    return sweep.run(SMALL, workers=1)


@pytest.fixture(scope="module")
def dask() -> Iterator[str]:
    """Address of a dask scheduler with two workers."""
    local: Any = importlib.import_module("distributed").LocalCluster  # loaded when it is used: it is large
    with local(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, worker_dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def test_dask_gives_the_same_table(dask: str, here: sweep.Swept, tmp_path: Path) -> None:
    swept = sweep.run(SMALL, tmp_path, engine="dask", address=dask)
    assert swept.rows == here.rows
    assert sweep.load(tmp_path).rows == here.rows


def test_runs_that_fail_on_dask_are_told(dask: str) -> None:
    failing = sweep.Sweep(BASE, GRID, 1, measured.fails_with_three_parents)
    swept = sweep.run(failing, engine="dask", address=dask)
    assert [each.error for each in swept.failures] == ["ValueError: three parents are too many"] * 2


def test_a_dask_scheduler_that_does_not_answer() -> None:
    with pytest.raises(EngineMissing, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"):
        sweep.run(SMALL, engine=lambda jobs: engines.dask(jobs, address="tcp://127.0.0.1:9", connect_s=0.2))
    with pytest.raises(EngineMissing, match="no dask scheduler answers at nonsense://x"):
        sweep.run(SMALL, engine="dask", address="nonsense://x")


def test_libraries_that_are_missing_are_named_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    # None makes an import fail, as if the library were not there.
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("dask", "ray"):
        with pytest.raises(ExtraMissing, match=rf'engine {name} needs .*: pip install "tangle-ledger\[{name}\]"'):
            sweep.run(SMALL, engine=name, address="auto")


def test_workers_with_other_versions_are_refused() -> None:
    engines.check_versions([versions()])
    with pytest.raises(EngineMissing, match=r"workers there have numba 0\.1, here it is"):
        engines.check_versions([versions() | {"numba": "0.1"}])


def test_ray_gives_the_same_table(here: sweep.Swept) -> None:
    ray: Any = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        assert sweep.run(SMALL, engine="ray", address="auto").rows == here.rows
        failing = sweep.Sweep(BASE, GRID, 1, measured.fails_with_three_parents)
        assert len(sweep.run(failing, engine="ray", address="auto").failures) == 2
    finally:
        ray.shutdown()


def test_a_ray_cluster_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", types.SimpleNamespace(is_initialized=lambda: False, __spec__=object()))
    with pytest.raises(EngineMissing, match=r"no ray cluster answers at ray://127\.0\.0\.1:9: ConnectionRefused"):
        sweep.run(SMALL, engine="ray", address="ray://127.0.0.1:9")


def test_long_runs_go_out_first() -> None:
    sized = sweep.Sweep(BASE, {"blocks": [100, 300, 200]}, 2, measured.few)
    order = [(job.table["blocks"], job.number) for job in engines.longest_first(sized.jobs(list(sized.runs())))]
    assert order == [(300, 2), (300, 3), (200, 4), (200, 5), (100, 0), (100, 1)]
