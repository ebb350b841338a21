"""Passwords and mnemonics, asked for in a terminal or taken from where a program puts them.

A secret never comes as an option: other users of the machine can read the arguments of every process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from tangle.cli.errors import PasswordNeeded
from tangle.cli.wallet import file as wallet_file

PASSWORD_VARIABLE = "TANGLE_WALLET_PASSWORD"  # noqa: S105 - the name of the variable, not a password
"""environment variable that holds the password where nobody can be asked"""


def mnemonic_of(path: Path) -> str:
    """The mnemonic of the wallet file, asking for its password when it is encrypted.

    Raises
    ------
    WalletError : see `tangle.cli.errors`
    """
    held = wallet_file.load(path)
    if isinstance(held, str):
        return held
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        _need_terminal(path)
        password = _ask("password of the wallet")
    return wallet_file.unseal(path, held, password)


def new_password(path: Path) -> str:
    """A password for a new wallet file, asked for twice. Raises PasswordNeeded."""
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        _need_terminal(path)
        password = _ask("new password", confirm=True)
    if not password:
        raise typer.BadParameter("the password is empty")
    return password


def read_mnemonic() -> str:
    """Words from standard input: asked for in a terminal, read to the end otherwise."""
    return _ask("mnemonic") if sys.stdin.isatty() else " ".join(sys.stdin.read().split())


def _need_terminal(path: Path) -> None:
    if not sys.stdin.isatty():
        raise PasswordNeeded(path)


def _ask(what: str, *, confirm: bool = False) -> str:
    return str(typer.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True))
