"""Everything a caller can have done wrong, as one tree with stable codes.

    TangleError
    ├── ProtocolError            input that breaks a rule of the wire format or of a payload
    │   ├── Malformed            the bytes or the JSON do not have the shape at all
    │   │   ├── UnexpectedEnd, TrailingBytes, UnknownType, MalformedJson
    │   │   └── UnknownMember, MalformedAddress
    │   ├── BlockTooLong
    │   ├── CountOutOfRange, LengthOutOfRange, AmountOutOfRange, IndexOutOfRange, TimeOutOfRange
    │   ├── NotSorted, Repeated
    │   ├── WrongNetwork, WrongProtocolVersion
    │   ├── ProofOfWorkTooLow
    │   ├── DepositTooSmall
    │   ├── SelfUnlock
    │   ├── UnlockMismatch, SignatureInvalid, LockInvalid
    │   ├── MilestoneInvalid
    │   └── ParameterInvalid
    ├── InvalidMnemonic, InvalidSeed      no keys come from these words or bytes
    └── AttachError              a sound block that does not fit the Tangle as it is now
        ├── UnknownParent, BelowMaxDepth, WaitingRoomFull, WindowFull
        └── MilestoneOutOfOrder

A code is part of the interface: it never changes meaning.
"""

from __future__ import annotations

from typing import Self

from tangle.errors import BrokenRule, Ending, TangleError


class ProtocolError(BrokenRule):
    """Input that breaks a rule."""

    code = "protocol"
    ending = Ending.REFUSED

    def inside(self, outer: str) -> Self:
        """Name the structure that holds the field; returns itself, for ``raise error.inside("essence")``."""
        joint = "" if self.field.startswith("[") or not self.field else "."
        self.field = f"{outer}{joint}{self.field}"
        return self


class Malformed(ProtocolError):
    """The input does not have the shape the format asks for."""

    code = "malformed"


class UnexpectedEnd(Malformed):
    """The bytes end inside a field."""

    code = "unexpected_end"

    def __init__(self, field: str, needed: int, remain: int) -> None:
        super().__init__(field, f"needs {needed} bytes, {remain} remain")
        self.args = (field, needed, remain)
        self.remain = remain


class TrailingBytes(Malformed):
    """Bytes remain after the last field."""

    code = "trailing_bytes"


class UnknownType(Malformed):
    """A type number that the table of this place does not hold."""

    code = "unknown_type"


class MalformedJson(Malformed):
    """A JSON value is missing or of the wrong kind."""

    code = "malformed_json"


class UnknownMember(Malformed):
    """A JSON object has a member that nothing here reads, such as one whose name is mistyped."""

    code = "unknown_member"


class MalformedAddress(Malformed):
    """A bech32 text that is no address, or of another network."""

    code = "malformed_address"


class BlockTooLong(ProtocolError):
    """More than 32,768 bytes (TIP-24)."""

    code = "block_too_long"


class CountOutOfRange(ProtocolError):
    """Too few or too many elements."""

    code = "count_out_of_range"


class LengthOutOfRange(ProtocolError):
    """Too few or too many bytes."""

    code = "length_out_of_range"


class AmountOutOfRange(ProtocolError):
    """An amount is zero or exceeds what bounds it: the supply, the output's amount, the tokens minted."""

    code = "amount_out_of_range"


class IndexOutOfRange(ProtocolError):
    """An index points beyond anything that can exist."""

    code = "index_out_of_range"


class TimeOutOfRange(ProtocolError):
    """A time is zero: a condition on time that is none (TIP-18)."""

    code = "time_out_of_range"


class NotSorted(ProtocolError):
    """Elements that must be in lexical or numerical order are not."""

    code = "not_sorted"


class Repeated(ProtocolError):
    """Elements that must be unique are not."""

    code = "repeated"


class WrongNetwork(ProtocolError):
    """The network id is not this network's."""

    code = "wrong_network"


class WrongProtocolVersion(ProtocolError):
    """The protocol version is not this network's."""

    code = "wrong_protocol_version"


class ProofOfWorkTooLow(ProtocolError):
    """The nonce does not reach the score that the network asks for (TIP-12)."""

    code = "pow_too_low"


class DepositTooSmall(ProtocolError):
    """An output holds less than its storage deposit (TIP-19)."""

    code = "deposit_too_small"
    hint = "an output has to pay for its place in the ledger"


class SelfUnlock(ProtocolError):
    """An alias or NFT that could be unlocked by itself alone, so never (TIP-18)."""

    code = "self_unlock"


class UnlockMismatch(ProtocolError):
    """Unlocks do not fit the inputs, or refer to what they must not (TIP-20)."""

    code = "unlock_mismatch"


class SignatureInvalid(ProtocolError):
    """A signature does not verify (TIP-14, ZIP-215 rules)."""

    code = "signature_invalid"


class LockInvalid(ProtocolError):
    """A lock or a witness without the right form, or one that leaves a secret to whoever sees it first."""

    code = "lock_invalid"


class MilestoneInvalid(ProtocolError):
    """A milestone breaks a rule of TIP-29: its signers, roots, parents or options."""

    code = "milestone_invalid"


class ParameterInvalid(ProtocolError):
    """A parameter of the network is of the wrong kind or outside its range (TIP-22)."""

    code = "parameter_invalid"


class InvalidMnemonic(TangleError):
    """Words that are no BIP-39 mnemonic. The words are not repeated: they may be nearly right."""

    code = "invalid_mnemonic"
    template = "not a mnemonic: {reason}"
    ending = Ending.NOT_POSSIBLE
    reason: str


class InvalidSeed(TangleError):
    """A seed of a length that no wallet of this format uses."""

    code = "invalid_seed"
    template = "a seed has 32 or 64 bytes, not {size}"
    size: int


class AttachError(TangleError):
    """A sound block that cannot be attached now."""

    code = "attach"
    template = "the block cannot be attached now"
    ending = Ending.REFUSED


class UnknownParent(AttachError):
    """A parent is not here and the caller did not want to wait for it."""

    code = "unknown_parent"
    template = "parents: block {block_id} is not known here"
    block_id: bytes


class BelowMaxDepth(AttachError):
    """A parent's past reaches further back than the below-max-depth rule allows."""

    code = "below_max_depth"
    template = (
        "parents: block {block_id} is below max depth "
        "(its past ends more than {depth} milestones back); ask for new tips"
    )
    block_id: bytes
    depth: int


class WaitingRoomFull(AttachError):
    """Too many bytes of blocks wait for parents already."""

    code = "waiting_room_full"
    template = "too many blocks wait for their parents; send the parents first or try again later"
    ending = Ending.UNAVAILABLE
    passes = True


class WindowFull(AttachError):
    """The window of unconfirmed blocks is full: no milestone has come for too long."""

    code = "window_full"
    template = "the window of blocks without a milestone is full; try again when milestones come"
    ending = Ending.UNAVAILABLE
    passes = True


class MilestoneOutOfOrder(AttachError):
    """A milestone that does not follow the latest one."""

    code = "milestone_out_of_order"
    template = "payload.index: milestone {index} does not follow; {expected} is expected next"
    index: int
    expected: int
