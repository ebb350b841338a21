"""What a command prints: its result on stdout, for people or for programs.

Programs read one JSON document per run (`--json`): keys in camelCase, bytes as 0x hexadecimal, base units as
decimal strings, absent means absent. People get aligned lines.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def show(result: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result: `result` for programs, or `text` for people."""
    sys.stdout.write((json.dumps(result, ensure_ascii=False) if as_json else text) + "\n")
    sys.stdout.flush()
