"""Whether the locks of a transaction let it happen, said slowly from docs/locks.md: JSON in, yes or no out.

It reads the witness with the second decoder, walks the tree of each lock, and shares no code with the rules. What
has nothing to do with locks (balance, keys of other inputs, chains) is taken to be right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.protocol.locks import decoder
from tests.protocol.locks.decoder import Json, h, hexed

BASE = "coins"


@dataclass
class Input:
    """What is consumed, and how its unlock looks; `key` is the address of the key that signed for it."""

    output_id: bytes
    output: Json
    created_at: int
    key: str


@dataclass
class Case:
    """A transaction.

    Attributes
    ----------
    created : JSON of the outputs, and their bytes
    """

    inputs: list[Input]
    created: list[tuple[Json, bytes]]
    consumed_bytes: list[bytes]
    at: int
    witness: Json
    due: dict[tuple[str, str], int] = field(default_factory=dict)
    titles: list[tuple[int, str, str, int, dict[str, int], list[Json]]] = field(default_factory=list)

    def entry(self, place: int) -> Json | None:
        return next((one for one in self.witness["entries"] if one["input"] == place), None)


def name(address: Json) -> str:
    return str(address[decoder.ADDRESS_FIELDS[address["type"]]])


def tokens(output: Json) -> dict[str, int]:
    return {one["id"]: int(one["amount"], 16) for one in output.get("nativeTokens", ())}


def identity(output_id: bytes, output: Json) -> str | None:
    """The id of an alias or NFT; None for anything else."""
    told = output.get("aliasId") or output.get("nftId")
    if told is None:
        return None
    return hexed(h("", output_id)) if int(told, 16) == 0 else str(told)


def owner(case: Case, one: Input) -> str:
    conditions = {condition["type"]: condition for condition in one.output["unlockConditions"]}
    if 4 in conditions:
        own = identity(one.output_id, one.output)
        following = [out for out, _ in case.created if out.get("aliasId") == own]
        moves = following and following[0]["stateIndex"] != one.output["stateIndex"]
        return name(conditions[4 if moves else 5]["address"])
    if 3 in conditions and conditions[3]["unixTime"] <= case.at:
        return name(conditions[3]["returnAddress"])
    return name(conditions[0]["address"])


def dealt(case: Case) -> set[str]:
    """NFTs that open nothing."""
    found = {title for _, title, *_ in case.titles}
    for place, one in enumerate(case.inputs):
        entry, own = case.entry(place), one.output.get("nftId") and identity(one.output_id, one.output)
        if entry and own and any(asked["type"] in {3, 4} for asked, _ in entry["shown"]):
            found.add(own)
    return found


def allowed(case: Case) -> bool:
    """Whether every lock is opened and everything due is paid."""
    for place in range(len(case.inputs)):
        ask_dues(case, place)
    opened: list[str] = []
    for place, one in enumerate(case.inputs):
        entry = case.entry(place)
        if entry is not None:
            if hexed(decoder.lock_address(entry["lock"])[1:]) != owner(case, one):
                return False
            if not covered(entry):
                return False
            if not met(case, place, entry["json"]["condition"], iter(entry["shown"]), opened):
                return False
        own = identity(one.output_id, one.output)
        if own is not None and own not in dealt(case):
            opened.append(own)
    return paid(case)


def covered(entry: Json) -> bool:
    proofs = [proof for asked, proof in entry["shown"] if asked["type"] == 0]
    return not proofs or {} in proofs


def met(case: Case, place: int, asked: Json, shown: Iterator[Any], opened: list[str]) -> bool:
    """Whether a condition is met, and all that is shown below it; takes its proofs from `shown`."""
    told, proof = next(shown)
    assert told == asked
    one = case.inputs[place]
    kind = asked["type"]
    if kind == 1:
        parts = [part for i, part in enumerate(asked["parts"]) if proof["mask"] >> i & 1]
        results = [met(case, place, part["condition"], shown, opened) for part in parts]
        return all(results) and sum(part["weight"] for part in parts) >= asked["need"]
    if kind == 0:
        wanted = name(asked["address"])
        if proof:
            return asked["address"]["type"] == 0 and hexed(h("", proof["publicKey"])) == wanted
        if asked["address"]["type"] == 0:
            return wanted in {other.key for other in case.inputs}
        return wanted in opened
    if kind == 2:
        hashed = h("", proof["preimage"]) if asked["hash"] == 0 else hashlib.sha256(proof["preimage"]).digest()
        return bool(hexed(hashed) == asked["digest"])
    if kind == 3:
        asset = asked["asset"]
        return asset["type"] != 1 or asked["amount"] != "0" or asset["id"] in tokens(one.output)
    if kind == 4:
        asset = asked["asset"]
        held = tokens(one.output).get(asset["id"], 0) if asset["type"] else int(one.output["amount"])
        return bool(proof["taken"] <= proof["cumulative"] and proof["taken"] <= held)
    if kind == 5:
        return stake(case, place, asked)
    if kind == 6:
        own = identity(one.output_id, one.output)
        return own is not None and any(own in (out.get("aliasId"), out.get("nftId")) for out, _ in case.created)
    aliases = {hexed(decoder.blanked(data)) for _, data in case.created if data[0] == 4}
    return asked["digest"] in aliases - {
        hexed(decoder.blanked(data)) for data in case.consumed_bytes if data[0] == 4
    }


def stake(case: Case, voter: int, asked: Json) -> bool:
    carried = 0
    for place, one in enumerate(case.inputs):
        since = owned_since(case, place, voter)
        if since is not None and case.at - since >= asked["age"]:
            carried += tokens(one.output).get(asked["tokenId"], 0)
    return carried >= int(asked["amount"])


def owned_since(case: Case, place: int, voter: int) -> int | None:
    one, entry = case.inputs[place], case.entry(place)
    if place == voter:
        return None
    if entry is None:
        return one.created_at
    found = []
    for asked, _ in entry["shown"]:
        if asked["type"] == 0 and asked["address"]["type"] == 0:
            found.append(one.created_at)
        elif asked["type"] == 0:
            for earlier in range(place):
                other = case.inputs[earlier]
                if identity(other.output_id, other.output) == name(asked["address"]):
                    since = owned_since(case, earlier, voter)
                    found += [] if since is None else [max(one.created_at, since)]
    return min(found) if found else None


def ask_dues(case: Case, place: int) -> None:
    entry, one = case.entry(place), case.inputs[place]
    for asked, proof in entry["shown"] if entry else ():
        if asked["type"] == 3:
            to, asset, amount = name(asked["address"]), asked["asset"], int(asked["amount"])
            if asset["type"] == 0:
                owe(case, to, BASE, amount or int(one.output["amount"]))
            elif asset["type"] == 1:
                owe(case, to, asset["id"], amount or tokens(one.output).get(asset["id"], 0))
            elif asset["type"] == 2:
                current = [other.output for other in case.inputs
                           if identity(other.output_id, other.output) == asset["nftId"]]  # fmt: skip
                coins, held = (int(current[0]["amount"]), tokens(current[0])) if current else (0, {})
                case.titles.append((place, asset["nftId"], to, coins, held, features(current)))
            else:
                owe_all(case, place, to, int(one.output["amount"]), tokens(one.output))
        elif asked["type"] == 4:
            coins, held, taken = int(one.output["amount"]), tokens(one.output), proof["taken"]
            if asked["asset"]["type"] == 0:
                owe(case, name(asked["payee"]), BASE, taken)
                coins -= taken
            else:
                token = asked["asset"]["id"]
                owe(case, name(asked["payee"]), token, taken)
                held[token] = held.get(token, 0) - taken
            owe_all(case, place, name(asked["refund"]), coins, held)


def owe(case: Case, to: str, what: str, amount: int) -> None:
    case.due[to, what] = case.due.get((to, what), 0) + max(amount, 0)


def owe_all(case: Case, place: int, to: str, coins: int, held: dict[str, int]) -> None:
    one = case.inputs[place]
    if "nftId" in one.output:
        own = identity(one.output_id, one.output)
        assert own is not None
        kept = {token: amount for token, amount in held.items() if amount > 0}
        case.titles.append((place, own, to, coins, kept, features([one.output])))
        return
    owe(case, to, BASE, coins)
    for token, amount in held.items():
        owe(case, to, token, amount)


def features(outputs: list[Json]) -> list[Json]:
    return [feature for output in outputs for feature in output.get("features", ()) if feature["type"] != 0]


def paid(case: Case) -> bool:
    for (to, what), amount in case.due.items():
        plain = [
            out
            for out, _ in case.created
            if out["type"] == 3
            and [condition["type"] for condition in out["unlockConditions"]] == [0]
            and name(out["unlockConditions"][0]["address"]) == to
        ]
        if sum(int(out["amount"]) if what == BASE else tokens(out).get(what, 0) for out in plain) < amount:
            return False
    for place, title, to, coins, held, said in case.titles:
        if any(other == title and at != place for at, other, *_ in case.titles):
            return False
        if not any(identity(one.output_id, one.output) == title for one in case.inputs):
            return False
        following = [out for out, _ in case.created if out.get("nftId") == title]
        if not following or int(following[0]["amount"]) < coins or tokens(following[0]) != held:
            return False
        conditions = following[0]["unlockConditions"]
        if [condition["type"] for condition in conditions] != [0] or name(conditions[0]["address"]) != to:
            return False
        if features(following) != said:
            return False
    return True
