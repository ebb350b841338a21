"""What the command line itself refuses, and the exit code of everything that can go wrong.

    TangleError
    └── CliError
        ├── FileUnreadable            a file that was named cannot be read
        ├── FileUnwritable            a file that was named cannot be written
        ├── DatabaseUnusable          it cannot be opened, read or written
        ├── NothingToAudit            there is no database
        ├── NothingFound              the node answered, and it is not there
        ├── NotFunded                 nothing has come from the faucet
        ├── InvalidValue              an argument or option that means nothing here
        ├── NotHeld, Ambiguous        a name that stands for nothing, or for several things, of the wallet
        ├── ChannelTaken              the name of a new channel's file is taken
        ├── ChannelBroken             a channel is not whole
        ├── ConfirmationNeeded        something that cannot be undone, and nobody is there to be asked
        ├── NotConfirmed              the answer was no
        ├── SweepFailed               runs of a sweep failed
        └── WalletError
            ├── WalletMissing, WalletExists, WalletExposed, WalletMalformed, WalletUnwritable
            └── PasswordNeeded, WrongPassword

Exit codes and error codes are part of the interface: they never change meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from tangle.errors import TangleError
from tangle.protocol.errors import AttachError, ProtocolError


class ExitCode(IntEnum):
    """What a process tells the one that started it."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    REFUSED = 5
    INSUFFICIENT_FUNDS = 6
    WALLET = 7
    NOT_INCLUDED = 8
    PORT = 9
    DATA = 10
    AUDIT = 11
    CHANNEL = 12
    SIMULATION = 13
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed for a reason not listed here; the message says which",
    ExitCode.USAGE: "wrong options or arguments",
    ExitCode.UNREACHABLE: "no node answers at the URL",
    ExitCode.NOT_FOUND: "the node does not know it, or the wallet does not hold it",
    ExitCode.REFUSED: "a rule is broken, found here or by the node; the message names it",
    ExitCode.INSUFFICIENT_FUNDS: "the wallet holds too little",
    ExitCode.WALLET: "the wallet file cannot be used or made, or its password is wrong",
    ExitCode.NOT_INCLUDED: "sent, but conflicting, or nothing decided in the time given",
    ExitCode.PORT: "cannot listen on the address or port, most often because another program does",
    ExitCode.DATA: "the data directory does not fit: other network, unknown revision, keys missing, in use",
    ExitCode.AUDIT: "the ledger does not add up",
    ExitCode.CHANNEL: "a channel cannot be written or read on: in use, revoked, waiting, or not whole",
    ExitCode.SIMULATION: "runs of a sweep failed, a result is damaged, no cluster answers, or nothing to replay",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}
"""one sentence each, for `--help` and the documentation"""


class CliError(TangleError):
    """Base of what only the command line can find wrong."""

    code = "cli"


class FileUnwritable(CliError):
    """A file that was named cannot be written."""

    code = "file_unwritable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class FileUnreadable(CliError):
    """A file that was named cannot be read."""

    code = "file_unreadable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class DatabaseUnusable(CliError):
    """The database cannot be opened, read or written."""

    code = "database_unusable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the database cannot be used: {self.reason}"


class NothingToAudit(CliError):
    """The data directory holds no database."""

    code = "no_network"

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.data = data

    def __str__(self) -> str:
        return f"there is no database in {self.data}; name the data directory with --data"


class NothingFound(CliError):
    """The node answered, and it holds no such thing."""

    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"the node does not know {self.what}"


class NotFunded(CliError):
    """The faucet took a request, and nothing has come."""

    code = "not_funded"

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"nothing came from the faucet within {self.seconds:g} s; it may still come"


class InvalidValue(CliError):
    """An argument or option that means nothing here.

    Attributes
    ----------
    field : its name as the command's help writes it, or the path inside a file
    rule : what it must be
    """

    code = "invalid_value"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.field = field
        self.rule = rule

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class NotHeld(CliError):
    """A name that stands for nothing in the wallet."""

    code = "not_held"

    def __init__(self, field: str, kind: str, text: str) -> None:
        super().__init__(field, kind, text)
        self.field = field
        self.kind = kind
        self.text = text

    def __str__(self) -> str:
        return f"{self.field}: the wallet holds no {self.kind} that is called {self.text!r}"


