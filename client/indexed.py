"""The routes of the indexer and which filters each takes (TIP-26), as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

OutputKind = Literal["any", "basic", "alias", "foundry", "nft"]

_ALL = frozenset(
    {
        "has_native_tokens",
        "min_native_token_count",
        "max_native_token_count",
        "created_before",
        "created_after",
    }
)
_ADDRESSED = _ALL | {
    "address",
    "unlockable_by_address",
    "has_storage_deposit_return",
    "storage_deposit_return_address",
    "has_timelock",
    "timelocked_before",
    "timelocked_after",
    "has_expiration",
    "expires_before",
    "expires_after",
    "expiration_return_address",
    "sender",
    "tag",
}


@dataclass(frozen=True, slots=True)
class Route:
    """Where outputs of a kind are listed, and by what; filters in snake case."""

    path: str
    filters: frozenset[str]


_ROOT = "/api/indexer/v1/outputs"
INDEXED: Mapping[OutputKind, Route] = {
    "any": Route(_ROOT, _ALL | {"unlockable_by_address"}),
    "basic": Route(f"{_ROOT}/basic", _ADDRESSED),
    "alias": Route(
        f"{_ROOT}/alias",
        _ALL | {"state_controller", "governor", "unlockable_by_address", "issuer", "sender"},
    ),
    "foundry": Route(f"{_ROOT}/foundry", _ALL | {"alias_address"}),
    "nft": Route(f"{_ROOT}/nft", _ADDRESSED | {"issuer"}),
}


def camel_case(name: str) -> str:
    """``expires_before`` as ``expiresBefore``."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
