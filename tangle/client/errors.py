"""What can go wrong for a program that uses a node, as one tree with stable codes.

TangleError
└── ClientError
    ├── NodeUnreachable          no answer: refused, timed out, broken off
    ├── NodeError                the node answered with an error
    ├── UnexpectedAnswer         the node answered something that is not what the route promises
    ├── InvalidMetadata          metadata that breaks its schema (TIP-27, TIP-30)
    └── WalletError
        ├── InsufficientFunds, RemainderTooSmall, FundsTooScattered, UnknownInput
        ├── NotEnoughTokens, TooManyTokens, SupplyExceeded, UnknownToken
        ├── LockedUntil, NotControlled, NotEmpty, OutputPending, UnknownChain
        ├── Conflicting          the ledger refused the transaction for good
        └── NotIncludedInTime    nothing known either way yet
"""

from __future__ import annotations

from tangle.errors import TangleError

CONFLICT_REASONS: dict[int, str] = {
    1: "an input was already spent",
    2: "an input was already spent under the same milestone",
    3: "an input is not in the ledger",
    4: "inputs and outputs do not add up to the same amount",
    5: "a signature is invalid",
    6: "a timelock has not expired yet",
    7: "the native tokens are invalid",
    8: "a return amount is not fulfilled by the outputs",
    9: "an unlock does not unlock its input",
    10: "the inputs commitment does not match the inputs",
    11: "an output names a sender whose address is not unlocked",
    12: "the state transition of a chain is invalid",
    255: "the ledger refused it without a more precise reason",
}
"""conflict reason -> what it means; TIP-25, block metadata"""


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

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"no answer from {self.url}: {self.reason}"


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
    field: str | None = None


class UnexpectedAnswer(ClientError):
    """An answer that is not what the route promises: is this URL a node at all?"""

    code = "unexpected_answer"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.url} answered something unexpected: {self.reason}"


class InvalidMetadata(ClientError):
    """Metadata of a token or an NFT that breaks its schema (TIP-30, TIP-27).

    Attributes
    ----------
    field : path of the member, as in JSON
    rule : what it must be
    """

    code = "invalid_metadata"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.field = field
        self.rule = rule

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class WalletError(ClientError):
    """The wallet cannot do what it was asked."""

    code = "wallet"


class InsufficientFunds(WalletError):
    """Less is available than needed, in base units. Pending transactions hold their inputs back."""

    code = "insufficient_funds"

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(needed, available)
        self.needed = needed
        self.available = available

    def __str__(self) -> str:
        return f"{self.needed} base units are needed, {self.available} are available"


class RemainderTooSmall(WalletError):
    """What would remain is more than nothing and less than an output must hold (TIP-19), in base units."""

    code = "remainder_too_small"

    def __init__(self, remainder: int, least: int) -> None:
        super().__init__(remainder, least)
        self.remainder = remainder
        self.least = least

    def __str__(self) -> str:
        return (
            f"{self.remainder} base units would remain, which no output may hold: at least {self.least} are "
            f"needed; send {self.remainder} more, or at least {self.least - self.remainder} less"
        )


class FundsTooScattered(WalletError):
    """There is enough, but in more outputs than one transaction may consume. `Wallet.consolidate` helps."""

    code = "funds_too_scattered"

    def __init__(self, needed: int, reachable: int, inputs_max: int, unit: str = "base units") -> None:
        super().__init__(needed, reachable, inputs_max, unit)
        self.needed = needed
        self.reachable = reachable
        self.inputs_max = inputs_max
        self.unit = unit

    def __str__(self) -> str:
        return (
            f"{self.needed} {self.unit} are needed, but the {self.inputs_max} largest outputs hold only "
            f"{self.reachable}; consolidate first"
        )


class UnknownInput(WalletError):
    """An output this wallet was told to consume and cannot."""

    code = "unknown_input"

    def __init__(self, output_id: bytes, reason: str) -> None:
        super().__init__(output_id, reason)
        self.output_id = output_id
        self.reason = reason

    def __str__(self) -> str:
        return f"output 0x{self.output_id.hex()} cannot be consumed: {self.reason}"


class NotEnoughTokens(WalletError):
    """Fewer of a native token are available than needed. Pending transactions hold their inputs back."""

    code = "not_enough_tokens"

    def __init__(self, token_id: bytes, needed: int, available: int) -> None:
        super().__init__(token_id, needed, available)
        self.token_id = token_id
        self.needed = needed
        self.available = available

    def __str__(self) -> str:
        return f"{self.needed} of token 0x{self.token_id.hex()} are needed, {self.available} are available"


class TooManyTokens(WalletError):
    """The outputs that are needed hold more different native tokens than a transaction may touch (TIP-20)."""

    code = "too_many_tokens"

    def __init__(self, count: int, most: int) -> None:
        super().__init__(count, most)
        self.count = count
        self.most = most

    def __str__(self) -> str:
        return f"{self.count} different native tokens are involved, and a transaction may touch {self.most}"


