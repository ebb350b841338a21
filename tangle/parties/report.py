"""Reports of a party's process on stdout: one JSON object per line, or one readable line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

Report = Callable[[dict[str, Any]], None]


def reporter(agent: str, as_json: bool) -> Report:
    """Writes reports of `agent` to stdout, one line each; what its encoding cannot show, as `\\xfc`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")

    def report(facts: dict[str, Any]) -> None:
        facts = {"agent": agent, **facts}
        if as_json:
            line = json.dumps(facts)
        else:
            line = "  ".join(f"{name}={_readable(value)}" for name, value in facts.items())
        try:
            print(line, flush=True)
        except BrokenPipeError:
            raise
        except OSError:
            # A full disk under its log stops no machine.
            return

    return report


def _readable(value: Any) -> str:
    return ",".join(f"{k}:{v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
