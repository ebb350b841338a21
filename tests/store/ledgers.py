"""Random outputs of every type with few values to choose from, and the indexer's slow twin in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from tangle.node.settle import output_row
from tangle.protocol.addresses import Address, AliasAddress, Ed25519Address, NftAddress
from tangle.protocol.outputs import (
    NO_ID,
    AddressUnlockCondition,
    AliasOutput,
    BasicOutput,
    ChainOutput,
    ExpirationUnlockCondition,
    Feature,
    FoundryOutput,
    GovernorAddressUnlockCondition,
    ImmutableAliasAddressUnlockCondition,
    IssuerFeature,
    NativeToken,
    NftOutput,
    Output,
    SenderFeature,
    SimpleTokenScheme,
    StateControllerAddressUnlockCondition,
    StorageDepositReturnUnlockCondition,
    TagFeature,
    TimelockUnlockCondition,
    UnlockCondition,
)
from tangle.store.indexer import AliasFilter, AnyFilter, BasicFilter, Filter, FoundryFilter, NftFilter
from tangle.store.rows import OutputRow
from tests.store.rows import FOUNDED_AT, name

ALIASES = [AliasAddress(b"\x41" * 32), AliasAddress(b"\x42" * 32)]
ADDRESSES: list[Address] = [Ed25519Address(b"\x61" * 32), NftAddress(b"\x4e" * 32), *ALIASES]
TIMES = [FOUNDED_AT + 5, FOUNDED_AT + 20, FOUNDED_AT + 35]
TAGS = [b"t", b"tt", b"\x00" * 64]
KINDS: list[type[Filter]] = [BasicFilter, AliasFilter, FoundryFilter, NftFilter, AnyFilter]


@dataclass(frozen=True)
class Entry:
    """An output of the ledger, and when it came."""

    output_id: bytes
    output: Output
    created_index: int

    @property
    def created_at(self) -> int:
        """Seconds; that of its milestone."""
        return FOUNDED_AT + 10 * self.created_index

    @property
    def place(self) -> tuple[int, bytes]:
        """By which pages are ordered."""
        return self.created_index, self.output_id

    @property
    def row(self) -> OutputRow:
        """As the node writes it."""
        return output_row(self.output_id, self.output, name(1), self.created_index, self.created_at)


def an_entry(rng: random.Random, created_index: int) -> Entry:
    """An output of any type that milestone `created_index` creates."""
    makers: list[Callable[[random.Random], Output]] = [_basic, _basic, _alias, _foundry, _nft]
    make = rng.choice(makers)
    return Entry(rng.randbytes(32) + bytes(2), make(rng), created_index)


def _basic(rng: random.Random) -> BasicOutput:
    return BasicOutput(rng.randint(10, 20), _conditions(rng), _features(rng, tagged=True), _tokens(rng))


def _nft(rng: random.Random) -> NftOutput:
    return NftOutput(
        10,
        _conditions(rng),
        _features(rng, tagged=True),
        _tokens(rng),
        immutable_features=_issuer(rng),
        nft_id=rng.choice([NO_ID, rng.randbytes(32)]),
    )


def _alias(rng: random.Random) -> AliasOutput:
    holders = (
        StateControllerAddressUnlockCondition(rng.choice(ADDRESSES)),
        GovernorAddressUnlockCondition(rng.choice(ADDRESSES)),
    )
    return AliasOutput(
        10,
        holders,
        _features(rng, tagged=False),
        _tokens(rng),
        immutable_features=_issuer(rng),
        alias_id=rng.choice([NO_ID, rng.randbytes(32)]),
    )


def _foundry(rng: random.Random) -> FoundryOutput:
    return FoundryOutput(
        10,
        (ImmutableAliasAddressUnlockCondition(rng.choice(ALIASES)),),
        (),
        _tokens(rng),
        serial_number=rng.randint(1, 2**32 - 1),
        token_scheme=SimpleTokenScheme(5, 0, 10),
    )


def _conditions(rng: random.Random) -> tuple[UnlockCondition, ...]:
    conditions: list[UnlockCondition] = [AddressUnlockCondition(rng.choice(ADDRESSES))]
    if rng.random() < 0.3:
        conditions.append(StorageDepositReturnUnlockCondition(rng.choice(ADDRESSES), 1))
    if rng.random() < 0.3:
        conditions.append(TimelockUnlockCondition(rng.choice(TIMES)))
    if rng.random() < 0.3:
        conditions.append(ExpirationUnlockCondition(rng.choice(ADDRESSES), rng.choice(TIMES)))
    return tuple(conditions)


def _features(rng: random.Random, *, tagged: bool) -> tuple[Feature, ...]:
    features: list[Feature] = []
    if rng.random() < 0.5:
        features.append(SenderFeature(rng.choice(ADDRESSES)))
    if tagged and rng.random() < 0.5:
        features.append(TagFeature(rng.choice(TAGS)))
    return tuple(features)


def _issuer(rng: random.Random) -> tuple[Feature, ...]:
    return (IssuerFeature(rng.choice(ADDRESSES)),) if rng.random() < 0.5 else ()


def _tokens(rng: random.Random) -> tuple[NativeToken, ...]:
    ids = [ALIASES[0].encode() + bytes((serial, 0, 0, 0, 0)) for serial in range(1, 4)]
    return tuple(NativeToken(token_id, 1) for token_id in ids[: rng.choice([0, 0, 1, 2, 3])])


Keeps = Callable[[Entry, Any], bool]


def _holds(kind: type[Any]) -> Keeps:
    return lambda entry, wanted: (entry.output.condition(kind) is not None) == wanted


def _with(kind: type[Any], field: str, compare: Callable[[Any, Any], bool]) -> Keeps:
    def keeps(entry: Entry, value: Any) -> bool:
        condition = entry.output.condition(kind)
        return condition is not None and compare(getattr(condition, field), value)

    return keeps


def _unlockable_by(entry: Entry, address: bytes) -> bool:
    named = [
        getattr(condition, field)
        for condition in entry.output.unlock_conditions
        for field in ("address", "return_address")
        if hasattr(condition, field)
    ]
    return address in [one.encode() for one in named]


def _issued_by(entry: Entry, address: bytes) -> bool:
    issuer = entry.output.issuer if isinstance(entry.output, ChainOutput) else None
    return issuer is not None and issuer.encode() == address


def _same(address: Address, encoded: bytes) -> bool:
    return address.encode() == encoded


def _less(one: int, other: int) -> bool:
    return one < other


def _more(one: int, other: int) -> bool:
    return one > other


_RETURN, _EXPIRATION = StorageDepositReturnUnlockCondition, ExpirationUnlockCondition
TWIN: dict[str, Keeps] = {
    "address": _with(AddressUnlockCondition, "address", _same),
    "state_controller": _with(StateControllerAddressUnlockCondition, "address", _same),
    "governor": _with(GovernorAddressUnlockCondition, "address", _same),
    "alias_address": _with(ImmutableAliasAddressUnlockCondition, "address", _same),
    "unlockable_by": _unlockable_by,
    "issuer": _issued_by,
    "sender": lambda entry, value: entry.output.sender is not None and _same(entry.output.sender, value),
    "tag": lambda entry, value: entry.output.tag == value,
    "created_before": lambda entry, value: entry.created_at < value,
    "created_after": lambda entry, value: entry.created_at > value,
    "has_native_tokens": lambda entry, value: bool(entry.output.native_tokens) == value,
    "min_native_token_count": lambda entry, value: len(entry.output.native_tokens) >= value,
    "max_native_token_count": lambda entry, value: len(entry.output.native_tokens) <= value,
    "has_storage_deposit_return": _holds(_RETURN),
    "storage_deposit_return_address": _with(_RETURN, "return_address", _same),
    "has_timelock": _holds(TimelockUnlockCondition),
    "timelocked_before": _with(TimelockUnlockCondition, "unix_time", _less),
    "timelocked_after": _with(TimelockUnlockCondition, "unix_time", _more),
    "has_expiration": _holds(_EXPIRATION),
    "expires_before": _with(_EXPIRATION, "unix_time", _less),
    "expires_after": _with(_EXPIRATION, "unix_time", _more),
    "expiration_return_address": _with(_EXPIRATION, "return_address", _same),
}


def twin(chosen: Filter, unspent: Iterable[Entry]) -> list[bytes]:
    """The ids of what the indexer should find, in order."""
    asked = {each.name: getattr(chosen, each.name) for each in fields(chosen)}
    found = [
        entry
        for entry in unspent
        if entry.output.TYPE in chosen.TYPES
        and all(value is None or TWIN[field](entry, value) for field, value in asked.items())
    ]
    return [entry.output_id for entry in sorted(found, key=lambda entry: entry.place)]


def values_of(field: str) -> list[Any]:
    """Values to ask for in a field: those that outputs have, some beside them and some that none has."""
    if field.startswith("has_"):
        return [True, False]
    if field.endswith("_count"):
        return [0, 1, 2, 4]
    if field == "tag":
        return [*TAGS, b"x"]
    if field.startswith("created_"):
        return [0, FOUNDED_AT, *(FOUNDED_AT + 10 * index + more for index in (0, 2, 4) for more in (0, 1)), 2**40]
    if field.endswith(("_before", "_after")):
        return [0, *TIMES, TIMES[1] + 1, 2**40]
    return [*(address.encode() for address in ADDRESSES), b"\x00" * 33]


def a_filter(rng: random.Random) -> Filter:
    """A filter of any kind that asks for one to four things."""
    kind = rng.choice(KINDS)
    names = [each.name for each in fields(kind)]
    return kind(**{field: rng.choice(values_of(field)) for field in rng.sample(names, rng.randint(1, 4))})


def single_filters() -> list[Filter]:
    """Every filter of every kind alone with every value, and each kind unfiltered."""
    single = [
        kind(**{each.name: value}) for kind in KINDS for each in fields(kind) for value in values_of(each.name)
    ]
    return [*(kind() for kind in KINDS), *single]


_ME = ADDRESSES[0].encode()
_NOW = TIMES[1]
_PLAIN: dict[str, Any] = {
    "has_expiration": False,
    "has_timelock": False,
    "has_storage_deposit_return": False,
}
COMBINED: list[Filter] = [
    # What iota-sdk asks while it syncs, gathers inputs and consolidates.
    BasicFilter(address=_ME, **_PLAIN),
    BasicFilter(address=_ME, has_storage_deposit_return=False),
    BasicFilter(unlockable_by=_ME, has_expiration=True),
    BasicFilter(unlockable_by=_ME, has_expiration=True, has_storage_deposit_return=False, expires_before=_NOW),
    BasicFilter(
        expiration_return_address=_ME, has_expiration=True, has_storage_deposit_return=False, expires_before=_NOW
    ),
    BasicFilter(unlockable_by=_ME, has_storage_deposit_return=True, has_timelock=False),
    # What other clients may.
    BasicFilter(address=_ME, has_native_tokens=False, **_PLAIN),
    BasicFilter(address=_ME, min_native_token_count=1, max_native_token_count=2),
    BasicFilter(address=_ME, created_after=FOUNDED_AT + 5, created_before=FOUNDED_AT + 31),
    BasicFilter(sender=_ME, tag=b"t", created_after=FOUNDED_AT),
    BasicFilter(has_native_tokens=True, has_timelock=True, timelocked_after=_NOW),
    BasicFilter(timelocked_before=_NOW, expires_after=_NOW),
    NftFilter(address=_ME, **_PLAIN),
    NftFilter(issuer=_ME, tag=b"t", has_expiration=False),
    NftFilter(unlockable_by=_ME, issuer=_ME, has_timelock=False),
    AliasFilter(unlockable_by=_ME, issuer=_ME),
    AliasFilter(state_controller=_ME, governor=_ME, sender=_ME),
    FoundryFilter(alias_address=ALIASES[0].encode(), has_native_tokens=True),
    FoundryFilter(alias_address=ALIASES[0].encode(), created_after=FOUNDED_AT + 10),
    AnyFilter(unlockable_by=_ME, has_native_tokens=True),
    AnyFilter(unlockable_by=_ME, created_after=FOUNDED_AT, created_before=FOUNDED_AT + 31),
]
"""combinations that clients ask for"""
