"""What a word on the command line stands for: a token, an NFT or an alias of the wallet.

An id, its beginning, its beginning and end around an ellipsis, a symbol or a name will do where only one thing
fits. Symbols and names are given by whoever made the token, and anybody can send a token of the same name; so
where two fit, neither is taken, and a name that fits exactly comes before one that only begins so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tangle.cli.errors import Ambiguous, InvalidValue, NotHeld
from tangle.client.wallet.metadata import Irc30
from tangle.client.wallet.wallet import Balance
from tangle.protocol.serial import to_hex
from tangle.terminal.text import printable

CHAIN_ID_BYTES = 32
"""of an alias or NFT; TIP-18"""
TOKEN_ID_BYTES = 38
"""of a foundry and its tokens; TIP-18"""
SHORT_DIGITS = 8
"""hexadecimal digits of an id that are shown at least"""
END_DIGITS = 10
"""those of a foundry's number and token scheme at the end of its id; TIP-18"""
LISTED_MAX = 8
"""candidates that an error names"""


@dataclass(frozen=True)
class Named:
    """Something of the wallet and what it is called.

    Attributes
    ----------
    kind : ``token``, ``NFT`` or ``alias``, and ``foundry`` where the token's source is meant
    names : symbol and name, as far as there are
    """

    kind: str
    id: bytes
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        called = f" ({', '.join(printable(name, 30) for name in self.names)})" if self.names else ""
        return f"{self.kind} {to_hex(self.id)}{called}"


@dataclass(frozen=True)
class Token:
    """A token that a command is about."""

    token_id: bytes
    about: Irc30 | None

    @property
    def symbol(self) -> str | None:
        """The token's ticker."""
        return self.about.symbol if self.about else None

    @property
    def decimals(self) -> int | None:
        """Places by which people move the decimal point."""
        return self.about.decimals if self.about else None


def find(text: str, field: str, kind: str, candidates: Iterable[Named], *, sizes: Sequence[int]) -> Named:
    """What `text` stands for.

    Parameters
    ----------
    kind : what is looked for, for errors
    sizes : bytes of a whole id; a whole one need not be among the candidates, since the ledger knows more

    Raises
    ------
    NotHeld, Ambiguous : nothing fits, or several things
    InvalidValue : an id that is longer than any
    """
    known = list({named.id: named for named in candidates}.values())
    if text.lower().startswith("0x"):
        return _by_id(text.lower().replace("...", "…"), field, kind, known, sizes)
    for fits in (_same, _same_letters, _begins):
        found = [named for named in known if any(fits(name, text) for name in named.names)]
        if found:
            return _one(found, field, kind, text)
    raise NotHeld(field, kind, text)


def token(text: str, field: str, held: Balance) -> Token:
    """A token of the wallet, or of one of its foundries."""
    found = find(text, field, "token", _tokens(held), sizes=[TOKEN_ID_BYTES])
    return Token(found.id, about_tokens(held).get(found.id))


def nft(text: str, field: str, held: Balance) -> Named:
    """An NFT of the wallet."""
    return find(text, field, "NFT", _nfts(held), sizes=[CHAIN_ID_BYTES])


def alias(text: str, field: str, held: Balance) -> Named:
    """An alias of the wallet."""
    return find(text, field, "alias", _aliases(held), sizes=[CHAIN_ID_BYTES])


def issuer(text: str, field: str, held: Balance) -> Named:
    """An alias or NFT of the wallet."""
    return find(text, field, "alias or NFT", [*_aliases(held), *_nfts(held)], sizes=[])


def foundry_or_alias(text: str, field: str, held: Balance) -> Named:
    """A foundry or alias of the wallet; the kind of the answer says which."""
    foundries = [Named("foundry", one.token_id, _names(one.metadata)) for one in held.foundries]
    return find(text, field, "foundry or alias", [*foundries, *_aliases(held)], sizes=[])


def about_tokens(held: Balance) -> dict[bytes, Irc30 | None]:
    """Token id -> what its foundry says, for all tokens that the wallet holds or makes."""
    made = {one.token_id: one.metadata for one in held.foundries}
    return made | {one.token_id: one.metadata for one in held.tokens}


def short(chain_id: bytes, others: Iterable[bytes]) -> str:
    """As much of an id as tells it from `others`, and as `find` takes it; the whole where that saves little.

    Tokens of one alias begin alike and differ in their foundries' numbers, so the end is shown where needed.
    """
    text = to_hex(chain_id)
    rivals = [to_hex(other) for other in others if other != chain_id]
    for beginning, end in ((SHORT_DIGITS, 0), (SHORT_DIGITS, END_DIGITS), (2 * SHORT_DIGITS, END_DIGITS)):
        shown = f"{text[: 2 + beginning]}…{text[len(text) - end :]}"
        if not any(_abbreviates(shown, rival) for rival in rivals):
            return shown
    return text


def _tokens(held: Balance) -> list[Named]:
    return [Named("token", token_id, _names(about)) for token_id, about in about_tokens(held).items()]


def _nfts(held: Balance) -> list[Named]:
    return [Named("NFT", one.nft_id, (one.name,) if one.name else ()) for one in held.nfts]


def _aliases(held: Balance) -> list[Named]:
    return [Named("alias", one.alias_id) for one in held.aliases]


def _names(about: Irc30 | None) -> tuple[str, ...]:
    return (about.symbol, about.name) if about else ()


def _by_id(text: str, field: str, kind: str, known: list[Named], sizes: Sequence[int]) -> Named:
    if not re.fullmatch(r"0x[0-9a-f]+(…[0-9a-f]*)?", text):
        raise InvalidValue(field, f"must be 0x and hexadecimal digits where it begins with 0x, not {text!r}")
    found = [named for named in known if _abbreviates(text, to_hex(named.id))]
    if not found and len(text) in [2 + 2 * size for size in sizes]:
        return Named(kind, bytes.fromhex(text[2:]))
    if not found:
        raise NotHeld(field, kind, text)
    return _one(found, field, kind, text)


def _one(found: list[Named], field: str, kind: str, text: str) -> Named:
    if len(found) > 1:
        listed = [str(named) for named in found[:LISTED_MAX]]
        more = [f"and {len(found) - LISTED_MAX} more"] if len(found) > LISTED_MAX else []
        raise Ambiguous(field, kind, text, [*listed, *more])
    return found[0]


def _abbreviates(text: str, chain_id: str) -> bool:
    """Whether `text` is the beginning of an id, or its beginning and end around an ellipsis."""
    beginning, _, end = text.partition("…")
    return chain_id.startswith(beginning) and chain_id.endswith(end)


def _same(name: str, text: str) -> bool:
    return name == text


def _same_letters(name: str, text: str) -> bool:
    return name.casefold() == text.casefold()


def _begins(name: str, text: str) -> bool:
    return bool(text) and name.casefold().startswith(text.casefold())
