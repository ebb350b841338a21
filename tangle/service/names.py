"""Names of others, as settings give them: origins of pages, names of hosts, addresses of proxies, a path in front.

Each is brought into the one form in which requests carry it, or refused with a sentence. A name that looks right
and matches nothing would be a setting that does nothing. Sources: RFC 6454 (origins), RFC 9110 section 4.2
(hosts), the HTML Living Standard on the origin `null`.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

EVERY = "*"
DEFAULT_PORTS = {"http": 80, "https": 443}
"""left out of an origin by browsers"""
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_PATH = re.compile(r"(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+")


def origin(text: str) -> str:
    """An origin as browsers send it: lower case, without a slash at the end or a port that goes without saying.

    Raises
    ------
    ValueError : it is none, with a sentence
    """
    if text == EVERY:
        return text
    parts = _split(text)
    scheme = parts.scheme.lower()
    if text.lower() == "null":
        raise ValueError("null is the origin of sandboxed pages of anybody and cannot be allowed")
    if not _SCHEME.fullmatch(scheme) or "://" not in text or not parts.hostname:
        raise ValueError(f"{text!r} is no origin: write scheme://host or scheme://host:port")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(
            f"{text!r} is more than an origin: write scheme://host or scheme://host:port, without a path"
        )
    host = host_name(parts.hostname, text)
    port = _port(parts, text)
    return f"{scheme}://{host}" + (f":{port}" if port and port != DEFAULT_PORTS.get(scheme) else "")


def host(text: str) -> str:
    """A name of a host as it stands in requests: lower case, without a port. Raises ValueError."""
    if text == EVERY:
        return text
    if "/" in text or "@" in text:
        raise ValueError(f"{text!r} is no host: write the name alone, such as node.example")
    if text.count(":") > 1 and not text.startswith("["):
        return host_name(text, text)
    parts = _split(f"//{text}")
    _port(parts, text)
    return host_name(parts.hostname or "", text)


def host_name(name: str, text: str) -> str:
    """`name`, found in `text`, in ASCII and lower case; addresses of IPv6 in brackets. Raises ValueError."""
    try:
        address = ip_address(name)
    except ValueError:
        pass
    else:
        return f"[{address}]" if address.version == 6 else str(address)
    try:
        plain = name.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        plain = ""
    if not _HOST.fullmatch(plain):
        raise ValueError(f"{text!r} names no host")
    return plain


def proxy(text: str) -> str:
    """The address of a proxy, or a network of them. Raises ValueError."""
    try:
        return str(ip_network(text) if "/" in text else ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is neither an address nor a network, such as 10.0.0.7 or 10.0.0.0/8") from None


def path_prefix(text: str) -> str:
    """The path that a proxy puts in front: a slash at its beginning, none at its end. Raises ValueError."""
    plain = "/" + text.strip("/") if text.strip("/") else ""
    if plain and not _PATH.fullmatch(plain):
        raise ValueError(f"{text!r} is no path such as /tangle")
    return plain


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        raise ValueError(f"{text!r} cannot be read: {error}") from None


def _port(parts: SplitResult, text: str) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError(f"{text!r} names no port from 0 to 65,535") from None
