"""The witness: which inputs of a transaction are behind locks, the locks, and what fulfils them.

It is the data of the transaction's tagged-data payload under the tag `lock/1`. The proofs of a lock follow it
depth first. Whether a witness is well formed and all its signatures verify depends on the bytes of the transaction
alone (the network's id is among them), so every node comes to the same answer; one bad proof makes all of it none.
Whether what is shown fulfils the locks, the ledger says (`tangle.state.rules.locks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from tangle.protocol.errors import CountOutOfRange, LockInvalid, NotSorted, ProtocolError, SignatureInvalid
from tangle.protocol.locks.conditions import Condition, Threshold, Voucher
from tangle.protocol.locks.lock import LOCK_BYTES_MAX, Lock
from tangle.protocol.locks.proofs import CoSignature, PartsShown, Proof, VoucherShown
from tangle.protocol.locks.vouchers import co_signed, voucher_message
from tangle.protocol.parameters import INPUTS_MAX
from tangle.protocol.serial import Reader, blob, check_count, uint, within
from tangle.protocol.signatures import verify

WITNESS_TAG = b"lock/1"
WITNESS_VERSION = 1
SIGNATURES_MAX = 128
"""co-signatures and vouchers of a witness, as many as a transaction may have unlocks"""


class Shown(NamedTuple):
    """A condition, and what is shown for it."""

    condition: Condition
    proof: Proof


@dataclass(frozen=True, slots=True)
class Entry:
    """The lock of one input, and its conditions that are shown, depth first.

    Attributes
    ----------
    position : of the input
    """

    position: int
    lock: Lock
    shown: tuple[Shown, ...]

    def encode(self) -> bytes:
        """The binary form."""
        proofs = (proof.encode() for _, proof in self.shown)
        return b"".join((uint(self.position, 2), blob(self.lock.encoded, 2), *proofs))

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the binary form. Raises ProtocolError."""
        position = reader.uint(2, "input")
        lock = within("lock", lambda: Lock.decode(reader.blob(2, "", most=LOCK_BYTES_MAX)))
        return cls(position, lock, tuple(within("proof", lambda: list(_shown(lock.condition, reader)))))


@dataclass(frozen=True, slots=True)
class Witness:
    """Entries in order of their inputs, and a note of whoever made the transaction."""

    entries: tuple[Entry, ...]
    note: bytes = b""

    def encode(self) -> bytes:
        """The binary form: the data of a payload under `WITNESS_TAG`."""
        entries = (entry.encode() for entry in self.entries)
        head = uint(WITNESS_VERSION, 1) + uint(len(self.entries), 1)
        return b"".join((head, *entries, blob(self.note, 2)))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the binary form, all of it. Raises ProtocolError."""
        reader = Reader(data)
        version = reader.uint(1, "version")
        if version != WITNESS_VERSION:
            raise LockInvalid("version", f"must be {WITNESS_VERSION}, not {version}")
        count = check_count(reader.uint(1, "entries"), "entries", 1, INPUTS_MAX)
        entries: list[Entry] = []
        for i in range(count):
            entries.append(within(f"entries[{i}]", lambda: Entry.decode(reader)))
            if i and entries[i].position <= entries[i - 1].position:
                raise NotSorted(f"entries[{i}].input", "must be above that of the entry before")
        note = reader.blob(2, "note")
        reader.finish("witness")
        return cls(tuple(entries), note)


def verified_witness(data: bytes, bare: bytes, network_id: int, output_ids: Sequence[bytes]) -> Witness:
    """The witness in `data`, well formed and with all its signatures verified.

    Parameters
    ----------
    bare : the essence up to and with its outputs
    output_ids : that the inputs consume, in order (34 bytes each)

    Raises
    ------
    SignatureInvalid : a co-signature or a voucher does not verify
    LockInvalid : it has another form
    """
    try:
        witness = Witness.decode(data)
        _check(witness, co_signed(bare), network_id, output_ids)
    except (SignatureInvalid, LockInvalid):
        raise
    except ProtocolError as error:
        raise LockInvalid(error.field, error.rule) from None
    return witness


def _check(witness: Witness, digest: bytes, network_id: int, output_ids: Sequence[bytes]) -> None:
    last = witness.entries[-1].position
    if last >= len(output_ids):
        raise LockInvalid("entries", f"must name inputs below {len(output_ids)}, not {last}")
    left = SIGNATURES_MAX
    for i, entry in enumerate(witness.entries):
        for key, signature, message in _signatures(entry, digest, network_id, output_ids):
            if not left:
                raise CountOutOfRange("entries", f"must hold at most {SIGNATURES_MAX} signatures together")
            left -= 1
            if not verify(key, signature, message):
                raise SignatureInvalid(f"entries[{i}].proof", "holds a signature that does not verify")


def _signatures(
    entry: Entry, digest: bytes, network_id: int, output_ids: Sequence[bytes]
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Key, signature and message of whatever is signed in an entry."""
    for condition, proof in entry.shown:
        if isinstance(proof, CoSignature):
            yield proof.public_key, proof.signature, digest
        elif isinstance(proof, VoucherShown):
            assert isinstance(condition, Voucher)
            message = voucher_message(network_id, output_ids[entry.position], proof.cumulative)
            yield condition.key, proof.signature, message


def _shown(condition: Condition, reader: Reader) -> Iterator[Shown]:
    """Read the proof of a condition, and those of its parts that are shown."""
    proof = condition.PROOF.decode(reader)
    yield Shown(condition, proof)
    if isinstance(condition, Threshold):
        assert isinstance(proof, PartsShown)
        if proof.mask >> len(condition.parts):
            raise LockInvalid("mask", f"shows parts that are not there: {len(condition.parts)} are")
        for part in condition.shown(proof.mask):
            yield from _shown(part.condition, reader)
