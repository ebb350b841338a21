"""What is said about tokens and NFTs: from options or a file to the bytes that stand in an output.

A file is taken byte for byte. One that says it follows the standard must follow it; one that does not say so is
the user's own format and none of our business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import orjson

from tangle.cli.errors import FileUnreadable, InvalidValue
from tangle.client.wallet.metadata import Irc27, Irc30
from tangle.protocol.parameters import METADATA_BYTES_MAX

S = TypeVar("S", "Irc27", "Irc30")


def token_metadata(
    file: Path | None,
    *,
    name: str | None,
    symbol: str | None,
    decimals: int | None,
    description: str | None,
    url: str | None,
    logo_url: str | None,
) -> Irc30 | bytes | None:
    """What a foundry will say (IRC-30), None for nothing.

    Raises
    ------
    FileUnreadable, InvalidValue, InvalidMetadata
    """
    options = {
        "--name": name,
        "--symbol": symbol,
        "--decimals": decimals,
        "--description": description,
        "--url": url,
        "--logo-url": logo_url,
    }
    if file is not None:
        _refuse_both(options)
        return _from_file(file, Irc30, needed=("name", "symbol", "decimals"))
    if all(value is None for value in options.values()):
        return None
    _need(options, "--name", "--symbol")
    return Irc30(name or "", symbol or "", decimals or 0, description, url, logo_url)


def nft_metadata(
    file: Path | None,
    *,
    name: str | None,
    type: str | None,  # noqa: A002 - the standard's own word
    uri: str | None,
    description: str | None,
    collection: str | None,
    issuer_name: str | None,
    attributes: Sequence[str],
    royalties: Sequence[str],
) -> Irc27 | bytes | None:
    """What an NFT's issuer says for ever (IRC-27), None for nothing; raises as `token_metadata`."""
    options: dict[str, object] = {
        "--name": name,
        "--type": type,
        "--uri": uri,
        "--description": description,
        "--collection": collection,
        "--issuer-name": issuer_name,
        "--attribute": attributes or None,
        "--royalty": royalties or None,
    }
    if file is not None:
        _refuse_both(options)
        return _from_file(file, Irc27, needed=("name", "type", "uri"))
    if all(value is None for value in options.values()):
        return None
    _need(options, "--name", "--type", "--uri")
    return Irc27(
        name or "",
        type or "",
        uri or "",
        description,
        collection,
        issuer_name,
        royalties={address: _share(share) for address, share in _pairs(royalties, "--royalty", "ADDRESS=SHARE")},
        attributes=tuple(
            {"trait_type": trait, "value": _value(value)}
            for trait, value in _pairs(attributes, "--attribute", "NAME=VALUE")
        ),
    )


def _from_file(path: Path, standard: type[S], *, needed: Sequence[str]) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileUnreadable(path, error.strerror or "cannot be read") from None
    if not data:
        raise InvalidValue("--metadata-file", f"{path} is empty")
    if len(data) > METADATA_BYTES_MAX:
        rule = f"{path} holds {len(data)} bytes, and an output holds {METADATA_BYTES_MAX}"
        raise InvalidValue("--metadata-file", rule)
    try:
        said = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if path.suffix == ".json":
            raise InvalidValue("--metadata-file", f"{path} is not JSON: {error}") from None
        return data
    if isinstance(said, dict) and said.get("standard") in ("IRC27", "IRC30"):
        _check(path, said, standard, needed)
    return data


def _check(path: Path, said: dict[str, object], standard: type[S], needed: Sequence[str]) -> None:
    """Let the standard's own class find what is wrong, by name."""
    if said["standard"] != standard.STANDARD:
        rule = f"{path} follows {said['standard']}, and {standard.STANDARD} belongs here"
        raise InvalidValue("--metadata-file", rule)
    for name in needed:
        if said.get(standard.NAMES[name]) is None:
            raise InvalidValue("--metadata-file", f"{path} says nothing about {standard.NAMES[name]}")
    standard(**{name: said[member] for name, member in standard.NAMES.items() if said.get(member) is not None})  # type: ignore[arg-type]  # what has the wrong type is refused by name


def _refuse_both(options: dict[str, object] | dict[str, str | int | None]) -> None:
    for option, value in options.items():
        if value is not None:
            raise InvalidValue(option, "stands in the file already; give the file or options")


def _need(options: dict[str, object] | dict[str, str | int | None], *names: str) -> None:
    for name in names:
        if options[name] is None:
            raise InvalidValue(name, "is needed where metadata is given by options")


def _pairs(texts: Sequence[str], option: str, form: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        left, sign, right = text.partition("=")
        if not left or not sign:
            raise InvalidValue(option, f"must be {form}, not {text!r}")
        pairs.append((left, right))
    return pairs


def _share(text: str) -> float:
    """A share, such as 0.025 or 2.5%."""
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,10})?)(%?)", text)
    if not found:
        raise InvalidValue("--royalty", f"must end in a share such as 0.025 or 2.5%, not {text!r}")
    return float(found[1]) / (100 if found[2] else 1)


def _value(text: str) -> str | int:
    """Numbers as numbers, so that programs can compare them."""
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,14}", text) else text
