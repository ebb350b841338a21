"""What can go wrong for a program that uses a node, as one tree with stable codes.

TangleError
└── ClientError
    ├── NodeUnreachable          no answer: refused, timed out, broken off
    │   └── AnswerLost           what was posted reached the node, its answer did not come back
    ├── NodeError                the node answered with an error
    │   └── JournalChanged       a position of ours belongs to another journal than the node has
    ├── UnexpectedAnswer         the node answered something that is not what the route promises
    ├── InvalidMetadata          metadata that breaks its schema (TIP-27, TIP-30)
    └── WalletError
        ├── WalletRefused        nothing that it holds fits, for the reason given
        ├── InsufficientFunds, RemainderTooSmall, FundsTooScattered, UnknownInput
        ├── NotEnoughTokens, TooManyTokens, SupplyExceeded, UnknownToken
        ├── LockedUntil, NotControlled, NotEmpty, OutputPending, UnknownChain
        ├── Conflicting          the ledger refused the transaction for good
        ├── NotIncludedInTime    nothing known either way yet
        └── PartlyDone           some transactions are in the ledger, a later one is not
"""

from __future__ import annotations

from tangle.errors import BrokenRule, Ending, TangleError
from tangle.protocol import conflicts


class ClientError(TangleError):
    """Base of all errors of this package."""

    code = "client"


class NodeUnreachable(ClientError):
    """The node gave no answer.

    Attributes
    ----------
    url : what was asked
    reason : what the connection said
    """

    code = "node_unreachable"
    template = "no answer from {url}: {reason}"
    ending = Ending.UNREACHABLE
    passes = True
    hint = "is the node running? `tangle up` starts one, --node names another"
    url: str
    reason: str


class AnswerLost(NodeUnreachable):
    """What was posted reached the node, and its answer did not come back: it may have been done."""

    code = "answer_lost"
    template = "no answer from {url}: {reason}; what was sent may have been done nevertheless"
    ending = Ending.NOT_INCLUDED
    hint = "look whether it was done before you try again"


class NodeError(ClientError):
    """The node refused a request or failed at it.

    Attributes
    ----------
    status : HTTP status
    code : the node's own code, such as ``pow_too_low``; where it gives none, its status as text
    message : one sentence from the node
    field : path of the offending field, where the node names one
    """

    template = "the node answered {status} ({code}): {message}"
    status: int
    code: str
    message: str
    field: str | None

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(status, code, message, field)
        self.ending = Ending.of_status(status)
        self.passes = status >= 500
        self.hint = next((kind.hint for kind in TangleError.kinds() if kind.code == code), "")


class JournalChanged(NodeError):
    """A position was given by another journal than the node has now; whoever goes on begins anew."""


class UnexpectedAnswer(ClientError):
    """An answer that is not what the route promises: is this URL a node at all?"""

    code = "unexpected_answer"
    template = "{url} answered something unexpected: {reason}"
    url: str
    reason: str


class InvalidMetadata(BrokenRule, ClientError):
    """Metadata of a token or an NFT that breaks its schema (TIP-30, TIP-27)."""

    code = "invalid_metadata"
    ending = Ending.NOT_POSSIBLE


class WalletError(ClientError):
    """The wallet cannot do what it was asked."""

    ending = Ending.NOT_POSSIBLE


class WalletRefused(WalletError):
    """Nothing that the wallet holds fits what was asked, for the reason given."""

    code = "wallet"
    ending = Ending.FAILED
    reason: str


class InsufficientFunds(WalletError):
    """Less is available than needed, in base units. Pending transactions hold their inputs back."""

    code = "insufficient_funds"
    template = "{needed} base units are needed, {available} are available"
    ending = Ending.INSUFFICIENT_FUNDS
    hint = "`tangle wallet fund` asks the node's faucet"
    needed: int
    available: int


class RemainderTooSmall(WalletError):
    """What would remain is more than nothing and less than an output must hold (TIP-19), in base units."""

    code = "remainder_too_small"
    template = (
        "{remainder} base units would remain, which no output may hold: at least {least} are "
        "needed; send {remainder} more, or at least {missing} less"
    )
    remainder: int
    least: int

    @property
    def missing(self) -> int:
        """Base units by which the remainder is too small."""
        return self.least - self.remainder


class FundsTooScattered(WalletError):
    """There is enough, but in more outputs than one transaction may consume. `Wallet.consolidate` helps."""

    code = "funds_too_scattered"
    template = (
        "{needed} {unit} are needed, but the {inputs_max} largest outputs hold only {reachable}; consolidate first"
    )
    ending = Ending.INSUFFICIENT_FUNDS
    hint = "`tangle wallet consolidate` joins small outputs"
    needed: int
    reachable: int
    inputs_max: int
    unit: str = "base units"


