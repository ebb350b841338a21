"""The indexer: unspent outputs that meet a filter, page by page, and where chains stand (TIP-26).

A query is a class: its fields are the parameters of the route, which the TIP writes in camel case, and the fields
of the filter that the store is asked with.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from tangle.api import questions, schemas
from tangle.api.asking import ask
from tangle.api.views import from_hex_id, json_response, service_of
from tangle.errors import NotFound
from tangle.protocol import answers
from tangle.protocol.addresses import from_bech32
from tangle.protocol.outputs import AliasOutput, FoundryOutput, NftOutput
from tangle.protocol.parameters import NATIVE_TOKENS_MAX, TAG_BYTES_MAX
from tangle.service.errors import PositionAhead, PositionForeign
from tangle.service.running import Service
from tangle.store import queries
from tangle.store.queries import AliasFilter, AnyFilter, BasicFilter, Cursor, Filter, FoundryFilter, NftFilter

router = APIRouter(tags=["indexer"], prefix="/api/indexer/v1/outputs")
_PAGE = {**schemas.ok(answers.OutputPage, "a page, which may be empty"), **schemas.TIP_ERRORS}
_PAGE[409] = schemas.tip_error("the cursor belongs to another journal")
_ONE = {**schemas.ok(answers.OutputPage, "the one output"), **schemas.TIP_NOT_FOUND}

Address = Annotated[str | None, Field(max_length=90, description="bech32 address")]
Flag = Annotated[bool | None, Field(description="whether the output has it")]
Moment = Annotated[int | None, Field(ge=0, le=2**63 - 1, description="unix seconds, exclusive")]
Count = Annotated[int | None, Field(ge=0, le=2**31 - 1, description=f"distinct ones, at most {NATIVE_TOKENS_MAX}")]
Tag = Annotated[
    str | None, Field(pattern=f"^0x([0-9a-fA-F]{{2}}){{1,{TAG_BYTES_MAX}}}$", description="the whole tag")
]
PageSize = Annotated[int | None, Field(ge=1, le=2**31 - 1, description="items per page; the node bounds it")]
CursorText = Annotated[
    str | None, Field(max_length=200, description="that of the page before; it brings its page size")
]


class OutputQuery(BaseModel):
    """What every query can ask: which page, and what every output may have."""

    model_config = ConfigDict(alias_generator=to_camel)
    FILTER: ClassVar[type[Filter]]

    has_native_tokens: Flag = None
    min_native_token_count: Count = None
    max_native_token_count: Count = None
    created_before: Moment = None
    created_after: Moment = None
    page_size: PageSize = None
    cursor: CursorText = None

    def filter(self, service: Service) -> Filter:
        """The filter in the store's terms. Raises MalformedAddress."""
        return self.FILTER(**{each.name: self._value(each.name, service) for each in fields(self.FILTER)})

    def _value(self, name: str, service: Service) -> Any:
        value = getattr(self, name)
        if not isinstance(value, str):
            return value
        parameter = type(self).model_fields[name].alias or name
        return bytes.fromhex(value[2:]) if name == "tag" else address_bytes(service, value, parameter)


class AnyQuery(OutputQuery):
    """`/outputs`."""

    FILTER = AnyFilter
    unlockable_by: Address = Field(None, alias="unlockableByAddress")


class AddressedQuery(OutputQuery):
    """What basic and NFT outputs have in common."""

    address: Address = None
    unlockable_by: Address = Field(None, alias="unlockableByAddress")
    has_storage_deposit_return: Flag = None
    storage_deposit_return_address: Address = None
    has_timelock: Flag = None
    timelocked_before: Moment = None
    timelocked_after: Moment = None
    has_expiration: Flag = None
    expires_before: Moment = None
    expires_after: Moment = None
    expiration_return_address: Address = None
    sender: Address = None
    tag: Tag = None


class BasicQuery(AddressedQuery):
    """`/outputs/basic`."""

    FILTER = BasicFilter


class NftQuery(AddressedQuery):
    """`/outputs/nft`."""

    FILTER = NftFilter
    issuer: Address = None


