"""A node behind a real nginx, with TLS and a path in front: streams, links, redirects, pages."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tangle.protocol.tagged_data import TaggedData
from tests.nodes import BINARY, RunningNode, running_node
from tests.proxied.nginx import NAME, needs_nginx, nginx

pytestmark = needs_nginx
BLOCKS = "/api/core/v2/blocks"
PREFIXES = ("", "/tangle")
"""as nginx comes, with its own name for the node in Host; and as the documentation says"""


@dataclass(frozen=True)
class Proxied:
    """A node, and clients of the nginx in front of it by the path under which they reach the node."""

    node: RunningNode
    port: int
    room: Path

    def client(self) -> httpx.Client:
        """A client that trusts the certificate and asks by name."""
        context = ssl.create_default_context(cafile=self.room / "certificate.pem")
        headers = {"host": f"{NAME}:{self.port}"}
        return httpx.Client(base_url=self.url, verify=context, headers=headers, timeout=30, trust_env=False)

    @property
    def url(self) -> str:
        """Where nginx serves."""
        return f"https://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """A node that knows of its proxy."""
    room = tmp_path_factory.mktemp("nginx")
    known = {"root_path": "/tangle", "allowed_hosts": NAME, "trusted_proxies": "127.0.0.1"}
    with running_node(room / "data", **known) as node, nginx(room, node.url) as port:
        yield Proxied(node, port, room)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "path",
    ["/api/tangle/v1/events?types=solid", "/api/tangle/v1/events?details=true", "/api/tangle/v1/tags/0x61/events"],
)
def test_events_come_while_the_stream_is_open(proxied: Proxied, prefix: str, path: str) -> None:
    with proxied.client() as http, http.stream("GET", prefix + path) as stream:
        lines = stream.iter_lines()
        for number in range(2):
            block = proxied.node.attach(TaggedData(b"a", f"{prefix}{path}{number}".encode()))
            assert any(block.hex() in line for line in lines)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_blocks_are_posted_and_found_where_location_says(proxied: Proxied, prefix: str) -> None:
    block = proxied.node.finished(TaggedData(b"location", prefix.encode()))
    with proxied.client() as http:
        answer = http.post(prefix + BLOCKS, content=block.encoded, headers={"content-type": BINARY})
        assert answer.status_code == 201
        found = http.get(urljoin(f"{proxied.url}{prefix}{BLOCKS}", answer.headers["location"]))
        assert (found.status_code, found.headers["vary"]) == (200, "Accept")
        assert http.head(f"{prefix}{BLOCKS}/0x{block.id.hex()}").status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
def test_pages_and_all_that_they_name_are_there(proxied: Proxied, prefix: str) -> None:
    with proxied.client() as http:
        for page in ("/", "/channels", "/docs"):
            answer = http.get(prefix + page)
            assert answer.status_code == 200
            named = re.findall(r'(?:src|href)="([^"#]+)"', answer.text)
            named += re.findall(r"url: '([^']+)'", answer.text)
            assert len(named) > 3
            for name in named:
                found = urljoin(f"{proxied.url}{prefix}{page}", name)
                assert found.startswith(f"{proxied.url}{prefix}/")
                assert http.get(found).status_code == 200, found
        document = http.get(f"{prefix}/openapi.json").json()
        assert document["servers"] == [{"url": "/tangle"}]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_redirects_stay_where_the_client_is(proxied: Proxied, prefix: str) -> None:
    with proxied.client() as http:
        for path in ("/docs/", "/channels/", "/health/"):
            answer = http.get(prefix + path)
            assert answer.status_code == 307
            target = urljoin(f"{proxied.url}{prefix}{path}", answer.headers["location"])
            assert target == f"{proxied.url}{prefix}{path[:-1]}"


def test_a_page_of_the_node_writes_through_the_proxy_and_a_strangers_does_not(proxied: Proxied) -> None:
    own = f"https://{NAME}:{proxied.port}"
    for prefix in PREFIXES:
        for origin, site, status in ((own, "same-origin", 400), ("https://evil.example", "cross-site", 403)):
            headers = {"origin": origin, "sec-fetch-site": site, "content-type": BINARY}
            with proxied.client() as http:
                assert http.post(prefix + BLOCKS, content=b"x", headers=headers).status_code == status


def test_a_name_that_is_not_the_nodes_is_refused(proxied: Proxied) -> None:
    with proxied.client() as http:
        assert http.get("/tangle/health", headers={"host": "evil.example"}).status_code == 421
