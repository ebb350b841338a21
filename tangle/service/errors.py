"""What the running node refuses or cannot do.

TangleError
├── SettingInvalid           a setting is unknown or has a value it cannot have
├── SetupError               the node cannot be set up; the reason says what to do
│   ├── KeysMissing, KeysUnusable
│   ├── DataInUse, DataUnusable
│   ├── NetworkLost
│   └── PortUnusable
├── QueueFull, NotWritten, Rebuilding
├── PowDisabled, PowBusy
├── FaucetDisabled, FaucetBusy, FaucetEmpty, FaucetRequestPending, FaucetBalanceHigh, FaucetTooOften
├── OlderCopy                the database is older than what was signed
├── PositionInvalid          a position in the journal that means nothing here
│   └── PositionForeign, PositionAhead
├── TooBusy, TookTooLong, ReaderEnded
└── TooManyStreams
"""

from __future__ import annotations

from tangle.errors import Ending, TangleError


class SettingInvalid(TangleError):
    """A setting is unknown or has a value it cannot have."""

    code = "setting_invalid"
    template = "setting {name}: {reason}"
    ending = Ending.USAGE
    name: str
    reason: str


class SetupError(TangleError):
    """The node cannot be set up; the reason says what to do."""

    code = "setup"
    ending = Ending.DATA
    reason: str


class KeysMissing(SetupError):
    """The database holds a network whose keys are not in the data directory."""

    code = "keys_missing"


class KeysUnusable(SetupError):
    """The keys cannot be read, are open to others, or belong to another network."""

    code = "keys_unusable"


class DataInUse(SetupError):
    """Another process runs on this data directory."""

    code = "data_in_use"


class DataUnusable(SetupError):
    """The data directory cannot be made or written to."""

    code = "data_unusable"


class NetworkLost(SetupError):
    """A network was made here, and the database holds none."""

    code = "network_lost"


class OlderCopy(TangleError):
    """The database is an older copy: this node has signed later milestones."""

    code = "older_copy"
    template = (
        "the database ends with milestone {index}, and this node has signed up to {signed}: it is an older copy. "
        "Put the newest one back; or, if it is lost, go on from here with --accept-older-copy {index}: what came "
        "after is lost then, and whoever read it finds another history"
    )
    ending = Ending.DATA
    index: int
    signed: int


class PortUnusable(SetupError):
    """The address or port cannot be listened on."""

    code = "port_unusable"
    ending = Ending.PORT
    hint = "take another port with --port (0 picks a free one), or stop what listens there"


class QueueFull(TangleError):
    """More blocks wait for the writer than it may hold; none of this one was kept."""

    code = "queue_full"
    template = "too many blocks wait to be written; try again in a moment"
    ending = Ending.UNAVAILABLE
    passes = True


class NotWritten(TangleError):
    """The block could not be made durable; nothing of it was kept."""

    code = "not_written"
    template = "the block could not be written to the database; nothing of it was kept"
    ending = Ending.UNAVAILABLE
    passes = True


class Rebuilding(TangleError):
    """A write failed and the node's memory is not read again yet; whether the block was kept is not known."""

    code = "rebuilding"
    template = (
        "a write failed, and the node has to read its database again before it answers; whether the block was "
        "kept is not known yet. Send the same block again in a moment"
    )
    ending = Ending.UNAVAILABLE
    passes = True


class PowDisabled(TangleError):
    """The block has no nonce and the node does no proof of work."""

    code = "pow_disabled"
    template = "the block has no nonce, and this node does no proof of work: send a finished block"
    ending = Ending.UNAVAILABLE


class PowBusy(TangleError):
    """Too many requests wait for the node's proof of work."""

    code = "pow_busy"
    template = "too many requests wait for the node's proof of work"
    ending = Ending.UNAVAILABLE
    passes = True


class FaucetDisabled(TangleError):
    """This node has no faucet."""

    code = "faucet_disabled"
    template = "this node has no faucet"
    ending = Ending.NOT_OFFERED


class FaucetBusy(TangleError):
    """Too many requests wait for the faucet."""

    code = "faucet_busy"
    template = "too many requests wait for the faucet"
    ending = Ending.UNAVAILABLE
    passes = True


class FaucetRequestPending(TangleError):
    """A request for this address waits already."""

    code = "faucet_request_pending"
    template = "a request for this address waits already"
    ending = Ending.TOO_OFTEN


class FaucetBalanceHigh(TangleError):
    """The address holds enough already."""

    code = "faucet_balance_high"
    template = "this address holds {balance} base units; the faucet gives up to {most}"
    ending = Ending.TOO_OFTEN
    balance: int
    most: int


class FaucetTooOften(TangleError):
    """This client, or this address, was given as much as anybody within an hour."""

    code = "faucet_too_often"
    template = "the faucet gives to one {kind} {most} times in an hour; ask again in {minutes} minutes"
    ending = Ending.TOO_OFTEN
    kind: str
    most: int
    minutes: int


class FaucetEmpty(TangleError):
    """The faucet has given everything away."""

    code = "faucet_empty"
    template = "the faucet has nothing left to give; whoever runs this node may send it more"
    ending = Ending.NOT_OFFERED


class PositionInvalid(TangleError):
    """A position in the journal that means nothing in this one."""

    code = "position_invalid"
    ending = Ending.CONFLICT
    field: str


class PositionForeign(PositionInvalid):
    """The position was given by another journal."""

    code = "position_foreign"
    template = (
        "{field}: this position belongs to the journal {given!r:.40}, and this node's is {here!r}: its database "
        "was replaced, put back from a copy or made anew. What was read may differ from what is here; begin anew, "
        "without a position"
    )
    given: str
    here: str


class PositionAhead(PositionInvalid):
    """The position is beyond the newest event."""

    code = "position_ahead"
    template = (
        "{field}: {given} is beyond {last}, the newest there is, so this journal never gave it: the node's "
        "database was replaced, put back from a copy or made anew. Begin anew, without a position"
    )
    given: int
    last: int


class TooBusy(TangleError):
    """Too many dear questions wait for an answer, of all clients or of this one."""

    code = "too_busy"
    template = "too many questions wait for an answer"
    ending = Ending.UNAVAILABLE
    passes = True


class TookTooLong(TangleError):
    """The answer took more time than one may take."""

    code = "took_too_long"
    template = "the answer took longer than {limit_s} s; ask for less, or later"
    ending = Ending.UNAVAILABLE
    passes = True
    limit_s: float


class ReaderEnded(TangleError):
    """The process that was to answer has ended."""

    code = "reader_ended"
    template = "the process that was to answer has ended; try again"
    ending = Ending.UNAVAILABLE
    passes = True


class TooManyStreams(TangleError):
    """Too many event streams are open."""

    code = "too_many_streams"
    ending = Ending.UNAVAILABLE
    passes = True
    reason: str