class SupplyExceeded(WalletError):
    """More of a native token would circulate than its maximum supply, which never changes."""

    code = "supply_exceeded"

    def __init__(self, token_id: bytes, amount: int, possible: int) -> None:
        super().__init__(token_id, amount, possible)
        self.token_id = token_id
        self.amount = amount
        self.possible = possible

    def __str__(self) -> str:
        return (
            f"{self.amount} of token 0x{self.token_id.hex()} cannot be minted: its maximum supply leaves room for "
            f"{self.possible}"
        )


class UnknownToken(WalletError):
    """No foundry of this wallet mints the token, so it can neither mint nor melt it."""

    code = "unknown_token"

    def __init__(self, token_id: bytes) -> None:
        super().__init__(token_id)
        self.token_id = token_id

    def __str__(self) -> str:
        return f"token 0x{self.token_id.hex()}: no foundry that this wallet controls mints it"


class UnknownChain(WalletError):
    """An alias, NFT or foundry that this wallet does not hold.

    Attributes
    ----------
    kind : ``alias``, ``NFT`` or ``foundry``
    chain_id : its id, 32 or 38 bytes
    """

    code = "unknown_chain"

    def __init__(self, kind: str, chain_id: bytes) -> None:
        super().__init__(kind, chain_id)
        self.kind = kind
        self.chain_id = chain_id

    def __str__(self) -> str:
        return f"{self.kind} 0x{self.chain_id.hex()} is not held by this wallet"


class NotEmpty(WalletError):
    """An alias or NFT that owns outputs; when it ends, nobody can spend them ever again."""

    code = "not_empty"

    def __init__(self, kind: str, chain_id: bytes, count: int) -> None:
        super().__init__(kind, chain_id, count)
        self.kind = kind
        self.chain_id = chain_id
        self.count = count

    def __str__(self) -> str:
        return (
            f"{self.kind} 0x{self.chain_id.hex()} owns {self.count} outputs, which would be lost with it; move or "
            "end them first"
        )


class LockedUntil(WalletError):
    """An output that cannot be spent before a time (TIP-18, timelock).

    Attributes
    ----------
    unix_time : seconds since the Unix epoch
    """

    code = "locked_until"

    def __init__(self, output_id: bytes, unix_time: int) -> None:
        super().__init__(output_id, unix_time)
        self.output_id = output_id
        self.unix_time = unix_time

    def __str__(self) -> str:
        return f"output 0x{self.output_id.hex()} is locked until {self.unix_time}, in Unix seconds"


class OutputPending(WalletError):
    """An output that is needed and that a pending transaction of this wallet consumes; wait for that one first."""

    code = "output_pending"

    def __init__(self, output_id: bytes, transaction_id: bytes) -> None:
        super().__init__(output_id, transaction_id)
        self.output_id = output_id
        self.transaction_id = transaction_id

    def __str__(self) -> str:
        return (
            f"output 0x{self.output_id.hex()} is needed, and the pending transaction "
            f"0x{self.transaction_id.hex()} consumes it; wait until that one is in the ledger"
        )


class NotControlled(WalletError):
    """An address that must be unlocked and that this wallet cannot unlock.

    Attributes
    ----------
    address : 33 bytes, the serialized address
    field : what asks for it, such as ``sender``
    """

    code = "not_controlled"

    def __init__(self, address: bytes, field: str, reason: str = "no key of this wallet unlocks it") -> None:
        super().__init__(address, field, reason)
        self.address = address
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: address 0x{self.address.hex()}: {self.reason}"


class Conflicting(WalletError):
    """The ledger refused a transaction for good; its inputs are free again unless something else spent them.

    Attributes
    ----------
    transaction_id : 32 bytes
    reason : conflict reason of TIP-25, see `CONFLICT_REASONS`
    """

    code = "conflicting"

    def __init__(self, transaction_id: bytes, reason: int) -> None:
        super().__init__(transaction_id, reason)
        self.transaction_id = transaction_id
        self.reason = reason

    def __str__(self) -> str:
        text = CONFLICT_REASONS.get(self.reason, "a reason this client does not know")
        return f"transaction 0x{self.transaction_id.hex()} is conflicting ({self.reason}): {text}"


class NotIncludedInTime(WalletError):
    """Neither included nor conflicting within the time given; it may still become either."""

    code = "not_included_in_time"

    def __init__(self, block_id: bytes | None, seconds: float) -> None:
        super().__init__(block_id, seconds)
        self.block_id = block_id
        self.seconds = seconds

    def __str__(self) -> str:
        if self.block_id is None:
            return f"nothing could be posted within {self.seconds:g} s"
        return f"block 0x{self.block_id.hex()} was not referenced by a milestone within {self.seconds:g} s"