class UnknownInput(WalletError):
    """An output this wallet was told to consume and cannot."""

    code = "unknown_input"
    template = "output {output_id} cannot be consumed: {reason}"
    ending = Ending.NOT_HELD
    output_id: bytes
    reason: str


class NotEnoughTokens(WalletError):
    """Fewer of a native token are available than needed. Pending transactions hold their inputs back."""

    code = "not_enough_tokens"
    template = "{needed} of token {token_id} are needed, {available} are available"
    ending = Ending.INSUFFICIENT_FUNDS
    token_id: bytes
    needed: int
    available: int


class TooManyTokens(WalletError):
    """The outputs that are needed hold more different native tokens than a transaction may touch (TIP-20)."""

    code = "too_many_tokens"
    template = "{count} different native tokens are involved, and a transaction may touch {most}"
    count: int
    most: int


class SupplyExceeded(WalletError):
    """More of a native token would circulate than its maximum supply, which never changes."""

    code = "supply_exceeded"
    template = "{amount} of token {token_id} cannot be minted: its maximum supply leaves room for {possible}"
    token_id: bytes
    amount: int
    possible: int


class UnknownToken(WalletError):
    """No foundry of this wallet mints the token, so it can neither mint nor melt it."""

    code = "unknown_token"
    template = "token {token_id}: no foundry that this wallet controls mints it"
    ending = Ending.NOT_HELD
    token_id: bytes


class UnknownChain(WalletError):
    """An alias, NFT or foundry that this wallet does not hold.

    Attributes
    ----------
    kind : ``alias``, ``NFT`` or ``foundry``
    chain_id : its id, 32 or 38 bytes
    """

    code = "unknown_chain"
    template = "{kind} {chain_id} is not held by this wallet"
    ending = Ending.NOT_HELD
    kind: str
    chain_id: bytes


class NotEmpty(WalletError):
    """An alias or NFT that owns outputs; when it ends, nobody can spend them ever again."""

    code = "not_empty"
    template = "{kind} {chain_id} owns {count} outputs, which would be lost with it; move or end them first"
    hint = "`tangle wallet accounts` lists aliases and their foundries"
    kind: str
    chain_id: bytes
    count: int


class LockedUntil(WalletError):
    """An output that cannot be spent before a time (TIP-18, timelock).

    Attributes
    ----------
    unix_time : seconds since the Unix epoch
    """

    code = "locked_until"
    template = "output {output_id} is locked until {unix_time}, in Unix seconds"
    output_id: bytes
    unix_time: int


class OutputPending(WalletError):
    """An output that is needed and that a pending transaction of this wallet consumes; wait for that one first."""

    code = "output_pending"
    template = (
        "output {output_id} is needed, and the pending transaction "
        "{transaction_id} consumes it; wait until that one is in the ledger"
    )
    passes = True
    output_id: bytes
    transaction_id: bytes


class NotControlled(WalletError):
    """An address that must be unlocked and that this wallet cannot unlock.

    Attributes
    ----------
    address : 33 bytes, the serialized address
    field : what asks for it, such as ``sender``
    """

    code = "not_controlled"
    template = "{field}: address {address}: {reason}"
    address: bytes
    field: str
    reason: str = "no key of this wallet unlocks it"


class Conflicting(WalletError):
    """The ledger refused a transaction for good; its inputs are free again unless something else spent them.

    Attributes
    ----------
    transaction_id : 32 bytes
    reason : conflict reason of TIP-25, see `tangle.protocol.conflicts`
    """

    code = "conflicting"
    template = "transaction {transaction_id} is conflicting ({reason}): {meaning}"
    ending = Ending.NOT_INCLUDED
    transaction_id: bytes
    reason: int

    @property
    def meaning(self) -> str:
        """What the reason means."""
        return conflicts.meaning(self.reason)


class NotIncludedInTime(WalletError):
    """Neither included nor conflicting within the time given; it may still become either."""

    code = "not_included_in_time"
    template = "{what} within {seconds:g} s"
    ending = Ending.NOT_INCLUDED
    passes = True
    block_id: bytes | None
    seconds: float

    @property
    def what(self) -> str:
        """What did not happen in time."""
        if self.block_id is None:
            return "nothing could be posted"
        return f"block 0x{self.block_id.hex()} was not referenced by a milestone"


class PartlyDone(WalletError):
    """Some of several transactions are in the ledger, and a later one failed."""

    code = "partly_done"
    template = "{done} of the transactions are in the ledger; the next one failed: {reason}"
    ending = Ending.NOT_INCLUDED
    done: int
    reason: str
