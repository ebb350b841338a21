"""What the demonstration's checks have in common: a sentence with figures, and the case that is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tangle.machines.follow import ReaderKey
from tangle.protocol.addresses import Address, Ed25519Address


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence about the ledger, the figures in it, and whether it is true."""

    says: str
    figures: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Case:
    """What is audited: one order and its parties.

    Attributes
    ----------
    readers : keys of those who read the machine's channel: ``owner``, ``customer`` and ``auditor``
    """

    order_id: bytes
    deposit_transaction: bytes
    machine: Ed25519Address
    owner: Address
    customer: Address
    readers: Mapping[str, ReaderKey]


def is_count(numbers: Iterable[int]) -> bool:
    """Whether these are 1, 2, 3 and so on, each once, in any order; nothing at all is no count."""
    found = sorted(numbers)
    return bool(found) and found == list(range(1, len(found) + 1))
