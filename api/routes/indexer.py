"""The indexer: unspent outputs that meet a filter, page by page (TIP-26).

Alias, foundry and NFT outputs do not exist on this network; wallets ask for them all the same and get empty pages.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.requests import Request

from api import schemas
from api.problems import BadParameter, NotFound
from api.service import Service, json_response, service_of
from tangle.protocol.addresses import from_bech32
from tangle.protocol.parameters import TAG_BYTES_MAX
from tangle.protocol.serial import to_hex
from tangle.store import queries
from tangle.store.queries import BasicFilter, Cursor

router = APIRouter(tags=["indexer"])
_PAGE = {**schemas.ok(schemas.OutputPage, "a page, which may be empty"), **schemas.TIP_ERRORS}

Address = Annotated[str | None, Query(max_length=90, description="bech32 address")]
Flag = Annotated[bool | None, Query()]
Moment = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="unix seconds, exclusive")]
Count = Annotated[int | None, Query(ge=0, le=2**31 - 1)]
Tag = Annotated[str | None, Query(pattern=f"^0x([0-9a-fA-F]{{2}}){{1,{TAG_BYTES_MAX}}}$", description="whole tag")]


class Page:
    """Which page is wanted, as every query of the indexer asks for it."""

    def __init__(
        self,
        request: Request,
        page_size: schemas.PageSizeQuery = None,
        cursor: Annotated[
            str | None, Query(max_length=200, description="that of the page before; it brings its page size")
        ] = None,
    ) -> None:
        self.service = service_of(request)
        self.cursor = Cursor.decode(cursor) if cursor is not None else None
        most = self.service.settings.page_size_max
        asked = self.cursor.page_size if self.cursor else page_size
        self.size = min(asked or most, most)

    def address(self, text: str | None, field: str) -> bytes | None:
        """The bytes of a bech32 address of this network."""
        return address_bytes(self.service, text, field) if text is not None else None

    def answer(self, chosen: BasicFilter) -> Response:
        """The page of the outputs that meet `chosen`."""
        ledger_index = self.service.node.latest_milestone.index
        with self.service.connect() as connection:
            page = queries.basic_outputs(connection, chosen, self.cursor, self.size)
        body = {"ledgerIndex": ledger_index, "items": [to_hex(output_id) for output_id in page.items]}
        return json_response(body if page.cursor is None else {**body, "cursor": page.cursor.encode()})


def address_bytes(service: Service, text: str, field: str) -> bytes:
    """The 33 bytes of a bech32 address of this network. Raises MalformedAddress."""
    return from_bech32(text, service.node.parameters.bech32_hrp, field=field).encode()


WantedPage = Annotated[Page, Depends()]


@router.get("/api/indexer/v1/outputs", responses=_PAGE, response_class=Response)
def outputs(
    page: WantedPage,
    unlockableByAddress: Address = None,  # noqa: N803 -- the names of TIP-26
    hasNativeTokens: Flag = None,  # noqa: N803
    minNativeTokenCount: Count = None,  # noqa: N803
    maxNativeTokenCount: Count = None,  # noqa: N803
    createdBefore: Moment = None,  # noqa: N803
    createdAfter: Moment = None,  # noqa: N803
) -> Response:
    """Unspent outputs of any type; an address is looked for in every unlock condition."""
    return page.answer(
        BasicFilter(
            unlockable_by=page.address(unlockableByAddress, "unlockableByAddress"),
            has_native_tokens=hasNativeTokens,
            min_native_token_count=minNativeTokenCount,
            max_native_token_count=maxNativeTokenCount,
            created_before=createdBefore,
            created_after=createdAfter,
        )
    )


@router.get("/api/indexer/v1/outputs/basic", responses=_PAGE, response_class=Response)
def basic_outputs(
    page: WantedPage,
    address: Address = None,
    unlockableByAddress: Address = None,  # noqa: N803 -- the names of TIP-26
    hasNativeTokens: Flag = None,  # noqa: N803
    minNativeTokenCount: Count = None,  # noqa: N803
    maxNativeTokenCount: Count = None,  # noqa: N803
    hasStorageDepositReturn: Flag = None,  # noqa: N803
    storageDepositReturnAddress: Address = None,  # noqa: N803
    hasTimelock: Flag = None,  # noqa: N803
    timelockedBefore: Moment = None,  # noqa: N803
    timelockedAfter: Moment = None,  # noqa: N803
    hasExpiration: Flag = None,  # noqa: N803
    expiresBefore: Moment = None,  # noqa: N803
    expiresAfter: Moment = None,  # noqa: N803
    expirationReturnAddress: Address = None,  # noqa: N803
    sender: Address = None,
    tag: Tag = None,
    createdBefore: Moment = None,  # noqa: N803
    createdAfter: Moment = None,  # noqa: N803
) -> Response:
    """Unspent basic outputs that meet every filter given."""
    return page.answer(
        BasicFilter(
            address=page.address(address, "address"),
            unlockable_by=page.address(unlockableByAddress, "unlockableByAddress"),
            sender=page.address(sender, "sender"),
            tag=bytes.fromhex(tag[2:]) if tag is not None else None,
            created_before=createdBefore,
            created_after=createdAfter,
            has_native_tokens=hasNativeTokens,
            min_native_token_count=minNativeTokenCount,
            max_native_token_count=maxNativeTokenCount,
            has_storage_deposit_return=hasStorageDepositReturn,
            storage_deposit_return_address=page.address(
                storageDepositReturnAddress, "storageDepositReturnAddress"
            ),
            has_timelock=hasTimelock,
            timelocked_before=timelockedBefore,
            timelocked_after=timelockedAfter,
            has_expiration=hasExpiration,
            expires_before=expiresBefore,
            expires_after=expiresAfter,
            expiration_return_address=page.address(expirationReturnAddress, "expirationReturnAddress"),
        )
    )


@router.get("/api/indexer/v1/outputs/alias", responses=_PAGE, response_class=Response)
@router.get("/api/indexer/v1/outputs/foundry", responses=_PAGE, response_class=Response)
@router.get("/api/indexer/v1/outputs/nft", responses=_PAGE, response_class=Response)
async def no_outputs(page: WantedPage) -> Response:
    """An empty page: this network has no such outputs."""
    return json_response({"ledgerIndex": page.service.node.latest_milestone.index, "items": []})


@router.get("/api/indexer/v1/outputs/{kind}/{id}", responses=schemas.TIP_NOT_FOUND, response_class=Response)
async def no_output(kind: str, id: str) -> Response:  # noqa: A002
    """Not found: this network has no such outputs."""
    if kind not in {"alias", "foundry", "nft"}:
        raise BadParameter(f"there are no outputs of kind {kind[:100]!r}", "kind")
    raise NotFound(f"no {kind} output {id[:100]!r}")
