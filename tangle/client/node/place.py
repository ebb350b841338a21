"""Where a node is: its URL, read once.

A password in it (`https://me:secret@host`) goes to the node in a header of its own, and nowhere else: what is
shown, logged or said in an error is the URL without it.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tangle.client.errors import NodeUnreachable

_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is.

    Attributes
    ----------
    url : scheme, host, port and path, without a slash at the end
    authorization : value of the header that names user and password; None where the URL holds none
    is_here : whether it is this machine
    needs_tls : whether it is asked over TLS
    """

    url: str
    authorization: str | None = field(repr=False)
    is_here: bool
    needs_tls: bool


def place_of(text: str) -> Place:
    """The place that a URL names. Raises NodeUnreachable for one that names none, in a sentence."""
    shown = without_password(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise NodeUnreachable(shown, f"its address is none: {error}") from None
    if parts.scheme not in {"http", "https"}:
        raise NodeUnreachable(shown, "its address must begin with http:// or https://")
    if port == 0:
        raise NodeUnreachable(shown, "its port must be 1 to 65535")
    _check_host(host, shown)
    signed_in = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        signed_in = "Basic " + b64encode(pair.encode()).decode()
    return Place(shown.rstrip("/"), signed_in, is_loopback(host), parts.scheme == "https")


def without_password(text: str) -> str:
    """A URL as it may be shown. A mistyped one may have its @ anywhere, so all before the last one goes."""
    return re.sub(r"^(\s*[a-z][a-z0-9+.-]*:/*).*@", r"\1", text, flags=re.IGNORECASE | re.DOTALL)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_host(host: str, shown: str) -> None:
    if ":" in host:
        # Brackets: urlsplit has checked that an address stands in them.
        return
    try:
        labels = host.removesuffix(".").encode("idna").decode().split(".")
    except UnicodeError as error:
        raise NodeUnreachable(shown, f"no host has such a name: {error}") from None
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise NodeUnreachable(shown, "no host has such a name")
