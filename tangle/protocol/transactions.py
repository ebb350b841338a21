"""Transactions: inputs consumed, outputs created, signed (TIP-20).

The id of a transaction is the hash of its payload, signatures included; an output's id is that id and its index.
The inputs commitment binds the signature to the contents of the consumed outputs, not only to their ids.
Whether the inputs exist and are unspent is the ledger's question, asked when a milestone confirms the block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, ClassVar, Self

from tangle.protocol.codec import Kept, Wire
from tangle.protocol.errors import (
    AmountOutOfRange,
    CountOutOfRange,
    IndexOutOfRange,
    LengthOutOfRange,
    ProtocolError,
    Repeated,
    SignatureInvalid,
    UnlockMismatch,
    WrongNetwork,
)
from tangle.protocol.fields import HASH, UInt
from tangle.protocol.locks import WITNESS_TAG, Witness, check_secrets, verified_witness
from tangle.protocol.outputs import OUTPUTS, ChainOutput, Output, check_deposit
from tangle.protocol.parameters import INPUTS_MAX, NATIVE_TOKENS_MAX, OUTPUTS_MAX, ProtocolParameters
from tangle.protocol.serial import blake2b_256, numbered, uint, within
from tangle.protocol.signatures import verify
from tangle.protocol.tables import Many, Maybe, Struct, TypeTable
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
    "check_witness",
    "inputs_commitment",
]

OUTPUT_ID_BYTES = 34
"""bytes of an output id: transaction id and uint16 index"""


@dataclass(frozen=True, slots=True)
class UtxoInput(Wire):
    """The output to consume: transaction id (32 bytes) and index below 128."""

    TYPE: ClassVar[int] = 0
    transaction_id: Annotated[bytes, HASH]
    index: Annotated[int, UInt(2, "transactionOutputIndex", most=OUTPUTS_MAX - 1, error=IndexOutOfRange)]

    @property
    def output_id(self) -> bytes:
        """34 bytes."""
        return self.transaction_id + uint(self.index, 2)

    @classmethod
    def of(cls, output_id: bytes) -> Self:
        """The input that consumes `output_id` (34 bytes)."""
        if len(output_id) != OUTPUT_ID_BYTES:
            raise LengthOutOfRange("outputId", f"must be {OUTPUT_ID_BYTES} bytes, not {len(output_id)}")
        return cls(output_id[:32], int.from_bytes(output_id[32:], "little"))


def check_inputs(name: str, inputs: Sequence[UtxoInput]) -> None:
    """Raise Repeated where an output is consumed twice."""
    if len(inputs) == 1:
        return
    seen: set[UtxoInput] = set()
    for i, consumed in enumerate(inputs):
        if consumed in seen:
            raise Repeated(f"{name}[{i}]", "consumes an output that an earlier input consumes")
        seen.add(consumed)


INPUTS: TypeTable[UtxoInput] = TypeTable("input", 1, [UtxoInput])
ESSENCE_PAYLOADS: TypeTable[TaggedData] = TypeTable("payload", 4, [TaggedData])


@dataclass(frozen=True)
class TransactionEssence(Kept):
    """The signed part of a transaction.

    Attributes
    ----------
    inputs : 1 to 128, unique
    inputs_commitment : 32 bytes, see `inputs_commitment`
    outputs : 1 to 128
    """

    TYPE: ClassVar[int] = 1
    network_id: Annotated[int, UInt(8)]
    inputs: Annotated[tuple[UtxoInput, ...], Many(INPUTS, 2, least=1, most=INPUTS_MAX, rule=check_inputs)]
    inputs_commitment: Annotated[bytes, HASH]
    outputs: Annotated[tuple[Output, ...], Many(OUTPUTS, 2, least=1, most=OUTPUTS_MAX)]
    payload: Annotated[TaggedData | None, Maybe(ESSENCE_PAYLOADS)] = None

    def rules(self) -> None:
        """Raise where two outputs carry one chain, or all hold more native tokens than one transaction may."""
        check_chains(self.outputs)
        check_token_count(self.outputs)

    @cached_property
    def hash(self) -> bytes:
        """What a signature unlock signs: BLAKE2b-256 of the binary form."""
        return blake2b_256(self.encoded)

    @property
    def bare(self) -> bytes:
        """The binary form up to and with the outputs, which a lock's co-signers sign."""
        rest = 4 + (len(self.payload.encode()) if self.payload else 0)
        return self.encoded[:-rest]

    def witness(self) -> Witness | None:
        """What it shows of locks, all signatures verified; None where it says nothing of them.

        Raises
        ------
        LockInvalid, SignatureInvalid
        """
        payload = self.payload
        if payload is None or payload.tag != WITNESS_TAG:
            return None
        ids = [consumed.output_id for consumed in self.inputs]
        return verified_witness(payload.data, self.bare, self.network_id, ids)


@dataclass(frozen=True)
class Transaction(Kept):
    """Outputs consumed and created: an essence and one unlock per input (TIP-20)."""

    TYPE: ClassVar[int] = 6
    TYPE_BYTES: ClassVar[int] = 4
    essence: Annotated[TransactionEssence, Struct(TransactionEssence)]
    unlocks: Annotated[tuple[Unlock, ...], Many(UNLOCKS, 2, least=1, most=INPUTS_MAX, counted=False)]

    def rules(self) -> None:
        """Raise UnlockMismatch unless there is an unlock per input, each naming what it may name."""
        if len(self.unlocks) != len(self.essence.inputs):
            rule = f"must hold one unlock per input: {len(self.essence.inputs)}, not {len(self.unlocks)}"
            raise UnlockMismatch("unlocks", rule)
        check_unlocks(self.unlocks)

    @cached_property
    def id(self) -> bytes:
        """The transaction id: BLAKE2b-256 of the binary form, 32 bytes."""
        return blake2b_256(self.encoded)

    @cached_property
    def witness(self) -> Witness | None:
        """What it shows of locks; a bad witness is none. Verified once, as long as the object is in memory."""
        try:
            return self.essence.witness()
        except ProtocolError:
            return None

    def output_id(self, index: int) -> bytes:
        """The id of output `index`, 34 bytes."""
        return self.id + uint(index, 2)

    def signature_of(self, index: int) -> Ed25519Signature:
        """The signature that in the end unlocks input `index`, references followed."""
        unlock = self.unlocks[index]
        while not isinstance(unlock, SignatureUnlock):
            unlock = self.unlocks[unlock.reference]
        return unlock.signature


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


def check_witness(transaction: Transaction) -> None:
    """Raise where a payload that is meant as a witness is none, or a lock in it leaves a secret to anybody.

    No rule of a block: to the ledger a bad witness is no witness, so that nodes of different age never disagree
    about a block. Whoever posts one is better told at once.

    Raises
    ------
    LockInvalid, SignatureInvalid
    """
    witness = transaction.witness
    if witness is None:
        within("essence.payload", transaction.essence.witness)
        return
    for i, entry in enumerate(witness.entries):
        within(f"essence.payload.entries[{i}]", partial(check_secrets, entry.lock))
