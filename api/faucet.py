"""Placeholder."""

from __future__ import annotations


class Faucet:
    """Placeholder."""
