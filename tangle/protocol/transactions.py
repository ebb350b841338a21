"""Transactions: inputs consumed, outputs created, signed (TIP-20).

The id of a transaction is the hash of its payload, signatures included; an output's id is that id and its index.
The inputs commitment binds the signature to the contents of the consumed outputs, not only to their ids.
Whether the inputs exist and are unspent is the ledger's question, asked when a milestone confirms the block.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, TypeVar

from tangle.protocol.errors import (
    AmountOutOfRange,
    CountOutOfRange,
    IndexOutOfRange,
    LengthOutOfRange,
    Repeated,
    SignatureInvalid,
    UnknownType,
    UnlockMismatch,
    WrongNetwork,
)
from tangle.protocol.outputs import OUTPUTS, ChainOutput, Output, check_deposit
from tangle.protocol.parameters import INPUTS_MAX, NATIVE_TOKENS_MAX, OUTPUTS_MAX, ProtocolParameters
from tangle.protocol.serial import (
    Coded,
    Fields,
    Json,
    Reader,
    TypeTable,
    blake2b_256,
    check_count,
    numbered,
    to_hex,
    uint,
    within,
)
from tangle.protocol.signatures import verify
from tangle.protocol.tagged_data import TaggedData
from tangle.protocol.unlocks import (
    SIGNATURES,
    UNLOCKS,
    AliasUnlock,
    Ed25519Signature,
    NftUnlock,
    ReferenceUnlock,
    SignatureUnlock,
    Unlock,
    check_unlocks,
)

__all__ = [
    "ESSENCE_PAYLOADS",
    "INPUTS",
    "OUTPUT_ID_BYTES",
    "SIGNATURES",
    "UNLOCKS",
    "AliasUnlock",
    "Ed25519Signature",
    "NftUnlock",
    "ReferenceUnlock",
    "SignatureUnlock",
    "Transaction",
    "TransactionEssence",
    "Unlock",
    "UtxoInput",
    "check_transaction",
    "decode_optional_payload",
    "inputs_commitment",
]

OUTPUT_ID_BYTES = 34
"""bytes of an output id: transaction id and uint16 index"""

T = TypeVar("T", bound=Coded)


@dataclass(frozen=True, slots=True)
class UtxoInput:
    """The output to consume: transaction id (32 bytes) and index below 128."""

    TYPE: ClassVar[int] = 0
    transaction_id: bytes
    index: int

    def __post_init__(self) -> None:
        if len(self.transaction_id) != 32:
            raise LengthOutOfRange("transactionId", f"must be 32 bytes, not {len(self.transaction_id)}")
        if not 0 <= self.index < OUTPUTS_MAX:
            rule = f"must be 0 to {OUTPUTS_MAX - 1}, not {self.index}"
            raise IndexOutOfRange("transactionOutputIndex", rule)

    @property
    def output_id(self) -> bytes:
        """34 bytes."""
        return self.transaction_id + uint(self.index, 2)

    @classmethod
    def of(cls, output_id: bytes) -> UtxoInput:
        """The input that consumes `output_id` (34 bytes)."""
        if len(output_id) != OUTPUT_ID_BYTES:
            raise LengthOutOfRange("outputId", f"must be {OUTPUT_ID_BYTES} bytes, not {len(output_id)}")
        return cls(output_id[:32], int.from_bytes(output_id[32:], "little"))

    def encode(self) -> bytes:
        """35 bytes."""
        return b"\x00" + self.output_id

    @classmethod
    def decode(cls, reader: Reader) -> UtxoInput:
        """Read 35 bytes."""
        reader.type(cls.TYPE, 1)
        return cls(reader.take(32, "transactionId"), reader.uint(2, "transactionOutputIndex"))

    def to_json(self) -> Json:
        """The JSON form."""
        return {
            "type": self.TYPE,
            "transactionId": to_hex(self.transaction_id),
            "transactionOutputIndex": self.index,
        }

    @classmethod
    def from_json(cls, fields: Fields) -> UtxoInput:
        """Read the JSON form."""
        return cls(fields.data("transactionId", size=32), fields.integer("transactionOutputIndex", 2**16 - 1))


INPUTS: TypeTable[UtxoInput] = TypeTable("input", 1, [UtxoInput])
ESSENCE_PAYLOADS: TypeTable[TaggedData] = TypeTable("payload", 4, [TaggedData])


@dataclass(frozen=True)
class TransactionEssence:
    """The signed part of a transaction.

    Attributes
    ----------
    inputs : 1 to 128, unique
    inputs_commitment : 32 bytes, see `inputs_commitment`
    outputs : 1 to 128
    """

    TYPE: ClassVar[int] = 1
    network_id: int
    inputs: tuple[UtxoInput, ...]
    inputs_commitment: bytes
    outputs: tuple[Output, ...]
    payload: TaggedData | None = None

    def __post_init__(self) -> None:
        check_count(len(self.inputs), "inputs", 1, INPUTS_MAX)
        check_count(len(self.outputs), "outputs", 1, OUTPUTS_MAX)
        if len(self.inputs_commitment) != 32:
            raise LengthOutOfRange("inputsCommitment", f"must be 32 bytes, not {len(self.inputs_commitment)}")
        seen: set[UtxoInput] = set()
        for i, consumed in enumerate(self.inputs):
            if consumed in seen:
                raise Repeated(f"inputs[{i}]", "consumes an output that an earlier input consumes")
            seen.add(consumed)
        check_chains(self.outputs)
        check_token_count(self.outputs)

    @cached_property
    def encoded(self) -> bytes:
        """The binary form."""
        payload = self.payload.encode() if self.payload is not None else b""
        return b"".join(
            (
                b"\x01",
                uint(self.network_id, 8),
                uint(len(self.inputs), 2),
                *(consumed.encode() for consumed in self.inputs),
                self.inputs_commitment,
                uint(len(self.outputs), 2),
                *(output.encode() for output in self.outputs),
                uint(len(payload), 4),
                payload,
            )
        )

    @cached_property
    def hash(self) -> bytes:
        """What a signature unlock signs: BLAKE2b-256 of the binary form."""
        return blake2b_256(self.encoded)

    @classmethod
    def decode(cls, reader: Reader) -> TransactionEssence:
        """Read the binary form."""
        start = reader.position
        reader.type(cls.TYPE, 1)
        network_id = reader.uint(8, "networkId")
        count = reader.count(2, "inputs", least=1, most=INPUTS_MAX)
        inputs = INPUTS.decode_each(reader, "inputs", count)
        commitment = reader.take(32, "inputsCommitment")
        count = reader.count(2, "outputs", least=1, most=OUTPUTS_MAX)
        outputs = OUTPUTS.decode_each(reader, "outputs", count)
        payload = decode_optional_payload(reader, ESSENCE_PAYLOADS)
        essence = cls(network_id, inputs, commitment, outputs, payload)
        essence.__dict__["encoded"] = reader.data[start : reader.position]
        return essence

    def to_json(self) -> Json:
        """The JSON form; an absent payload is absent."""
        json: Json = {
            "type": self.TYPE,
            "networkId": str(self.network_id),
            "inputs": [consumed.to_json() for consumed in self.inputs],
            "inputsCommitment": to_hex(self.inputs_commitment),
            "outputs": [output.to_json() for output in self.outputs],
        }
        if self.payload is not None:
            json["payload"] = self.payload.to_json()
        return json

    @classmethod
    def from_json(cls, fields: Fields) -> TransactionEssence:
        """Read the JSON form."""
        number = fields.integer("type", 255)
        if number != cls.TYPE:
            raise UnknownType("type", f"must be {cls.TYPE} here, not {number}")
        return cls(
            fields.u64("networkId"),
            fields.each("inputs", INPUTS.from_json),
            fields.data("inputsCommitment", size=32),
            fields.each("outputs", OUTPUTS.from_json),
            fields.nested("payload", ESSENCE_PAYLOADS.from_json) if "payload" in fields else None,
        )


@dataclass(frozen=True)
class Transaction:
    """An essence and one unlock per input (TIP-20)."""

    TYPE: ClassVar[int] = 6
    essence: TransactionEssence
    unlocks: tuple[Unlock, ...]

    def __post_init__(self) -> None:
        if len(self.unlocks) != len(self.essence.inputs):
            rule = f"must hold one unlock per input: {len(self.essence.inputs)}, not {len(self.unlocks)}"
            raise UnlockMismatch("unlocks", rule)
        check_unlocks(self.unlocks)

    @cached_property
    def encoded(self) -> bytes:
        """The binary form."""
        unlocks = b"".join(unlock.encode() for unlock in self.unlocks)
        return uint(self.TYPE, 4) + self.essence.encoded + uint(len(self.unlocks), 2) + unlocks

    @cached_property
    def id(self) -> bytes:
        """The transaction id: BLAKE2b-256 of the binary form, 32 bytes."""
        return blake2b_256(self.encoded)

    def output_id(self, index: int) -> bytes:
        """The id of output `index`, 34 bytes."""
        return self.id + uint(index, 2)

    def signature_of(self, index: int) -> Ed25519Signature:
        """The signature that in the end unlocks input `index`, references followed."""
        unlock = self.unlocks[index]
        while not isinstance(unlock, SignatureUnlock):
            unlock = self.unlocks[unlock.reference]
        return unlock.signature

    def encode(self) -> bytes:
        """The binary form."""
        return self.encoded

    @classmethod
    def decode(cls, reader: Reader) -> Transaction:
        """Read the binary form."""
        start = reader.position
        reader.type(cls.TYPE, 4)
        essence = within("essence", lambda: TransactionEssence.decode(reader))
        count = reader.count(2, "unlocks", least=1, most=INPUTS_MAX)
        transaction = cls(essence, UNLOCKS.decode_each(reader, "unlocks", count))
        transaction.__dict__["encoded"] = reader.data[start : reader.position]
        return transaction

    def to_json(self) -> Json:
        """The JSON form."""
        return {
            "type": self.TYPE,
            "essence": self.essence.to_json(),
            "unlocks": [unlock.to_json() for unlock in self.unlocks],
        }

    @classmethod
    def from_json(cls, fields: Fields) -> Transaction:
        """Read the JSON form."""
        return cls(
            fields.nested("essence", TransactionEssence.from_json),
            fields.each("unlocks", UNLOCKS.from_json),
        )


def decode_optional_payload(reader: Reader, table: TypeTable[T]) -> T | None:
    """Read a payload after its uint32 length; length zero means there is none.

    Raises
    ------
    LengthOutOfRange : the payload does not take exactly the bytes that its length announces
    """
    size = reader.uint(4, "payload")
    if size == 0:
        return None
    start = reader.position
    payload = table.decode_field(reader, "payload")
    used = reader.position - start
    if used != size:
        raise LengthOutOfRange("payload", f"takes {used} bytes where its length says {size}")
    return payload


def check_chains(outputs: Iterable[Output]) -> None:
    """Raise Repeated where two outputs carry the state of one chain; a chain that is just created has none yet.

    The TIPs imply it; the libraries of the network refuse such a transaction by its form, and so do we.
    """
    seen: set[bytes] = set()
    for i, output in enumerate(outputs):
        if isinstance(output, ChainOutput):
            chain = output.explicit_id
            if chain in seen:
                raise Repeated(f"outputs[{i}]", "carries the state of a chain that an earlier output carries")
            if chain:
                seen.add(chain)


def check_token_count(outputs: Iterable[Output]) -> None:
    """Raise CountOutOfRange where `outputs` hold more than 64 different native tokens together (TIP-20)."""
    found = {token.token_id for output in outputs for token in output.native_tokens}
    if len(found) > NATIVE_TOKENS_MAX:
        raise CountOutOfRange(
            "outputs", f"must hold at most {NATIVE_TOKENS_MAX} different native tokens, not {len(found)}"
        )


def inputs_commitment(outputs: Iterable[Output]) -> bytes:
    """BLAKE2b-256 over the hashes of the consumed outputs, in order of the inputs (TIP-20)."""
    return blake2b_256(b"".join(blake2b_256(output.encode()) for output in outputs))


def check_transaction(transaction: Transaction, parameters: ProtocolParameters) -> None:
    """Raise unless the transaction is right by itself: network, deposits, sum of amounts, signatures.

    TIP-20 counts the signature among the semantic checks; it needs nothing but the transaction, so a bad one is
    refused at the door and never costs the ledger anything.
    """
    essence = transaction.essence
    if essence.network_id != parameters.network_id:
        raise WrongNetwork(
            "essence.networkId", f"is {essence.network_id}, this network is {parameters.network_id}"
        )
    numbered("essence.outputs", lambda output: check_deposit(output, parameters), essence.outputs)
    total = sum(output.amount for output in essence.outputs)
    if total > parameters.token_supply:
        raise AmountOutOfRange("essence.outputs", f"sum to {total}, more than the supply")
    for i, unlock in enumerate(transaction.unlocks):
        if isinstance(unlock, SignatureUnlock):
            signed = unlock.signature
            if not verify(signed.public_key, signed.signature, essence.hash):
                raise SignatureInvalid(f"unlocks[{i}].signature", "does not verify for the essence")
