"""What connections may take: places, seconds, bytes. Each bound is met by a client that breaks it alone."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from tangle.api.clients import HERE, Seats, client_of, share_of
from tangle.api.problems import TooManyOfClient
from tangle.protocol.tagged_data import TaggedData
from tests.nodes import RunningNode, running_node

BLOCKS = "/api/core/v2/blocks"
EVENTS = "/api/tangle/v1/events"
PLACES = 12
"""of this machine: three quarters of `connections_max`"""
STATUSES = re.compile(rb"HTTP/1\.1 (\d+)")
WITHIN_S = 30
"""seconds after which what should have come has not"""


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node with narrow bounds."""
    bounds = {"connections_max": 16, "head_s": 0.5, "body_s": 0.8, "stalled_s": 1, "event_subscribers_max": 8}
    proxies = {"trusted_proxies": "192.0.2.1", "unread_bytes_max": 2**20}
    with running_node(tmp_path_factory.mktemp("bounded") / "data", **bounds, **proxies) as running:
        yield running


def connect(node: RunningNode, received: int | None = None) -> socket.socket:
    """A connection, perhaps with a small buffer for what it receives."""
    at = urlsplit(node.url)
    client = socket.socket()
    if received is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, received)
    client.settimeout(WITHIN_S)
    client.connect((at.hostname, at.port))
    return client


def told(client: socket.socket) -> bytes:
    """All that comes until the node closes."""
    found = b""
    try:
        while piece := client.recv(65_536):
            found += piece
    except ConnectionError:
        pass
    return found