class Ambiguous(CliError):
    """A name that stands for several things in the wallet.

    Attributes
    ----------
    candidates : what it may stand for, each told by its id
    """

    code = "ambiguous"

    def __init__(self, field: str, kind: str, text: str, candidates: Sequence[str]) -> None:
        super().__init__(field, kind, text, candidates)
        self.field = field
        self.kind = kind
        self.text = text
        self.candidates = candidates

    def __str__(self) -> str:
        listed = ", ".join(self.candidates)
        return f"{self.field}: {self.text!r} stands for more than one {self.kind}: {listed}; name it by its id"


class ChannelTaken(CliError):
    """A new channel is to be kept in a file that is there already."""

    code = "channel_exists"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} is there already, and a channel is never overwritten; name another file"


class ChannelBroken(CliError):
    """A channel of which messages are missing, forked or not proven.

    Attributes
    ----------
    faults : what is wrong, for people
    """

    code = "channel_broken"

    def __init__(self, faults: str) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return f"the channel is not whole: {self.faults}"


class ConfirmationNeeded(CliError):
    """Something that cannot be undone, and nobody is there to be asked."""

    code = "confirmation_needed"

    def __str__(self) -> str:
        return "this cannot be undone, and nobody is there to be asked; confirm with --yes"


class NotConfirmed(CliError):
    """The answer was no."""

    code = "not_confirmed"

    def __str__(self) -> str:
        return "not confirmed; nothing was done"


class SweepFailed(CliError):
    """Runs of a sweep failed; the others are kept.

    Attributes
    ----------
    failed, runs : how many of how many
    first : what is wrong with the first of them
    place : the sweep's directory
    """

    code = "sweep_failed"

    def __init__(self, failed: int, runs: int, first: str, place: str) -> None:
        super().__init__(failed, runs, first, place)
        self.failed = failed
        self.runs = runs
        self.first = first
        self.place = place

    def __str__(self) -> str:
        return f"{self.failed} of {self.runs} runs failed, the first with {self.first}"


class WalletError(CliError):
    """Base of what can be wrong with the wallet file."""

    code = "wallet"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class WalletMissing(WalletError):
    """There is no wallet file."""

    code = "wallet_missing"

    def __str__(self) -> str:
        return (
            f"there is no wallet at {self.path}; make one with `tangle wallet new` or name another with --wallet"
        )


class WalletExists(WalletError):
    """A wallet file is there already."""

    code = "wallet_exists"

    def __str__(self) -> str:
        return f"there is a wallet at {self.path} already, and it is never overwritten; name another with --wallet"


class WalletExposed(WalletError):
    """Others on this machine may read the wallet file."""

    code = "wallet_exposed"

    def __str__(self) -> str:
        return f"others may read the wallet {self.path}; close it with `chmod 600 {self.path}`"


class WalletMalformed(WalletError):
    """The file is not a wallet that this version understands."""

    code = "wallet_malformed"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} is not a wallet: {self.reason}"


class WalletUnwritable(WalletError):
    """The wallet file cannot be made."""

    code = "wallet_unwritable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"the wallet {self.path} cannot be written: {self.reason}"


class PasswordNeeded(WalletError):
    """The wallet file is encrypted, or shall be, and nobody is there to be asked."""

    code = "password_needed"

    def __str__(self) -> str:
        return f"the wallet {self.path} needs a password; set TANGLE_WALLET_PASSWORD or run in a terminal"


class WrongPassword(WalletError):
    """The password does not open the wallet file."""

    code = "wrong_password"

    def __str__(self) -> str:
        return f"the password does not open the wallet {self.path}"


