"""What a node's indexer is asked (TIP-26): its routes and which filters each takes, as a table; and the asking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from tangle.client.errors import NodeError, UnexpectedAnswer
from tangle.protocol.addresses import Address
from tangle.protocol.answers import OutputPage
from tangle.protocol.serial import Fields, to_hex

T = TypeVar("T")
PAGE_SIZE = 100
"""elements asked for at once"""

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


class Indexed(ABC):
    """The part of `NodeClient` that asks the indexer."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the node is."""

    @abstractmethod
    async def bech32(self, address: Address | str) -> str:
        """The text of an address on this network; text stays as it is."""

    @abstractmethod
    async def _get(
        self, path: str, parse: Callable[[Fields], T], *, params: Mapping[str, str | int] | None = None
    ) -> T:
        """What `parse` makes of a JSON answer."""

    async def basic_output_ids(
        self,
        address: Address | str | None = None,
        *,
        sender: Address | str | None = None,
        tag: bytes | None = None,
    ) -> list[bytes]:
        """Ids (34 bytes) of all unspent basic outputs that match every filter given, oldest first (TIP-26)."""
        given = {"address": address, "sender": sender, "tag": tag}
        return await self.output_ids(
            "basic", **{name: value for name, value in given.items() if value is not None}
        )

    async def output_ids(
        self, kind: OutputKind = "any", **filters: Address | str | bytes | int | bool
    ) -> list[bytes]:
        """Ids (34 bytes) of all unspent outputs of a kind that match every filter, oldest first (TIP-26).

        Parameters
        ----------
        kind : ``any``, ``basic``, ``alias``, ``foundry`` or ``nft``
        filters : the query parameters of TIP-26 in snake case, such as ``unlockable_by_address`` or
            ``expires_before``: addresses, tags as bytes, numbers and unix times, yes or no

        Raises
        ------
        TypeError : the kind has no such filter
        """
        route = INDEXED[kind]
        params: dict[str, str | int] = {"pageSize": PAGE_SIZE}
        for name, value in filters.items():
            if name not in route.filters:
                raise TypeError(
                    f"no filter {name!r} for {kind} outputs: there are {', '.join(sorted(route.filters))}"
                )
            params[camel_case(name)] = await self._parameter(value)
        found: dict[bytes, None] = {}
        while True:
            page = await self._get(route.path, OutputPage.from_json, params=params)
            found.update(dict.fromkeys(page.items))
            if page.cursor is None:
                return list(found)
            if page.cursor == params.get("cursor"):
                raise UnexpectedAnswer(self.url, "the indexer repeats its cursor")
            params["cursor"] = page.cursor

    async def alias_output_id(self, alias_id: bytes) -> bytes | None:
        """The id (34 bytes) of the unspent output of an alias (32 bytes); None when there is none."""
        return await self._chain_output_id("alias", alias_id)

    async def foundry_output_id(self, foundry_id: bytes) -> bytes | None:
        """The id (34 bytes) of the unspent output of a foundry (38 bytes); None when there is none."""
        return await self._chain_output_id("foundry", foundry_id)

    async def nft_output_id(self, nft_id: bytes) -> bytes | None:
        """The id (34 bytes) of the unspent output of an NFT (32 bytes); None when there is none."""
        return await self._chain_output_id("nft", nft_id)

    async def _chain_output_id(self, kind: OutputKind, chain_id: bytes) -> bytes | None:
        try:
            page = await self._get(f"{INDEXED[kind].path}/{to_hex(chain_id)}", OutputPage.from_json)
        except NodeError as error:
            if error.status == 404:
                return None
            raise
        return page.items[0] if page.items else None

    async def _parameter(self, value: Address | str | bytes | int | bool) -> str | int:
        """A filter's value as a query names it."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int):
            return value
        return to_hex(value) if isinstance(value, bytes) else await self.bech32(value)
