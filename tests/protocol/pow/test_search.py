"""Search: what it finds, that it finds the first, and that it stops when told."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangle.protocol.pow import kernels, reference
from tangle.protocol.pow.score import has_score, score, trailing_zeros
from tangle.protocol.pow.search import SearchCancelled, compile_kernels, cores, search
from tests.tries import tries

UNREACHABLE = 10**30


def with_nonce(head: bytes, nonce: int) -> bytes:
    return head + nonce.to_bytes(8, "little")


@pytest.mark.parametrize("workers", [None, 1, 2, 3, 5])
@pytest.mark.parametrize("min_score", [0, 1, 100, 2_000])
def test_score_and_reference_confirm_what_is_found(workers: int | None, min_score: int) -> None:
    head = random.Random(min_score).randbytes(150)
    block = with_nonce(head, search(head, min_score, workers=workers))
    assert has_score(block, min_score)
    assert score(block) >= min_score
    assert 3 ** reference.trailing_zeros(block) >= min_score * len(block)


@settings(max_examples=tries(25), deadline=None)
@given(st.binary(max_size=40), st.integers(0, 2**64 - 1))
def test_one_worker_finds_the_first_nonce(head: bytes, start: int) -> None:
    found = search(head, 5, workers=1, start_nonce=start)
    nonce = start
    while not has_score(with_nonce(head, nonce), 5):
        nonce = (nonce + 1) % 2**64
    assert found == nonce


def test_every_lane_hashes_as_the_reference_does() -> None:
    """Demands of 0 zeros with growing starts would skip lanes; so find each lane through its own hash."""
    head = b"lanes"
    base = 0x0123_4567_89AB_0000
    counts = [trailing_zeros(with_nonce(head, base + lane)) for lane in range(kernels.LANES)]
    hits = [lane for lane, count in enumerate(counts) if 3**count >= 2 * 13]
    start, found = base, []
    while (nonce := search(head, 2, workers=1, start_nonce=start)) < base + kernels.LANES:
        found.append(nonce - base)
        start = nonce + 1
    assert found == hits
    assert len({lane // 64 for lane in hits}) > kernels.LANE_WORDS // 4


@pytest.mark.parametrize("start", [2**64 - 1, 2**64 - 700, 2**64 - 70_000])
def test_nonces_wrap_around(start: int) -> None:
    """A start so near the end that no nonce before it reaches the score."""
    head, min_score = b"around", 10_000
    nonce = search(head, min_score, workers=1, start_nonce=start)
    assert has_score(with_nonce(head, nonce), min_score)
    first = search(head, min_score, workers=1)
    assert nonce == first or nonce >= start


def test_wrap_around_goes_on_from_zero() -> None:
    head = b"around"
    first = search(head, 100_000, workers=1)
    assert search(head, 100_000, workers=1, start_nonce=2**64 - 1) == first


def test_cancel_before_the_start() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(SearchCancelled) as caught:
        search(b"", UNREACHABLE, cancel=cancel)
    assert caught.value.tried == 0


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_cancel_from_the_progress_callback(workers: int) -> None:
    cancel = threading.Event()
    reports: list[int] = []

    def progress(tried: int) -> None:
        reports.append(tried)
        if len(reports) == 5:
            cancel.set()

    with pytest.raises(SearchCancelled) as caught:
        search(b"", UNREACHABLE, workers=workers, cancel=cancel, progress=progress)
    assert reports == sorted(reports)
    assert caught.value.tried == reports[-1]
    assert len(reports) <= 5 + workers
    assert "cancelled" in str(caught.value)


def test_cancel_from_another_thread() -> None:
    cancel, started = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(search, b"", UNREACHABLE, cancel=cancel, progress=lambda _: started.set())
        assert started.wait(60)
        cancel.set()
        with pytest.raises(SearchCancelled):
            running.result(60)


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_in_the_callback_ends_the_search(workers: int) -> None:
    def progress(tried: int) -> None:
        raise RuntimeError("the display is gone")

    with pytest.raises(RuntimeError, match="display"):
        search(b"", UNREACHABLE, workers=workers, progress=progress)


def test_searches_run_side_by_side() -> None:
    heads = [bytes([i]) * 50 for i in range(8)]
    alone = [search(head, 200, workers=1) for head in heads]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda head: search(head, 200, workers=1), heads))
    assert together == alone


def test_progress_counts_the_nonces_tried() -> None:
    reports: list[int] = []
    nonce = search(b"count", 3_000, workers=1, start_nonce=77, progress=reports.append)
    assert reports[-1] == nonce - 77 + 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"workers": 0}, "workers"),
        ({"start_nonce": -1}, "start_nonce"),
        ({"start_nonce": 2**64}, "start_nonce"),
        ({"min_score": -1}, "min_score"),
        ({"min_score": 3**243}, "trits"),
    ],
)
def test_bad_arguments(arguments: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        search(b"", **{"min_score": 1, **arguments})  # type: ignore[arg-type]


def test_compiling_reports_its_steps() -> None:
    steps: list[str] = []
    compile_kernels(steps.append)
    assert len(steps) == 2
    assert cores() >= 1