_EXIT_OF: dict[str, ExitCode] = {
    "setting_invalid": ExitCode.USAGE,
    "file_unreadable": ExitCode.USAGE,
    "file_unwritable": ExitCode.USAGE,
    "invalid_value": ExitCode.USAGE,
    "ambiguous": ExitCode.USAGE,
    "confirmation_needed": ExitCode.USAGE,
    "node_unreachable": ExitCode.UNREACHABLE,
    "not_found": ExitCode.NOT_FOUND,
    "not_held": ExitCode.NOT_FOUND,
    "unknown_chain": ExitCode.NOT_FOUND,
    "unknown_token": ExitCode.NOT_FOUND,
    "unknown_input": ExitCode.NOT_FOUND,
    "invalid_mnemonic": ExitCode.REFUSED,
    "invalid_metadata": ExitCode.REFUSED,
    "remainder_too_small": ExitCode.REFUSED,
    "too_many_tokens": ExitCode.REFUSED,
    "supply_exceeded": ExitCode.REFUSED,
    "locked_until": ExitCode.REFUSED,
    "not_controlled": ExitCode.REFUSED,
    "not_empty": ExitCode.REFUSED,
    "output_pending": ExitCode.REFUSED,
    "insufficient_funds": ExitCode.INSUFFICIENT_FUNDS,
    "not_enough_tokens": ExitCode.INSUFFICIENT_FUNDS,
    "funds_too_scattered": ExitCode.INSUFFICIENT_FUNDS,
    "conflicting": ExitCode.NOT_INCLUDED,
    "not_included_in_time": ExitCode.NOT_INCLUDED,
    "not_funded": ExitCode.NOT_INCLUDED,
    "port_unusable": ExitCode.PORT,
    "keys_missing": ExitCode.DATA,
    "keys_unusable": ExitCode.DATA,
    "data_in_use": ExitCode.DATA,
    "data_unusable": ExitCode.DATA,
    "other_network": ExitCode.DATA,
    "unknown_revision": ExitCode.DATA,
    "database_damaged": ExitCode.DATA,
    "network_exists": ExitCode.DATA,
    "no_network": ExitCode.DATA,
    "network_lost": ExitCode.DATA,
    "unusable_network": ExitCode.DATA,
    "database_unusable": ExitCode.DATA,
    "audit_failed": ExitCode.AUDIT,
    "channel_exists": ExitCode.CHANNEL,
    "channel_in_use": ExitCode.CHANNEL,
    "no_channel": ExitCode.CHANNEL,
    "book_failed": ExitCode.CHANNEL,
    "channel_broken": ExitCode.CHANNEL,
    "not_yet_published": ExitCode.CHANNEL,
    "not_a_subscriber": ExitCode.CHANNEL,
    "access_revoked": ExitCode.CHANNEL,
    "bad_scenario": ExitCode.USAGE,
    "bad_sweep": ExitCode.USAGE,
    "bad_measure": ExitCode.USAGE,
    "bad_attack": ExitCode.SIMULATION,
    "bad_result": ExitCode.SIMULATION,
    "bad_replay": ExitCode.SIMULATION,
    "engine_missing": ExitCode.SIMULATION,
    "sweep_failed": ExitCode.SIMULATION,
}
"""by stable error code, so that looking one up loads no other room"""


HINTS: dict[str, str] = {
    "node_unreachable": "is the node running? `tangle up` starts one, --node names another",
    "port_unusable": "take another port with --port (0 picks a free one), or stop what listens there",
    "deposit_too_small": "an output has to pay for its place in the ledger",
    "insufficient_funds": "`tangle wallet fund` asks the node's faucet",
    "funds_too_scattered": "`tangle wallet consolidate` joins small outputs",
    "no_channel": "`tangle mam create` makes one, `tangle mam recover` makes it again from the seed",
    "not_yet_published": "`tangle mam publish --waiting` sends it later",
    "not_held": "`tangle wallet balance` lists what it holds",
    "sweep_failed": "`tangle sim sweep DIR` tries them again",
    "not_empty": "`tangle wallet accounts` lists aliases and their foundries",
}
"""what helps, for people, by stable error code"""


def exit_code(error: TangleError) -> ExitCode:
    """The exit code that tells of `error`."""
    found = _EXIT_OF.get(error.code)
    if found is not None:
        return found
    if isinstance(error, WalletError):
        return ExitCode.WALLET
    if isinstance(error, ProtocolError | AttachError):
        return ExitCode.REFUSED
    status = getattr(error, "status", None)
    if isinstance(status, int) and 400 <= status < 500:
        return ExitCode.NOT_FOUND if status == 404 else ExitCode.REFUSED
    return ExitCode.FAILED
