"""A second decoder of locks and witnesses, written from docs/locks.md alone: it knows hashlib and libsodium,
nothing of ours.

It is slow and raises AssertionError at whatever breaks a rule of the page.
"""

from __future__ import annotations

import hashlib
from typing import Any

import nacl.exceptions
import nacl.signing

Json = dict[str, Any]
ADDRESS_FIELDS = {0: "pubKeyHash", 8: "aliasId", 16: "nftId"}
HASHES = {0: lambda data: h("", data), 1: lambda data: hashlib.sha256(data).digest()}


def h(person: str, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32, person=person.encode("ascii").ljust(16, b"\0")).digest()


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


class Cursor:
    """Reads on, and never beyond the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        assert self.at + size <= len(self.data), "ends too early"
        self.at += size
        return self.data[self.at - size : self.at]

    def u(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def end(self) -> None:
        assert self.at == len(self.data), "bytes remain"


def lock_address(lock: bytes) -> bytes:
    return b"\x00" + h("tangle lock 1", lock)


def read_lock(data: bytes) -> Json:
    """The JSON form of a lock."""
    assert len(data) <= 1280
    cursor = Cursor(data)
    assert cursor.u(1) == 1
    lock: Json = {"version": 1, "salt": hexed(cursor.take(8)), "condition": condition(cursor)}
    cursor.end()
    depths = depths_of(lock["condition"], 1)
    assert max(depths) <= 5
    assert len(depths) <= 64
    return lock


def depths_of(read: Json, depth: int) -> list[int]:
    return [depth] + [one for part in read.get("parts", ()) for one in depths_of(part["condition"], depth + 1)]


def condition(cursor: Cursor) -> Json:
    kind = cursor.u(1)
    read: Json = {"type": kind}
    if kind == 0:
        read["address"] = address(cursor)
    elif kind == 1:
        read["need"] = cursor.u(2)
        count = cursor.u(1)
        read["parts"] = [{"weight": cursor.u(2), "condition": condition(cursor)} for _ in range(count)]
        weights = [part["weight"] for part in read["parts"]]
        assert 1 <= count <= 32
        assert min(weights) >= 1
        assert 1 <= read["need"] <= sum(weights)
    elif kind == 2:
        read |= {"hash": cursor.u(1), "digest": hexed(cursor.take(32))}
        assert read["hash"] in HASHES
    elif kind == 3:
        read |= {"address": address(cursor), "asset": asset(cursor), "amount": str(cursor.u(8))}
        assert read["asset"]["type"] < 2 or read["amount"] == "0"
    elif kind == 4:
        read |= {"key": hexed(cursor.take(32)), "payee": address(cursor), "refund": address(cursor)}
        read["asset"] = asset(cursor)
        assert read["asset"]["type"] < 2
    elif kind == 5:
        read |= {"tokenId": hexed(cursor.take(38)), "amount": str(cursor.u(8)), "age": cursor.u(4)}
    elif kind == 7:
        read["digest"] = hexed(cursor.take(32))
    else:
        assert kind == 6, "no kind of condition"
    return read


def address(cursor: Cursor) -> Json:
    kind = cursor.u(1)
    assert kind in ADDRESS_FIELDS
    return {"type": kind, ADDRESS_FIELDS[kind]: hexed(cursor.take(32))}


def asset(cursor: Cursor) -> Json:
    kind = cursor.u(1)
    assert kind < 4
    named = {1: ("id", 38), 2: ("nftId", 32)}.get(kind)
    return {"type": kind, named[0]: hexed(cursor.take(named[1]))} if named else {"type": kind}


def read_witness(data: bytes, bare: bytes, network_id: int, output_ids: list[bytes]) -> Json:
    """The entries and the note; each proof with the condition that it is shown for."""
    cursor = Cursor(data)
    assert cursor.u(1) == 1
    count = cursor.u(1)
    assert 1 <= count <= 128
    entries: list[Json] = []
    signed = 0
    digest = h("tangle locksig1", bare + bytes(4))
    for _ in range(count):
        place = cursor.u(2)
        assert place < len(output_ids)
        assert not entries or place > entries[-1]["input"]
        lock = cursor.take(cursor.u(2))
        read = read_lock(lock)
        shown = proofs(cursor, read["condition"])
        for asked, proof in shown:
            if "publicKey" in proof:
                check(proof["publicKey"], proof["signature"], digest)
                signed += 1
            elif "cumulative" in proof:
                message = b"tangle voucher 1\n" + network_id.to_bytes(8, "little") + output_ids[place]
                message += proof["cumulative"].to_bytes(8, "little")
                assert len(message) == 67
                check(bytes.fromhex(asked["key"][2:]), proof["signature"], message)
                signed += 1
        entries.append({"input": place, "lock": lock, "json": read, "shown": shown})
    note = cursor.take(cursor.u(2))
    cursor.end()
    assert signed <= 128
    return {"entries": entries, "note": note}


def proofs(cursor: Cursor, asked: Json) -> list[tuple[Json, Json]]:
    kind = asked["type"]
    if kind == 0:
        way = cursor.u(1)
        assert way < 2
        proof = {"publicKey": cursor.take(32), "signature": cursor.take(64)} if way else {}
        return [(asked, proof)]
    if kind == 1:
        mask = cursor.u(4)
        assert mask < 2 ** len(asked["parts"])
        found: list[tuple[Json, Json]] = [(asked, {"mask": mask})]
        for i, part in enumerate(asked["parts"]):
            if mask >> i & 1:
                found += proofs(cursor, part["condition"])
        return found
    if kind == 2:
        return [(asked, {"preimage": cursor.take(32)})]
    if kind == 4:
        return [(asked, {"cumulative": cursor.u(8), "taken": cursor.u(8), "signature": cursor.take(64)})]
    return [(asked, {})]


def check(key: bytes, signature: bytes, message: bytes) -> None:
    try:
        nacl.signing.VerifyKey(key).verify(message, signature)
    except nacl.exceptions.BadSignatureError:
        raise AssertionError("a signature does not verify") from None


def blanked(output: bytes) -> bytes:
    """The digest of an alias output for *Makes*, from its binary form (TIP-18)."""
    cursor = Cursor(output)
    assert cursor.u(1) == 4
    cursor.u(8)
    for _ in range(cursor.u(1)):
        cursor.take(38 + 32)
    alias_id = cursor.take(32)
    cursor.u(4)
    cursor.take(cursor.u(2))
    cursor.u(4)
    rest = output[cursor.at :]
    return h("", b"\x04" + bytes(8) + b"\x00" + alias_id + bytes(4) + bytes(2) + bytes(4) + rest)
