"""Child processes of the demonstration: each in a session of its own, all of them ended when the context ends.

A session of its own keeps Ctrl-C in the terminal from reaching a child before this process has decided in which
order they go: the parties first, the node last. What a child writes to stderr is kept in a file beside its data.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tangle.errors import TangleError

END_S = 10.0
"""seconds that a child has to end in order before it is killed"""
LINE_BYTES_MAX = 1 << 20
"""bytes of one line of a child's output"""


class ChildFailed(TangleError):
    """A process that the demonstration needs has ended."""

    code = "child_failed"
    template = "the {name} ended with exit code {exit_code}: {told}"
    name: str
    exit_code: int | None
    said: str

    @property
    def told(self) -> str:
        """Its last words, or that there were none."""
        return self.said or "it said nothing"


@dataclass(frozen=True, slots=True)
class Child:
    """A running child; `log` is the file with its stderr."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    async def lines(self) -> AsyncIterator[str]:
        """Its output, line by line, until it closes it."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            yield line.decode(errors="replace").rstrip()

    async def reports(self) -> AsyncIterator[dict[str, Any]]:
        """The JSON objects among the lines of its output."""
        async for line in self.lines():
            try:
                report = json.loads(line)
            except ValueError:
                continue
            if isinstance(report, dict):
                yield report

    def last_words(self) -> str:
        """The last line of its stderr."""
        try:
            words = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(words) if line.strip()), "")

    def check(self) -> None:
        """Raise ChildFailed when it has ended with another exit code than 0."""
        if self.process.returncode:
            raise ChildFailed(self.name, self.process.returncode, self.last_words())


class Children:
    """Starts processes of this Python and ends them, the last one first."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.running: list[Child] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Shielded: a second Ctrl-C must not leave a child behind.
        ending = asyncio.ensure_future(self._end())
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await ending
            raise

    async def start(self, name: str, *arguments: str) -> Child:
        """Start ``python -m <arguments>``; variables ``TANGLE_…`` of this process do not reach it."""
        log = self.directory / f"{name}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TANGLE_")}
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                env=environment,
                start_new_session=True,
                limit=LINE_BYTES_MAX,
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def check(self) -> None:
        """Raise ChildFailed when one has failed."""
        for child in self.running:
            child.check()

    async def _end(self) -> None:
        for child in reversed(self.running):
            if child.process.returncode is None:
                child.process.terminate()
                await _ended(child.process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    # Its output is drained while waiting: a child that cannot write cannot end either.
    try:
        await asyncio.wait_for(process.communicate(), END_S)
    except TimeoutError:
        process.kill()
        await process.wait()
