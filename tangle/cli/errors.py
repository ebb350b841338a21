"""What the command line itself refuses.

    TangleError
    └── CliError
        ├── FileUnreadable            a file that was named cannot be read
        ├── FileUnwritable            a file that was named cannot be written
        ├── OutputFailed              standard output does not take what was found
        ├── DatabaseUnusable          it cannot be opened, read or written
        ├── NotFunded                 nothing has come from the faucet
        ├── Undecided                 something is posted, and what became of it cannot be found out
        ├── InvalidValue              an argument or option that means nothing here
        ├── NotHeld, Ambiguous        a name that stands for nothing, or for several things, of the wallet
        ├── ChannelBroken             a channel is not whole
        ├── ConfirmationNeeded        something that cannot be undone, and nobody is there to be asked
        ├── NotConfirmed              the answer was no
        ├── SweepFailed               runs of a sweep failed
        └── WalletFileError
            ├── WalletMissing, WalletExists, WalletExposed, WalletMalformed, WalletUnwritable
            └── PasswordNeeded, WrongPassword

Codes are part of the interface: they never change meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tangle.errors import BrokenRule, Ending, TangleError


class CliError(TangleError):
    """Base of what only the command line can find wrong."""

    code = "cli"


class FileUnwritable(CliError):
    """A file that was named cannot be written."""

    code = "file_unwritable"
    template = "{path}: {reason}"
    ending = Ending.USAGE
    path: Path
    reason: str


class OutputFailed(CliError):
    """Standard output does not take what was found."""

    code = "output_failed"
    template = "what there is to tell cannot be written to standard output: {reason}"
    reason: str


class FileUnreadable(CliError):
    """A file that was named cannot be read."""

    code = "file_unreadable"
    template = "{path}: {reason}"
    ending = Ending.USAGE
    path: Path
    reason: str


class DatabaseUnusable(CliError):
    """The database cannot be opened, read or written."""

    code = "database_unusable"
    template = "the database cannot be used: {reason}"
    ending = Ending.DATA
    reason: str


class NotFunded(CliError):
    """The faucet took a request, and nothing has come."""

    code = "not_funded"
    template = "nothing came from the faucet within {seconds:g} s; it may still come"
    ending = Ending.NOT_INCLUDED
    passes = True
    seconds: float


class Undecided(CliError):
    """A transaction is posted, and what became of it cannot be found out now."""

    code = "undecided"
    template = (
        "transaction {transaction_id} is posted in block {block_id}, and whether the ledger takes it is not known "
        "yet: {reason}"
    )
    ending = Ending.NOT_INCLUDED
    passes = True
    hint = "`tangle wallet history` tells; do not send again before"
    transaction_id: bytes
    block_id: bytes
    reason: str


class InvalidValue(BrokenRule, CliError):
    """An argument or option that means nothing here; `field` is its name as the command's help writes it."""

    code = "invalid_value"
    ending = Ending.USAGE


class NotHeld(CliError):
    """A name that stands for nothing in the wallet."""

    code = "not_held"
    template = "{field}: the wallet holds no {kind} that is called {text!r}"
    ending = Ending.NOT_HELD
    hint = "`tangle wallet balance` lists what it holds"
    field: str
    kind: str
    text: str


class Ambiguous(CliError):
    """A name that stands for several things in the wallet.

    Attributes
    ----------
    candidates : what it may stand for, each told by its id
    """

    code = "ambiguous"
    template = "{field}: {text!r} stands for more than one {kind}: {listed}; name it by its id"
    ending = Ending.USAGE
    field: str
    kind: str
    text: str
    candidates: Sequence[str]

    @property
    def listed(self) -> str:
        """The candidates as a message tells them."""
        return ", ".join(self.candidates)


class ChannelBroken(CliError):
    """A channel of which messages are missing, forked or not proven.

    Attributes
    ----------
    faults : what is wrong, for people
    """

    code = "channel_broken"
    template = "the channel is not whole: {faults}"
    ending = Ending.CHANNEL
    faults: str


class ConfirmationNeeded(CliError):
    """Something that cannot be undone, and nobody is there to be asked."""

    code = "confirmation_needed"
    template = "this cannot be undone, and nobody is there to be asked; confirm with --yes"
    ending = Ending.USAGE


class NotConfirmed(CliError):
    """The answer was no."""

    code = "not_confirmed"
    template = "not confirmed; nothing was done"


class SweepFailed(CliError):
    """Runs of a sweep failed; the others are kept.

    Attributes
    ----------
    failed, runs : how many of how many
    first : what is wrong with the first of them
    place : the sweep's directory
    """

    code = "sweep_failed"
    template = "{failed} of {runs} runs failed, the first with {first}"
    ending = Ending.SIMULATION
    hint = "`tangle sim sweep DIR` tries them again"
    failed: int
    runs: int
    first: str
    place: str


class WalletFileError(CliError):
    """Base of what can be wrong with the wallet file."""

    code = "wallet_file"
    ending = Ending.WALLET
    path: Path


class WalletMissing(WalletFileError):
    """There is no wallet file."""

    code = "wallet_missing"
    template = "there is no wallet at {path}; make one with `tangle wallet new` or name another with --wallet"


class WalletExists(WalletFileError):
    """A wallet file is there already."""

    code = "wallet_exists"
    template = "there is a wallet at {path} already, and it is never overwritten; name another with --wallet"


class WalletExposed(WalletFileError):
    """Others on this machine may read the wallet file."""

    code = "wallet_exposed"
    template = "others may read the wallet {path}; close it with `chmod 600 {path}`"


class WalletMalformed(WalletFileError):
    """The file is not a wallet that this version understands."""

    code = "wallet_malformed"
    template = "{path} is not a wallet: {reason}"
    reason: str


class WalletUnwritable(WalletFileError):
    """The wallet file cannot be made."""

    code = "wallet_unwritable"
    template = "the wallet {path} cannot be written: {reason}"
    reason: str


class PasswordNeeded(WalletFileError):
    """The wallet file is encrypted, or shall be, and nobody is there to be asked."""

    code = "password_needed"
    template = "the wallet {path} needs a password; set TANGLE_WALLET_PASSWORD or run in a terminal"


class WrongPassword(WalletFileError):
    """The password does not open the wallet file."""

    code = "wrong_password"
    template = "the password does not open the wallet {path}"