class AliasQuery(OutputQuery):
    """`/outputs/alias`."""

    FILTER = AliasFilter
    state_controller: Address = None
    governor: Address = None
    unlockable_by: Address = Field(None, alias="unlockableByAddress")
    issuer: Address = None
    sender: Address = None


class FoundryQuery(OutputQuery):
    """`/outputs/foundry`."""

    FILTER = FoundryFilter
    alias_address: Address = None


def address_bytes(service: Service, text: str, field: str) -> bytes:
    """The 33 bytes of a bech32 address of this network. Raises MalformedAddress."""
    return from_bech32(text, service.parameters.bech32_hrp, field=field).encode()


@router.get("", responses=_PAGE, response_class=Response)
async def outputs(request: Request, query: Annotated[AnyQuery, Query()]) -> Response:
    """Unspent outputs of any type; an address is looked for in every unlock condition."""
    return await _page(request, query)


@router.get("/basic", responses=_PAGE, response_class=Response)
async def basic_outputs(request: Request, query: Annotated[BasicQuery, Query()]) -> Response:
    """Unspent basic outputs that meet every filter given."""
    return await _page(request, query)


@router.get("/alias", responses=_PAGE, response_class=Response)
async def alias_outputs(request: Request, query: Annotated[AliasQuery, Query()]) -> Response:
    """Unspent alias outputs that meet every filter given."""
    return await _page(request, query)


@router.get("/foundry", responses=_PAGE, response_class=Response)
async def foundry_outputs(request: Request, query: Annotated[FoundryQuery, Query()]) -> Response:
    """Unspent foundry outputs that meet every filter given."""
    return await _page(request, query)


@router.get("/nft", responses=_PAGE, response_class=Response)
async def nft_outputs(request: Request, query: Annotated[NftQuery, Query()]) -> Response:
    """Unspent NFT outputs that meet every filter given."""
    return await _page(request, query)


@router.get("/alias/{aliasId}", responses=_ONE, response_class=Response)
def alias_output(request: Request, alias_id: schemas.AliasIdPath) -> Response:
    """The unspent output that the alias stands at."""
    return _chain(request, AliasOutput.TYPE, alias_id)


@router.get("/foundry/{foundryId}", responses=_ONE, response_class=Response)
def foundry_output(request: Request, foundry_id: schemas.FoundryIdPath) -> Response:
    """The unspent output that the foundry stands at."""
    return _chain(request, FoundryOutput.TYPE, foundry_id)


@router.get("/nft/{nftId}", responses=_ONE, response_class=Response)
def nft_output(request: Request, nft_id: schemas.NftIdPath) -> Response:
    """The unspent output that holds the NFT."""
    return _chain(request, NftOutput.TYPE, nft_id)


async def _page(request: Request, query: OutputQuery) -> Response:
    service = service_of(request)
    cursor = Cursor.decode(query.cursor) if query.cursor is not None else None
    size = service.page_size(cursor.page_size if cursor else query.page_size)
    chosen = query.filter(service)
    if cursor is not None:
        _check_cursor(service, cursor, service.reading.milestone.index)
    return await ask(request, questions.outputs, chosen, cursor, size, service.store_id)


def _check_cursor(service: Service, cursor: Cursor, ledger_index: int) -> None:
    """Raise PositionForeign or PositionAhead unless this journal may have given the cursor."""
    if not service.store_id.startswith(cursor.store):
        raise PositionForeign("cursor", cursor.store, service.store_id)
    if cursor.created_index > ledger_index:
        raise PositionAhead("cursor", cursor.created_index, ledger_index)


def _chain(request: Request, output_type: int, chain_id: str) -> Response:
    with service_of(request).connect() as connection:
        found = queries.chain_output(connection, output_type, from_hex_id(chain_id))
        ledger_index = queries.ledger_index(connection)
    if found is None:
        raise NotFound(f"nothing unspent stands for {chain_id}")
    return json_response(answers.OutputPage((found,), ledger_index))