def refusal(answer: bytes) -> tuple[int, str]:
    """Status and code of an answer that is a refusal, with what every answer carries."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-content-type-options: nosniff" in head
    assert b"date: " in head
    assert b"connection: close" in head
    return int(head.split()[1]), str(orjson.loads(body)["code"])


def answers(node: RunningNode) -> bool:
    """Whether a new client is answered."""
    return httpx.get(node.url + "/health", trust_env=False, timeout=WITHIN_S).status_code == 200


LATE = {
    "header": (b"GET /health HTTP/1.1\r\nhost: n\r\n", 408, "request_slow"),
    "url": (b"GET /hea", 408, "request_slow"),
    "body": (b"POST %s HTTP/1.1\r\nhost: n\r\ncontent-length: 100\r\n\r\n{", 408, "request_slow"),
    "chunk": (b"POST %s HTTP/1.1\r\nhost: n\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{", 408, "request_slow"),
    "trailer": (b"POST %s HTTP/1.1\r\nhost: n\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", 408, "request_slow"),
    "silence": (b"", 0, ""),
    "a line": (b"\r\n", 0, ""),
}


def test_what_does_not_come_in_time_frees_its_place(
    bounded: RunningNode, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as stack:
        clients = {kind: stack.enter_context(closing(connect(bounded))) for kind in LATE}
        for kind, client in clients.items():
            client.sendall(LATE[kind][0].replace(b"%s", BLOCKS.encode()))
        for kind, client in clients.items():
            _, status, code = LATE[kind]
            answer = told(client)
            assert (refusal(answer) if code else answer) == ((status, code) if code else b""), kind
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_dribbling_does_not_help(bounded: RunningNode) -> None:
    begun = time.monotonic()
    with closing(connect(bounded)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nhost: n\r\n")
        client.settimeout(0.1)
        answer = b""
        while not answer and time.monotonic() - begun < WITHIN_S:
            try:
                client.sendall(b"x: y\r\n")
                answer = client.recv(1_000)
            except TimeoutError:
                pass
    assert answer.startswith(b"HTTP/1.1 408")


HEAD = b"POST %s HTTP/1.1\r\nhost: n\r\ntransfer-encoding: chunked\r\n\r\n" % BLOCKS.encode()
ENDLESS = {
    "headers": (b"GET /health HTTP/1.1\r\nhost: n\r\n", b"x-1: y\r\n" * 1_000, 431, "header_too_large"),
    "one header": (b"GET /health HTTP/1.1\r\nx: ", b"y" * 8_192, 431, "header_too_large"),
    "a name": (b"GET /health HTTP/1.1\r\n", b"y" * 8_192, 431, "header_too_large"),
    "url": (b"GET /api/tangle/v1/", b"u" * 8_192, 414, "url_too_long"),
    "query": (b"GET /?", b"a=b&" * 2_000, 414, "url_too_long"),
    "trailers": (HEAD + b"0\r\n", b"x-1: y\r\n" * 1_000, 431, "header_too_large"),
    "one trailer": (HEAD + b"0\r\nx: ", b"y" * 8_192, 431, "header_too_large"),
    "chunk extension": (HEAD + b"1;", b"y" * 8_192, 431, "header_too_large"),
    "chunk size": (HEAD, b"1" * 8_192, 400, "request_malformed"),
    "method": (b"", b"A" * 8_192, 400, "request_malformed"),
    "body": (HEAD, b"1000\r\n" + b"x" * 4_096 + b"\r\n", 413, "body_too_large"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_is_cut(bounded: RunningNode, kind: str) -> None:
    head, piece, status, code = ENDLESS[kind]
    sent = 0
    with closing(connect(bounded)) as client:
        client.sendall(head)
        client.setblocking(False)
        answer, deadline = b"", time.monotonic() + WITHIN_S
        while not answer and time.monotonic() < deadline:
            try:
                answer = client.recv(65_536)
            except BlockingIOError:
                sent += client.send(piece) if sent < 2**20 else 0
                time.sleep(0.002)
        assert sent <= 2**20
        status_line = answer.split(b"\r\n")[0]
    assert status_line.startswith(b"HTTP/1.1 %d" % status)
    assert code.encode() in answer
    assert answers(bounded)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /health HTTP/1.1\r\nhost: n\r\nx: %s\r\nconnection: close\r\n\r\n" % (b"y" * 32_000), 200),
        (b"GET /health HTTP/1.1\r\nhost: n\r\nx: %s\r\nconnection: close\r\n\r\n" % (b"y" * 33_000), 431),
        (b"GET /health?%s HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n" % (b"x" * 8_100), 400),
        (b"GET /health?%s HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n" % (b"x" * 8_300), 414),
    ],
    ids=["header fits", "header too large", "url fits", "url too long"],
)
def test_bounds_of_bytes_are_exact(bounded: RunningNode, request_: bytes, status: int) -> None:
    with closing(connect(bounded)) as client:
        client.sendall(request_)
        assert told(client).startswith(b"HTTP/1.1 %d" % status)


def test_trailers_are_no_headers(node: RunningNode) -> None:
    block = node.finished(TaggedData(b"trailer", b"")).encoded
    kind = b"content-type: application/vnd.iota.serializer-v1\r\n"
    head = HEAD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n" + kind + b"\r\n")
    with closing(connect(node)) as client:
        client.sendall(
            head + b"%x\r\n%b\r\n0\r\ncontent-encoding: gzip\r\norigin: null\r\n\r\n" % (len(block), block)
        )
        assert told(client).startswith(b"HTTP/1.1 201")


def test_malformed_behind_a_sound_request_is_answered_behind_it(bounded: RunningNode) -> None:
    with closing(connect(bounded)) as client:
        client.sendall(b"GET /api/core/v2/info HTTP/1.1\r\nhost: n\r\n\r\n" * 3 + b"\x16\x03\x01 nonsense\r\n\r\n")
        answer = told(client)
    assert STATUSES.findall(answer) == [b"200"] * 3 + [b"400"]


def test_so_many_requests_may_wait_on_a_connection(bounded: RunningNode) -> None:
    with closing(connect(bounded)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nhost: n\r\n\r\n" * 300)
        answer = told(client)
    statuses = STATUSES.findall(answer)
    assert statuses == [b"200"] * (len(statuses) - 1) + [b"429"]
    assert 100 <= len(statuses) <= 102


def test_another_protocol_is_not_spoken_and_the_connection_ends(bounded: RunningNode) -> None:
    upgrade = b"GET /health HTTP/1.1\r\nhost: n\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"
    with closing(connect(bounded)) as client:
        client.sendall(upgrade + b"GET /health HTTP/1.1\r\nhost: n\r\n\r\n")
        answer = told(client)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_silent_connections_shut_nobody_out(bounded: RunningNode) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(closing(connect(bounded))) for _ in range(5 * PLACES)]
        assert answers(bounded)
        assert answers(bounded)
        assert silent[0].recv(1) == b""


def test_where_every_place_is_in_use_a_newcomer_is_told_so(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", connections_max=16) as node, ExitStack() as stack:
        for _ in range(PLACES):
            client = stack.enter_context(closing(connect(node)))
            client.sendall(b"GET %s HTTP/1.1\r\nhost: n\r\n\r\n" % EVENTS.encode())
            assert client.recv(12) == b"HTTP/1.1 200"
        with closing(connect(node)) as newcomer:
            answer = told(newcomer)
        assert refusal(answer) == (429, "too_many_of_client")
        assert b"retry-after: " in answer
        client.close()
        deadline = time.monotonic() + WITHIN_S
        while b"200" not in _health(node):
            assert time.monotonic() < deadline, "a client that left still has its place"


def _health(node: RunningNode) -> bytes:
    with closing(connect(node)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n")
        return told(client).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "path", [EVENTS, f"{EVENTS}?after=0&details=true", "/api/tangle/v1/tags/0x61/events"], ids=str
)
def test_clients_that_vanish_free_their_place(
    bounded: RunningNode, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    for behind in (b"", b"GET /health HTTP/1.1\r\nhost: n\r\n\r\n"):
        with closing(connect(bounded)) as client:
            client.sendall(b"GET %s HTTP/1.1\r\nhost: n\r\n\r\n" % path.encode() + behind)
            assert client.recv(12) == b"HTTP/1.1 200"
        deadline = time.monotonic() + WITHIN_S
        while bounded.service.feed.followers:
            assert time.monotonic() < deadline, "a stream whose client is gone goes on"
            time.sleep(0.01)
    for part in (b"{", b""):
        with closing(connect(bounded)) as client:
            client.sendall(b"POST %s HTTP/1.1\r\nhost: n\r\ncontent-length: 9\r\n\r\n" % BLOCKS.encode() + part)
    assert answers(bounded)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture(scope="module")
def large(bounded: RunningNode) -> RunningNode:
    """The same node, with a page that is long."""
    for number in range(20):
        bounded.attach(TaggedData(b"large", bytes([number]) * 30_000))
    return bounded


PAGE = b"GET /api/tangle/v1/tags/0x6c61726765/blocks?data=true HTTP/1.1\r\nhost: n\r\n\r\n"


def test_answers_that_nobody_reads_go_and_bind_no_memory(large: RunningNode) -> None:
    kept = large.server.connections
    with ExitStack() as stack:
        for _ in range(PLACES):
            client = stack.enter_context(closing(connect(large, received=4_096)))
            client.sendall(PAGE * 3)
        deadline = time.monotonic() + WITHIN_S
        while not kept.unread:
            assert time.monotonic() < deadline, "nothing was sent"
            time.sleep(0.01)
        while kept.unread:
            assert time.monotonic() < deadline, "what nobody reads is kept"
            time.sleep(0.01)
        assert len(told(client)) < 3 * 2**20
    assert len(large.http.get("/api/tangle/v1/tags/0x6c61726765/blocks?data=true").content) > 2**20


def test_a_slow_reader_gets_everything(large: RunningNode) -> None:
    begun, found = time.monotonic(), b""
    with closing(connect(large, received=65_536)) as client:
        client.sendall(PAGE.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        while piece := client.recv(60_000):
            found += piece
            time.sleep(0.04)
    assert time.monotonic() - begun > 1
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"content-length: %d\r\n" % len(body) in head


def test_streams_of_a_client_are_bounded(bounded: RunningNode) -> None:
    with ExitStack() as stack:
        for _ in range(6):
            client = stack.enter_context(closing(connect(bounded)))
            client.sendall(b"GET %s HTTP/1.1\r\nhost: n\r\n\r\n" % EVENTS.encode())
            assert client.recv(12) == b"HTTP/1.1 200"
        answer = httpx.get(bounded.url + EVENTS, trust_env=False, timeout=WITHIN_S)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_of_client")
        assert answer.headers["retry-after"]


def test_behind_a_trusted_proxy_the_client_is_the_forwarded_one(tmp_path: Path) -> None:
    given = {
        "trusted_proxies": "127.0.0.1",
        "event_subscribers_per_client_max": 1,
        "connections_per_client_max": 2,
    }
    first, second = {"x-forwarded-for": "198.51.100.7"}, {"x-forwarded-for": "198.51.100.7, 203.0.113.9"}
    with running_node(tmp_path / "data", **given) as node, ExitStack() as stack:
        stack.enter_context(node.http.stream("GET", EVENTS, headers=first))
        assert node.http.get(EVENTS, headers=first).json()["code"] == "too_many_of_client"
        stack.enter_context(node.http.stream("GET", EVENTS, headers=second))
        assert node.http.get("/health", headers=first).status_code == 200


def test_without_trust_nobody_says_who_they_are(node: RunningNode) -> None:
    for name in ("x-forwarded-for", "x-forwarded-proto", "forwarded", "x-real-ip"):
        answer = node.http.get("/docs/", headers={name: "https://198.51.100.7"})
        assert answer.headers["location"] == "../docs"


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("127.0.0.1", HERE),
        ("127.8.9.10", HERE),
        ("::1", HERE),
        ("::ffff:127.0.0.1", HERE),
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_who_a_client_is(host: str, client: str) -> None:
    assert client_of(host) == client


def test_places_of_a_client() -> None:
    assert (share_of(HERE, 2, 100), share_of("a", 2, 100), share_of("a", 200, 100)) == (75, 2, 100)
    seats = Seats("chairs", 2, 100)
    with seats.taken("a"), seats.taken("b"):
        with seats.taken("a"), pytest.raises(TooManyOfClient, match="may have 2 chairs"), seats.taken("a"):
            pass
        with seats.taken("a"):
            pass
