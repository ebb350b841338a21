"""How often the suite tries what it tries at random: a share in `make test`, all of it in `make test-long`."""

from __future__ import annotations

import functools
import inspect
import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

LONG = bool(os.environ.get("TESTS_LONG"))
"""set by `make test-long`"""
SHARE = 4
"""of so many tries `make test` makes one"""

Test = Callable[..., Any]


def tries(count: int) -> int:
    """So many examples or seeds in the long run, a quarter of them in the short one."""
    return count if LONG else -(-count // SHARE)


drawn = pytest.mark.drawn
"""of a parametrized test: a quarter of its cases in the short run, others each time; all in the long one"""


def leave_out(items: list[pytest.Item], run: str) -> list[pytest.Item]:
    """Cases of `drawn` tests that this run does without; `run` names it, the same for all workers."""
    if LONG:
        return []
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker(drawn.name):
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    rng = random.Random(run)
    return [item for cases in tests.values() for item in rng.sample(cases, len(cases) - tries(len(cases)))]


def each(name: str, cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Run a test with each of the cases as its argument `name`, in one go; a failure names its case.

    As `pytest.mark.parametrize`, without an item for each case: thousands of those take longer to collect, in each
    worker, than to run. Fixtures are shared by all cases.
    """

    def decorate(test: Test) -> Test:
        def run(*args: Any, **given: Any) -> None:
            for case in cases:
                with _named(name, case):
                    test(*args, **given, **{name: case})

        async def run_async(*args: Any, **given: Any) -> None:
            for case in cases:
                with _named(name, case):
                    await test(*args, **given, **{name: case})

        wrapped = functools.wraps(test)(run_async if inspect.iscoroutinefunction(test) else run)
        signature = inspect.signature(test)
        left = [one for one in signature.parameters.values() if one.name != name]
        setattr(wrapped, "__signature__", signature.replace(parameters=left))  # noqa: B010
        return wrapped

    return decorate


@contextmanager
def _named(name: str, case: object) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(f"{name} = {case!r}")
        raise
