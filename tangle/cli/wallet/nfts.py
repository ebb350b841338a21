"""`tangle wallet mint-nft|send-nft|burn-nft`: things of which there is one each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.group import command
from tangle.cli.session import tag_of
from tangle.cli.wallet import names
from tangle.cli.wallet.metadata import nft_metadata
from tangle.cli.wallet.session import (
    ExpiresAt,
    ExpiresIn,
    LockedUntil,
    Plan,
    Tell,
    Terms,
    Yes,
    carry_out,
    times_of,
)
from tangle.client.wallet.wallet import Created, Sent, Wallet
from tangle.protocol.addresses import Address, AliasAddress, NftAddress, from_bech32, to_bech32
from tangle.protocol.serial import Json, to_hex

NftName = Annotated[
    str, typer.Argument(metavar="NFT", help="Id as 0x…, its beginning, or its name, where only one fits.")
]


@command("wallet mint-nft --name 'Pump 7' --type image/png --uri https://example.com/7.png --attribute bar=6")
def mint_nft(
    terms: Terms,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Who gets it, instead of this wallet.")
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option(
            "--issuer", metavar="self|ALIAS|NFT|ADDRESS", help="Proven to have issued it; must be the wallet's."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Name of the thing.")] = None,
    type: Annotated[  # noqa: A002 - the standard's own word
        str | None, typer.Option("--type", metavar="MIME", help="What the URI leads to, such as image/png.")
    ] = None,
    uri: Annotated[str | None, typer.Option("--uri", metavar="URI", help="Where the thing itself is.")] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is.")] = None,
    collection: Annotated[
        str | None, typer.Option("--collection", metavar="TEXT", help="Name of what it belongs to.")
    ] = None,
    issuer_name: Annotated[
        str | None, typer.Option("--issuer-name", metavar="TEXT", help="Name of who issued it.")
    ] = None,
    attributes: Annotated[
        list[str] | None, typer.Option("--attribute", metavar="NAME=VALUE", help="More about it; may be repeated.")
    ] = None,
    royalties: Annotated[
        list[str] | None,
        typer.Option(
            "--royalty", metavar="ADDRESS=SHARE", help="Share of later sales, 0.025 or 2.5%; repeatable."
        ),
    ] = None,
    metadata_file: Annotated[
        Path | None,
        typer.Option(
            "--metadata-file", metavar="FILE", help="IRC-27 JSON or other bytes, instead of the options."
        ),
    ] = None,
    metadata: Annotated[
        str,
        typer.Option("--metadata", metavar="TEXT|0xHEX", help="Said about it by its owner, who may change it."),
    ] = "",
    tag: Annotated[str, typer.Option("--tag", metavar="TEXT|0xHEX", help="Tag to find it by.")] = "",
) -> None:
    """What its issuer says about it stays for ever."""
    said = nft_metadata(
        metadata_file,
        name=name,
        type=type,
        uri=uri,
        description=description,
        collection=collection,
        issuer_name=issuer_name,
        attributes=attributes or (),
        royalties=royalties or (),
    )

    async def plan(opened: Wallet) -> Plan[Created]:
        hrp = (await opened.node.parameters()).bech32_hrp
        receiver = from_bech32(to, hrp, field="--to") if to else None
        proven = await _issuer(opened, issuer) if issuer is not None else None

        async def post(ready: Wallet, _: Tell) -> Created:
            return await ready.mint_nft(
                address=receiver,
                immutable_metadata=said,
                issuer=proven,
                metadata=tag_of(metadata) or None,
                tag=tag_of(tag) or None,
                wait=False,
            )

        def told(made: Created) -> tuple[Json, str]:
            address = to_bech32(NftAddress(made.nft_id), hrp)
            members: Json = {"nftId": to_hex(made.nft_id), "address": address}
            lines = f"NFT          {to_hex(made.nft_id)}\naddress      {address}"
            return (members | {"to": to}, f"{lines}\nto           {to}") if to else (members, lines)

        return Plan("minting an NFT", post, told)

    carry_out(terms, plan)


@command("wallet send-nft tgl1q… 'Pump 7'")
def send_nft(
    terms: Terms,
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets it, as bech32 text.")],
    name: NftName,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    locked_until: LockedUntil = None,
) -> None:

    async def plan(opened: Wallet) -> Plan[Sent]:
        times = await times_of(opened, expires_in, expires_at, locked_until)
        found = names.nft(name, "NFT", await opened.balance())

        async def post(ready: Wallet, _: Tell) -> Sent:
            return await ready.send_nft(
                found.id, to, expires_at=times.expires_at, locked_until=times.locked_until, wait=False
            )

        told: Json = {"nftId": to_hex(found.id), "address": to, **times.json}
        return Plan("sending the NFT", post, lambda _: (told, f"{found} to {to}{times.text}"))

    carry_out(terms, plan)


@command("wallet burn-nft 'Pump 7'")
def burn_nft(
    terms: Terms,
    name: NftName,
    yes: Yes = False,
) -> None:
    """Its storage deposit becomes available."""

    async def plan(opened: Wallet) -> Plan[Sent]:
        found = names.nft(name, "NFT", await opened.balance())

        async def post(ready: Wallet, _: Tell) -> Sent:
            return await ready.burn_nft(found.id, wait=False)

        told: Json = {"nftId": to_hex(found.id)}
        return Plan(
            "burning the NFT",
            post,
            lambda _: (told, f"{found} burned"),
            question=f"Burn {found}? It is gone for ever.",
        )

    carry_out(terms, plan, yes=yes)


async def _issuer(wallet: Wallet, text: str) -> Address:
    """The address that shall be proven to have issued something."""
    if text == "self":
        return wallet.address()
    hrp = (await wallet.node.parameters()).bech32_hrp
    if text.lower().startswith(f"{hrp}1"):
        return from_bech32(text, hrp, field="--issuer")
    found = names.issuer(text, "--issuer", await wallet.balance())
    return AliasAddress(found.id) if found.kind == "alias" else NftAddress(found.id)
