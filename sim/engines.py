"""Where the runs of a sweep are made: processes of this machine, or a cluster of dask or ray.

An engine is a function from jobs to an iterator of lists of outcomes, in the order in which runs end; closing the
iterator stops what is under way. Nothing that a run gives depends on the engine, so tables are the same
everywhere.

Local workers are forks of this process: they begin with the kernels loaded, and with functions that were defined
in a notebook or script. They run `work.perform` and nothing else, so locks that other threads of this process hold
are none of theirs. Each has an executor of its own (concurrent.futures), because an executor gives up all its runs
when a process of it dies: so these are the runs of one worker, and the first of them was under way. Jobs go out
longest first; a worker is given as many ahead as keep it busy while this process writes down what others have
finished, and no more: long runs stay where they can go to whoever is free first.

dask and ray are imported when their engine is asked for. The user brings the address; workers there need the same
packages.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import socket
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib import import_module
from typing import Any

from tangle.extras import needs
from tangle.sim.errors import BadSweep, EngineMissing
from tangle.sim.versions import versions
from tangle.sim.work import Job, Outcome, perform, told, warm

Engine = Callable[[Sequence[Job]], Iterator[list[Outcome]]]

SECONDS_AHEAD = 0.05
"""of work that a worker is given in advance"""
JOBS_AHEAD_MAX = 64
CONNECT_S = 10
"""seconds until a cluster has to answer"""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def engine(name: str = "local", *, workers: int | None = None, address: str | None = None) -> Engine:
    """Return the engine of a name.

    workers : processes of the local engine; None for one per core, 1 for none beside this one
    address : of the cluster, for dask and ray

    BadSweep for an unknown name or an option that the engine does not take; ExtraMissing when its library is not
    installed; EngineMissing when nobody answers at the address.
    """
    if name not in ENGINES:
        raise BadSweep("engine", f"{name!r} is none of {', '.join(ENGINES)}")
    if name == "local":
        if address is not None:
            raise BadSweep("address", "the local engine has none; name a cluster's engine, dask or ray")
        if workers is not None and workers < 1:
            raise BadSweep("workers", f"at least 1 is needed, not {workers}")
        return partial(local, workers=workers or cores())
    if workers is not None:
        raise BadSweep("workers", f"that is for the cluster at the address to say, not for engine {name}")
    if address is None:
        raise BadSweep("address", f"engine {name} needs the address of your cluster")
    return partial(ENGINES[name], address=address)


def longest_first(jobs: Sequence[Job]) -> deque[Job]:
    """Return jobs in the order in which they go out: so all workers are busy until the end."""
    return deque(sorted(jobs, key=lambda job: -job.expense))


# --- this machine -------------------------------------------------------------------------------------------


def local(jobs: Sequence[Job], *, workers: int) -> Iterator[list[Outcome]]:
    """Make runs in `workers` processes, or in this one when that is 1."""
    waiting = longest_first(jobs)
    if workers == 1 or len(jobs) == 1:
        yield from ([perform(job)] for job in waiting)
        return
    if waiting:
        warm(waiting[0].measures)
    crew = [_Worker() for _ in range(min(workers, len(waiting)))]
    try:
        for worker in crew:
            worker.feed(waiting)
        while busy := [worker for worker in crew if worker.given]:
            wait([worker.first for worker in busy], return_when=FIRST_COMPLETED)
            ended: list[Outcome] = []
            for worker in busy:
                ended += worker.take(waiting)
                worker.feed(waiting)
            yield ended
    finally:
        # All of them first: forks share the ends of each other's pipes.
        for worker in crew:
            worker.process.terminate()
        for worker in crew:
            worker.executor.shutdown()


class _Worker:
    """A process that makes one run after the other; `given` are those it has not answered, with their futures."""

    def __init__(self) -> None:
        self.given: deque[tuple[Job, Future[Outcome]]] = deque()
        self.depth = 1
        self.start()

    @property
    def first(self) -> Future[Outcome]:
        """The run that is under way."""
        return self.given[0][1]

    def start(self) -> None:
        """Begin with a new process."""
        self.executor = ProcessPoolExecutor(1, multiprocessing.get_context("fork"), _begin)
        with warnings.catch_warnings():
            # Python 3.12 and later warn of a fork beside threads; the top of the file says why this one may be.
            warnings.simplefilter("ignore", DeprecationWarning)
            number = self.executor.submit(os.getpid).result()
        self.process = next(each for each in multiprocessing.active_children() if each.pid == number)

    def feed(self, waiting: deque[Job]) -> None:
        """Give it jobs as far as it should have some ahead."""
        while waiting and len(self.given) < self.depth:
            try:
                future = self.executor.submit(perform, waiting[0])
            except BrokenProcessPool:
                # It died, which the next `take` finds out, or did so with nothing to do.
                if self.given:
                    return
                self.start()
            else:
                self.given.append((waiting.popleft(), future))

    def take(self, waiting: deque[Job]) -> list[Outcome]:
        """Return what it has answered. When it has died, the jobs it had ahead wait again for a new process."""
        ended: list[Outcome] = []
        while self.given and self.first.done():
            job, future = self.given.popleft()
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                ended.append(failed(job.number, f"WorkerDied: {self.cause()}"))
                waiting.extendleft(job for job, _ in reversed(self.given))
                self.given.clear()
                self.start()
            else:
                # A run can only raise what is no Exception, such as SystemExit.
                ended.append(failed(job.number, told(error)) if error else future.result())
                self.depth = min(JOBS_AHEAD_MAX, math.ceil(SECONDS_AHEAD / max(ended[-1]["seconds"], 1e-6)))
        return ended

    def cause(self) -> str:
        """Return what the process died of."""
        while (code := self.process.exitcode) is None:
            # The executor waits for it as well, and whoever comes second learns the code a moment later.
            self.process.join(0.01)
        return f"killed by signal {-code}; is there enough memory?" if code < 0 else f"it ended with code {code}"


def failed(number: int, error: str) -> Outcome:
    """Return the outcome of a run that gave none."""
    return {"run": number, "seconds": 0.0, "error": error}


def _begin() -> None:
    """Begin to be a worker, which ends with the process that started it."""
    # Ctrl-C is for that process, which then ends this one. What a run prints is no result.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


# --- clusters -----------------------------------------------------------------------------------------------


def dask(jobs: Sequence[Job], *, address: str, connect_s: float = CONNECT_S) -> Iterator[list[Outcome]]:
    """Make runs on a dask cluster whose scheduler is at `address`, such as tcp://10.0.0.1:8786."""
    needs("dask", "engine dask", "distributed")
    distributed: Any = import_module("distributed")
    try:
        client = distributed.Client(address, timeout=connect_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineMissing("address", f"no dask scheduler answers at {address}: {told(error)}") from None
    try:
        check_versions(client.run(versions).values())
        numbers = {}
        for i, job in enumerate(longest_first(jobs)):
            future = client.submit(perform, job, pure=False, priority=-i)
            numbers[future] = job.number
        for batch in distributed.as_completed(numbers, loop=client.loop, raise_errors=False).batches():
            yield [_outcome(future.result, numbers.pop(future)) for future in batch]
    except ImportError as error:
        raise EngineMissing("dask", f"its workers lack a package: {told(error)}") from None
    finally:
        # Runs that have not begun are forgotten with the client; those under way end without anybody who asks.
        client.close()


def ray(jobs: Sequence[Job], *, address: str) -> Iterator[list[Outcome]]:
    """Make runs on a ray cluster at `address`, such as ray://10.0.0.1:10001; "auto" is the one of this machine."""
    needs("ray", "engine ray", "ray")
    cluster: Any = import_module("ray")
    mine = not cluster.is_initialized()
    try:
        if mine:
            _knock(address)
            cluster.init(address=address, log_to_driver=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineMissing("address", f"no ray cluster answers at {address}: {told(error)}") from None
    try:
        check_versions([cluster.get(cluster.remote(versions).remote())])
        there = cluster.remote(max_retries=0)(perform)
        waiting = longest_first(jobs)
        ahead = 4 * max(1, int(cluster.cluster_resources().get("CPU", 1)))
        numbers: dict[Any, int] = {}
        while waiting or numbers:
            while waiting and len(numbers) < ahead:
                job = waiting.popleft()
                numbers[there.remote(job)] = job.number
            ended, _ = cluster.wait(list(numbers), num_returns=1)
            more, _ = cluster.wait(list(numbers), num_returns=len(numbers), timeout=0)
            yield [_outcome(partial(cluster.get, each), numbers.pop(each)) for each in {*ended, *more}]
    except ImportError as error:
        raise EngineMissing("ray", f"its workers lack a package: {told(error)}") from None
    finally:
        if mine:
            cluster.shutdown()


def _knock(address: str) -> None:
    """Raise OSError when nobody listens at an address: ray itself tries again for a quarter of an hour."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), CONNECT_S).close()


def _outcome(result: Callable[[], Outcome], number: int) -> Outcome:
    """Return an outcome that a cluster has, or tell why it has none."""
    try:
        return result()
    except Exception as error:
        return failed(number, told(error))


def check_versions(found: Iterable[dict[str, str]]) -> None:
    """Raise EngineMissing when workers would not give the results that this machine gives."""
    here = versions()
    for there in found:
        for name in ("tangle-ledger", "numpy", "numba"):
            if there[name] != here[name]:
                raise EngineMissing("address", f"workers there have {name} {there[name]}, here it is {here[name]}")


ENGINES: dict[str, Callable[..., Iterator[list[Outcome]]]] = {"local": local, "dask": dask, "ray": ray}
