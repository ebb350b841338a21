"""Reports of a party's process on stdout: one JSON object per line, or one readable line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Report = Callable[[dict[str, Any]], None]


def reporter(agent: str, as_json: bool) -> Report:
    """Writes reports of `agent` to stdout, one line each."""

    def report(facts: dict[str, Any]) -> None:
        facts = {"agent": agent, **facts}
        if as_json:
            line = json.dumps(facts)
        else:
            line = "  ".join(f"{name}={_readable(value)}" for name, value in facts.items())
        print(line, flush=True)

    return report


def _readable(value: Any) -> str:
    return ",".join(f"{k}:{v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
