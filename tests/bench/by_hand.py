"""Reading a block with code written by hand for each type: what compiled declarations are measured against.

It reads data blocks, and payments between Ed25519 addresses: basic outputs with their address alone, signature and
reference unlocks. Objects are made as any program makes them, so that each checks its rules.
"""

from struct import Struct

from tangle.protocol.addresses import Ed25519Address
from tangle.protocol.blocks import Block, Payload
from tangle.protocol.outputs import BasicOutput
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.transactions import (
    Ed25519Signature,
    ReferenceUnlock,
    SignatureUnlock,
    Transaction,
    TransactionEssence,
    Unlock,
    UtxoInput,
)

_PAYLOAD = Struct("<II")
_ESSENCE = Struct("<BQH")
_INPUT = Struct("<B32sH")
_OUTPUT = Struct("<BQBBBB32sB")
_UNLOCK = Struct("<BB32s64s")


def block(data: bytes) -> Block:
    """The block in `data`. Raises ValueError for another shape, ProtocolError for broken rules."""
    at = 2 + 32 * data[1]
    parents = tuple([data[i : i + 32] for i in range(2, at, 32)])
    size, kind = _PAYLOAD.unpack_from(data, at)
    payload, end = (_tagged_data if kind == 5 else _transaction)(data, at + 8)
    if end != at + 4 + size or end + 8 != len(data):
        raise ValueError("length")
    return Block(parents, payload, int.from_bytes(data[end:], "little"), data[0])


def _tagged_data(data: bytes, at: int) -> tuple[Payload, int]:
    start = at + 1 + data[at] + 4
    end = start + int.from_bytes(data[start - 4 : start], "little")
    return TaggedData(data[at + 1 : start - 4], data[start:end]), end


def _transaction(data: bytes, at: int) -> tuple[Payload, int]:
    _, network, count = _ESSENCE.unpack_from(data, at)
    at += 11
    inputs = [UtxoInput(*_INPUT.unpack_from(data, at + 35 * i)[1:]) for i in range(count)]
    at += 35 * count
    commitment, outputs_at = data[at : at + 32], at + 34
    outputs = []
    count = int.from_bytes(data[at + 32 : at + 34], "little")
    for i in range(count):
        kind, amount, tokens, *conditions, key_hash, features = _OUTPUT.unpack_from(data, outputs_at + 46 * i)
        if (kind, tokens, conditions, features) != (3, 0, [1, 0, 0], 0):
            raise ValueError("output")
        outputs.append(BasicOutput.to(Ed25519Address(key_hash), amount))
    at = outputs_at + 46 * count
    if data[at : at + 4] != bytes(4):
        raise ValueError("payload")
    at += 6
    unlocks: list[Unlock] = []
    for _ in range(len(inputs)):
        if data[at] == 0:
            unlocks.append(SignatureUnlock(Ed25519Signature(*_UNLOCK.unpack_from(data, at)[2:])))
            at += 98
        else:
            unlocks.append(ReferenceUnlock(int.from_bytes(data[at + 1 : at + 3], "little")))
            at += 3
    return Transaction(TransactionEssence(network, tuple(inputs), commitment, tuple(outputs)), tuple(unlocks)), at
