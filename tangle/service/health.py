"""What keeps a node from being healthy: each a stable code, and a sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why the node is not healthy."""

    code: str
    message: str

    def to_json(self) -> dict[str, str]:
        """As `/health` tells it."""
        return {"code": self.code, "message": self.message}
