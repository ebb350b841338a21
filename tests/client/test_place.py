"""URLs of nodes: what they name, what is shown of them, and what ends in a sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tangle.client import NodeClient
from tangle.client.errors import ClientError, NodeUnreachable
from tangle.client.node import once
from tangle.client.node.place import place_of, without_password


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:-1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:port",
        "http://" + "a" * 64,
        "http://a..b",
        "http://",
        "http://[::1",
        "http://me:s3cret@",
        "http://me:s3cret@host name",
        "http:/me:s3cret@host:1",
        "http://me:s3/cret@host:1",
        "ftp://me:s3cret@host",
        "localhost:14265",
        "",
        "\N{PILE OF POO}",
    ],
)
async def test_what_names_no_node_ends_in_a_sentence(text: str) -> None:
    for ask in (once.info, NodeClient):
        with pytest.raises(NodeUnreachable) as told:
            ask(text)
        assert "s3cret" not in str(told.value)


def test_a_name_of_another_alphabet_that_is_none() -> None:
    with pytest.raises(NodeUnreachable, match="xn--ls8h"):
        NodeClient("http://xn--ls8h.example")


@pytest.mark.parametrize(
    ("text", "url", "authorization"),
    [
        ("http://127.0.0.1:14265/", "http://127.0.0.1:14265", None),
        ("https://me:s%40x@host/node/", "https://host/node", "Basic bWU6c0B4"),
        ("https://me@host", "https://host", "Basic bWU6"),
        ("http://[::1]:1", "http://[::1]:1", None),
        ("https://bücher.example", "https://bücher.example", None),
    ],
)
def test_a_place_is_read_once(text: str, url: str, authorization: str | None) -> None:
    place = place_of(text)
    assert (place.url, place.authorization) == (url, authorization)
    assert without_password(text).rstrip("/") == url
    assert authorization is None or authorization not in repr(place)


class Asking(HTTPServer):
    """Keeps who asked, and answers with nothing."""

    signed_in: list[str | None]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Asking)
        self.server.signed_in.append(self.headers["authorization"])
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Asking]:
    with Asking(("127.0.0.1", 0), Handler) as asking:
        asking.signed_in = []
        thread = threading.Thread(target=asking.serve_forever)
        thread.start()
        yield asking
        asking.shutdown()
        thread.join()


async def test_a_password_goes_to_the_node_and_nowhere_else(server: Asking) -> None:
    url = f"http://me:s3cret@127.0.0.1:{server.server_port}"
    with pytest.raises(ClientError) as told:
        once.info(url)
    assert "s3cret" not in str(told.value)
    async with NodeClient(url) as node:
        assert "s3cret" not in repr(node)
        with pytest.raises(ClientError):
            await node.info()
    assert server.signed_in == ["Basic bWU6czNjcmV0"] * 2
