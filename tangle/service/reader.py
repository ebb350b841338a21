"""A process that answers dear questions, so that they never hold the interpreter that writes and serves.

A question is a function of a module and what it is given; it is asked of a `Library`: the database, and the window
as it stood. The process takes one at a time. A question that takes too long, or that nobody waits for any more,
ends with its process: nothing in a question has to look whether it is still wanted. The next process is a fork of
a server that has loaded everything, and is there within some ten milliseconds. SQLite lets a reader be killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from sqlalchemy import Connection, Engine

from tangle.node import Still
from tangle.service.errors import ReaderEnded, TookTooLong
from tangle.store.engine import open_engine

log = logging.getLogger("tangle.reader")

NICENESS = 5
"""of the process: what is written and served goes first"""
_CONTEXT = multiprocessing.get_context("forkserver")

Question = Callable[..., Any]
"""(library, *arguments) -> what can be pickled"""


@dataclass(frozen=True, slots=True)
class Library:
    """What questions are asked of.

    Attributes
    ----------
    still : the window, for questions about it
    """

    engine: Engine
    still: Still | None = None

    def connect(self) -> Connection:
        """A connection to read with; use it as a context manager."""
        return self.engine.connect()

    @property
    def window(self) -> Still:
        """The window; only for a question that asked for it."""
        assert self.still is not None
        return self.still


class Reader:
    """One such process and the way to it.

    Parameters
    ----------
    url : of the database
    limit_s : seconds that an answer may take
    preload : modules that hold questions, which all processes should have loaded
    """

    def __init__(self, url: str, limit_s: float, preload: Sequence[str]) -> None:
        self.ready = False
        self._url = url
        self._limit_s = limit_s
        self._preload = list(preload)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._process: Any = None
        self._pipe: Pipe | None = None
        self._shown: Still | None = None

    def start(self) -> None:
        """Have the process started, which takes a second or two the first time; `ready` tells that it is there.

        Nobody waits for the thread that does it: a node that stops meanwhile must not.
        """
        threading.Thread(target=self._begin, name="reader start", daemon=True).start()

    def _begin(self) -> None:
        _CONTEXT.set_forkserver_preload([__name__, *self._preload])
        try:
            self._open()
        except (EOFError, OSError):
            log.exception("a process for dear questions does not start; the node answers them itself")
            return
        self.ready = True

    async def ask(self, question: Question, arguments: tuple[Any, ...], still: Still | None) -> Any:
        """What the question returns. Whoever gives up waiting ends the process with it.

        Raises
        ------
        TookTooLong, ReaderEnded, and what the question raises
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._ask, question, arguments, still)
        except asyncio.CancelledError:
            self._kill()
            raise

    def stop(self) -> None:
        """End the process, for good."""
        self._kill()
        self._thread.shutdown()

    def _kill(self) -> None:
        if self._process is not None and self._process.pid is not None:  # it may just be about to start
            self._process.kill()

    def _ask(self, question: Question, arguments: tuple[Any, ...], still: Still | None) -> Any:
        """On the reader's own thread, which waits without the interpreter."""
        try:
            pipe = self._open()
            if still is not None and still is not self._shown:
                _send(pipe, still)
                self._shown = still
            _send(pipe, (question, arguments, still is not None))
            if not pipe.poll(self._limit_s):
                self._close()
                raise TookTooLong(self._limit_s)
            answer = pickle.loads(pipe.recv_bytes())  # noqa: S301, our own process wrote it
        except (EOFError, OSError):
            self._close()
            raise ReaderEnded from None
        if isinstance(answer, _Failed):
            raise answer.error
        return answer

    def _open(self) -> Pipe:
        if self._process is not None and not self._process.is_alive():
            self._close()
        if self._pipe is None:
            self._pipe, theirs = _CONTEXT.Pipe()
            self._process = _CONTEXT.Process(target=_serve, args=(theirs, self._url), name="reader", daemon=True)
            self._process.start()
            theirs.close()
            self._pipe.recv()  # it is there; what it takes to come counts for no question
        return self._pipe

    def _close(self) -> None:
        self._kill()
        self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = self._process = self._shown = None


@dataclass(frozen=True, slots=True)
class _Failed:
    """A question that raised."""

    error: Exception


def _send(pipe: Pipe, value: object) -> None:
    """Arrays go as they lie in memory, written without the interpreter."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    pipe.send((head, len(buffers)))
    for buffer in buffers:
        pipe.send_bytes(buffer.raw())


def _received(pipe: Pipe) -> Any:
    head, count = pipe.recv()
    # Kernels take arrays that could be written to; those over bytes could not.
    return pickle.loads(head, buffers=[bytearray(pipe.recv_bytes()) for _ in range(count)])  # noqa: S301, ours


def _serve(pipe: Pipe, url: str) -> None:
    """The process: answers until the node is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    library = Library(open_engine(url))
    # Nobody to answer any more: the node has ended, perhaps before this process was there.
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            message = _received(pipe)
            if isinstance(message, Still):
                library = Library(library.engine, message)
            else:
                pipe.send_bytes(pickle.dumps(_answer(library, *message)))


def _answer(library: Library, question: Question, arguments: tuple[Any, ...], shown: bool) -> Any:
    try:
        return question(library if shown else Library(library.engine), *arguments)
    except Exception as error:
        return _Failed(error)
