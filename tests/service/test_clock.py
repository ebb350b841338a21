"""The clock in doubt: jumps both ways, over restarts, a chain in the future; what an operator agrees to."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tangle.service.clock import AGREED_WITHIN_S, GAP_MAX_S, ClockWatch, Moment, agreed
from tangle.service.writer import Writer, WriterSettings
from tests.networks import T0, open_node

DAY = 86_400


class Clocks:
    """Both clocks; `pass_` lets time pass, `wall` is set as somebody would set it."""

    def __init__(self, wall: float = T0) -> None:
        self.wall, self.steady = float(wall), 100.0

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def watch(self, newest: int, *, last: Moment | None = None, accepted: bool = False) -> ClockWatch:
        return ClockWatch(
            lambda: self.wall,
            newest,
            300,
            last=last,
            accepted=accepted,
            steady=lambda: self.steady,
            boot="this run",
        )


def seen(watch: ClockWatch, newest: float) -> tuple[str | None, bool]:
    watch.look(int(newest))
    return watch.problem.code if watch.problem else None, watch.held


@pytest.mark.parametrize(
    ("jump", "code", "held"),
    [
        (0, None, False),
        (299, None, False),
        (301, "clock_ahead", True),
        (3_650 * DAY, "clock_ahead", True),
        (-50, None, False),
        (-200, "clock_behind", False),
        (-365 * DAY, "clock_behind", True),
    ],
)
def test_a_jump_is_told_and_held_until_it_is_undone(jump: float, code: str | None, held: bool) -> None:
    clocks = Clocks()
    watch = clocks.watch(T0)
    clocks.pass_(3_600)
    assert seen(watch, clocks.wall - 1) == (None, False)
    clocks.wall += jump
    clocks.pass_(10)
    newest = clocks.wall - jump - 11
    assert seen(watch, newest) == (code, held)
    clocks.pass_(3_600)
    if held:
        assert seen(watch, newest) == (code, True)
        assert watch.problem is not None
        assert "--accept-clock" in watch.problem.message
        clocks.wall -= jump
        assert seen(watch, newest) == (None, False)


def test_a_chain_in_the_future_is_held_until_an_operator_agrees() -> None:
    clocks = Clocks()
    assert seen(clocks.watch(T0 + 400 * DAY), T0 + 400 * DAY) == ("clock_behind", True)
    watch = clocks.watch(T0 + 400 * DAY, accepted=True)
    assert seen(watch, T0 + 400 * DAY) == (None, False)
    clocks.pass_(100)
    assert seen(watch, T0 + 400 * DAY + 100) == (None, False)
    clocks.wall -= 1_000
    assert seen(watch, T0 + 400 * DAY + 100)[1]


def test_a_jump_while_the_node_was_off_is_noticed_in_the_same_run_of_the_machine() -> None:
    clocks = Clocks()
    last = clocks.watch(T0).now()
    clocks.pass_(7_200)
    assert seen(clocks.watch(T0, last=last), T0) == (None, False)
    clocks.wall += 10 * DAY
    assert seen(clocks.watch(T0, last=last), T0) == ("clock_ahead", True)
    assert seen(clocks.watch(T0, last=last, accepted=True), T0) == (None, False)
    other_run = Moment(last.wall, 5_000_000.0, "an earlier run")
    assert seen(clocks.watch(T0, last=other_run), T0) == (None, False)


def test_a_year_without_the_node_is_asked_about() -> None:
    clocks = Clocks(T0 + GAP_MAX_S + 10)
    assert seen(clocks.watch(T0), T0) == ("clock_ahead", True)
    assert seen(clocks.watch(T0, accepted=True), T0) == (None, False)


def test_who_agrees_names_the_time() -> None:
    now = datetime(2026, 11, 30, 15, 4, tzinfo=UTC).timestamp()
    assert agreed("2026-11-30T15:04", now)
    assert agreed("2026-11-30T16:04+01:00", now + AGREED_WITHIN_S - 1)
    assert not agreed("2026-11-30T15:04", now + AGREED_WITHIN_S + 1)
    assert not agreed("yes", now)


async def test_the_writer_holds_milestones_and_goes_on_by_itself(tmp_path: Path) -> None:
    node = open_node(tmp_path / "t.db")
    clocks = Clocks(T0 + 1)
    watch = clocks.watch(T0)
    ticks = [0.0]
    settings = WriterSettings(milestone_silence_ms=1_000, milestone_interval_ms=1_000)
    writer = Writer(node, settings, clock=lambda: clocks.wall, ticks=lambda: ticks[0], watch=watch)
    writer.start(asyncio.get_running_loop())

    async def index(least: int) -> None:
        for _ in range(1_000):
            ticks[0] += 1.5
            if node.reading.milestone.index >= least:
                return
            await asyncio.sleep(0.01)
        pytest.fail("no milestone came")

    try:
        await index(2)
        clocks.wall += 3_650 * DAY
        for _ in range(1_000):
            ticks[0] += 1.5
            if watch.held:
                break
            await asyncio.sleep(0.01)
        assert watch.held
        held = node.reading.milestone
        assert held.timestamp < T0 + 1_000
        clocks.wall -= 3_650 * DAY
        await index(held.index + 1)
        assert node.reading.milestone.timestamp < T0 + 1_000
    finally:
        await asyncio.to_thread(writer.stop)
