"""A transaction with all that decides on it, as JSON, and every way to change one field of it.

What is changed is the JSON, not our objects: most of what may be wrong with a transaction, our objects cannot be.
After a change the transaction is signed again, and its commitment is made for what it consumes, so that the field
is judged and not the signature over it.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tangle.protocol.errors import ProtocolError
from tangle.protocol.outputs import OUTPUTS, Output
from tangle.protocol.serial import Fields, Json, from_hex, to_hex, uint
from tangle.protocol.signatures import sign
from tangle.protocol.transactions import TransactionEssence, inputs_commitment
from tests.differential import oracle
from tests.protocol.broken import find
from tests.state.rules.builders import Scene
from tests.state.rules.world import KEYS

Path = tuple[str | int, ...]
Seeds = Mapping[str, bytes]
"""public key as hex -> seed"""
SEEDS: Seeds = {to_hex(key.public): key.seed for key in KEYS.values()}


class Unlawful(Exception):
    """The change made something that no ledger holds, so there is nothing to judge."""


@dataclass(frozen=True)
class Case:
    """A transaction payload, the ids and outputs that it consumes, and the time of the confirming milestone."""

    payload: Json
    ids: tuple[bytes, ...]
    consumed: tuple[Json, ...]
    at: int

    @classmethod
    def of(cls, scene: Scene) -> Case:
        """The case of a scene."""
        consumed = tuple(one.output.to_json() for one in scene.consumed)
        ids = tuple(one.output_id for one in scene.consumed)
        return cls(scene.transaction.to_json(), ids, consumed, scene.at)

    @classmethod
    def signed(cls, data: Json, at: int) -> Case:
        """The case of what iota-sdk signed: its `SignedTransactionData`, as JSON."""
        inputs = [(held["outputMetadata"], held["output"]) for held in data["inputsData"]]
        ids = (
            from_hex(where["transactionId"], "transactionId") + uint(where["outputIndex"], 2)
            for where, _ in inputs
        )
        return cls(data["transactionPayload"], tuple(ids), tuple(output for _, output in inputs), at)


GONE, AGAIN, REVERSED = "left out", "once more", "in reverse order"
U16_MAX, U32_MAX, U64_MAX = 2**16 - 1, 2**32 - 1, 2**64 - 1


@dataclass(frozen=True)
class Change:
    """One field changed: to a value, or left out, repeated, reversed."""

    path: Path
    value: object = None
    way: str = ""

    def __str__(self) -> str:
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{steps.removeprefix('.')} {self.way or f'= {self.value!r}'}"

    @property
    def field(self) -> str:
        """The path without positions."""
        return ".".join(step for step in self.path if isinstance(step, str))


def changes(case: Case) -> list[Change]:
    """Every change that is tried on `case`."""
    payload = {"essence": case.payload["essence"], "unlocks": case.payload["unlocks"]}
    document = {**payload, "consumed": list(case.consumed)}
    return [*map(_time, (0, case.at - 1, case.at + 1, U32_MAX)), *_changes_within(document, ())]


def _time(at: int) -> Change:
    return Change(("at",), at)


def _changes_within(value: object, path: Path) -> Iterator[Change]:
    if len(path) > 1:
        yield Change(path, way=GONE)
        if isinstance(path[-1], int):
            yield Change(path, way=AGAIN)
    if isinstance(value, dict):
        for key, held in value.items():
            yield from _changes_within(held, (*path, key))
    elif isinstance(value, list):
        if len(value) > 1 and path != ("consumed",):
            yield Change(path, way=REVERSED)
        for i, held in enumerate(value):
            yield from _changes_within(held, (*path, i))
    else:
        yield from (Change(path, other) for other in _others(value) if other != value)


def _others(value: object) -> list[object]:
    """What may stand in the place of a number or a text."""
    if isinstance(value, int):
        return [0, 1, 2, 3, 8, 16, value - 1, value + 1, 127, 128, U16_MAX + 1, U32_MAX, U32_MAX + 1]
    text = str(value)
    if text.startswith("0x"):
        return ["0x", "0x0", "0xff", text[:-2], text + "00", "0x" + "00" * (len(text) // 2 - 1), *_flipped(text)]
    return [str(number) for number in (0, 1, 425, 426, int(text) - 1, int(text) + 1, U64_MAX, U64_MAX + 1)]


def _flipped(text: str) -> list[str]:
    """A bit of the first and one of the last byte turned over."""
    if len(text) % 2 or len(text) < len("0x00"):
        return []
    data = from_hex(text, "text")
    return [to_hex(bytes([data[0] ^ 1]) + data[1:]), to_hex(data[:-1] + bytes([data[-1] ^ 1]))]


def changed(case: Case, change: Change, seeds: Seeds = SEEDS) -> Case:
    """`case` with one change, signed again. Raises Unlawful."""
    if change.path == ("at",):
        return replace(case, at=int(str(change.value)))
    document: Json = copy.deepcopy({**case.payload, "consumed": list(case.consumed)})
    _apply(document, change)
    consumed = document.pop("consumed")
    if change.path[0] == "consumed":
        document["essence"]["inputsCommitment"] = to_hex(inputs_commitment(_lawful(consumed, len(case.ids))))
    if "signature" not in change.path:
        _sign(document, seeds)
    return replace(case, payload=document, consumed=tuple(consumed))


def _apply(document: Json, change: Change) -> None:
    held: Any = find(document, change.path[:-1])
    key = change.path[-1]
    if change.way == GONE:
        del held[key]
    elif change.way == AGAIN:
        held.append(copy.deepcopy(held[key]))
    elif change.way == REVERSED:
        held[key].reverse()
    else:
        held[key] = change.value


def _lawful(consumed: list[Json], count: int) -> list[Output]:
    try:
        outputs = [OUTPUTS.from_json(Fields(output)) for output in consumed]
    except ProtocolError as error:
        raise Unlawful from error
    if len(outputs) != count:
        raise Unlawful
    return outputs


def _sign(payload: Json, seeds: Seeds) -> None:
    """Replace every signature of a known key; the hash is ours, or theirs of what only they can read."""
    try:
        essence_hash = TransactionEssence.from_json(Fields(payload["essence"])).hash
    except ProtocolError:
        found = oracle.essence_hash(payload["essence"])
        if found is None:
            return
        essence_hash = found
    for unlock in payload["unlocks"]:
        signature = unlock.get("signature")
        if isinstance(signature, dict) and signature.get("publicKey") in seeds:
            signature["signature"] = to_hex(sign(seeds[signature["publicKey"]], essence_hash))


def sample(case: Case, rng: random.Random, count: int, seeds: Seeds = SEEDS) -> Iterator[tuple[Change, Case]]:
    """At most `count` changes of `case`, those that are unlawful left out."""
    found = changes(case)
    for change in found if len(found) <= count else rng.sample(found, count):
        try:
            yield change, changed(case, change, seeds)
        except Unlawful:
            continue
