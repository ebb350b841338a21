"""Who a client is, and how much of what is counted one client may take.

A client is an address; in IPv6 a network of 64 bits, since so many addresses belong to one customer. This machine
itself may take three quarters: its programs are many and trusted, and still none of them shuts out everybody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

from tangle.api.problems import TooManyOfClient

HERE = "this machine"
_KEPT = 4_096
"""addresses whose client is kept"""


@lru_cache(_KEPT)
def client_of(host: str) -> str:
    """The client behind an address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return HERE
    return str(IPv6Network((int(address), 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def client_behind(scope: Scope) -> str:
    """The client of a request: the forwarded one, where a trusted proxy brought it."""
    client: tuple[str, int] | None = scope.get("client")
    return client_of(client[0] if client else "")


def share_of(client: str, each: int, every: int) -> int:
    """How many of `every` one client may take, where others may take `each`."""
    return max(1, every * 3 // 4) if client == HERE else min(each, every)


class Seats:
    """Places that clients take one by one.

    Parameters
    ----------
    what : that is counted, as an error names it
    each, every : how many one client may take, and all together
    """

    def __init__(self, what: str, each: int, every: int) -> None:
        self._what = what
        self._each = each
        self._every = every
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """Take a place for a while. Raises TooManyOfClient."""
        most = share_of(client, self._each, self._every)
        if self._taken[client] >= most:
            raise TooManyOfClient(f"one client may have {most} {self._what} at a time")
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]
