"""What holds for every request and answer: hosts, origins, encodings, HEAD, headers, a path in front."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tangle.api.gate import DEFAULTS
from tangle.protocol.tagged_data import TaggedData
from tests.nodes import BINARY, RunningNode, running_node

BLOCKS = "/api/core/v2/blocks"
WRITES: dict[str, Any] = {
    BLOCKS: {"payload": {"type": 5, "tag": "0x78", "data": "0x31"}},
    "/api/v1/messages": {"payload": {"type": 2, "index": "78", "data": "31"}},
    "/api/tangle/v1/faucet/enqueue": {"address": "x"},
    "/api/core/v2/peers": {},
    "/api/core/v2/control/database/prune": {},
    "/nowhere": {},
}
"""a path with a method that changes something -> a body"""
ELSEWHERE = "https://elsewhere.example"


def ask(
    node: RunningNode, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """An answer to a request with these headers and no others but Host and Content-Length."""
    at = urlsplit(node.url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
    given = {name.lower(): value for name, value in (headers or {}).items()}
    connection.putrequest(method, path, skip_host="host" in given, skip_accept_encoding=True)
    for name, value in given.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("content-length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.headers, content


def code_of(content: bytes) -> str:
    """The stable code of a problem."""
    return str(json.loads(content)["code"])


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ELSEWHERE},
        {"origin": "null"},
        {"origin": ELSEWHERE, "sec-fetch-site": "cross-site"},
        {"origin": ELSEWHERE, "sec-fetch-site": "none"},
        {"origin": "http://127.0.0.1:1", "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://localhost"},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [None, "text/plain", "application/json", BINARY], ids=str)
def test_no_page_of_a_stranger_changes_anything(
    node: RunningNode, headers: dict[str, str], kind: str | None
) -> None:
    given = headers if kind is None else {**headers, "content-type": kind}
    for path, body in WRITES.items():
        for method in ("POST", "DELETE"):
            status, _, content = ask(node, method, path, given, json.dumps(body).encode())
            assert (status, code_of(content)) == (403, "origin_not_allowed"), (method, path)
    assert not node.get("/api/tangle/v1/tags/0x78/blocks")["items"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "{own}"},
        {"origin": "{own}", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "https://node.example", "sec-fetch-site": "same-origin"},
    ],
    ids=str,
)
def test_pages_of_the_node_and_programs_write(node: RunningNode, headers: dict[str, str]) -> None:
    given = {name: value.format(own=node.url) for name, value in headers.items()}
    block = node.finished(TaggedData(b"own", json.dumps(headers).encode()))
    assert ask(node, "POST", BLOCKS, {**given, "content-type": BINARY}, block.encoded)[0] == 201


def test_an_allowed_origin_writes_and_reads_however_it_was_written(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", cors_origins="HTTPS://Shop.example:443/") as node:
        given = {"origin": "https://shop.example", "sec-fetch-site": "cross-site", "content-type": BINARY}
        block = node.finished(TaggedData(b"shop", b""))
        status, headers, _ = ask(node, "POST", BLOCKS, given, block.encoded)
        assert (status, headers["access-control-allow-origin"]) == (201, "https://shop.example")
        asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        private = {**asked, "access-control-request-private-network": "true"}
        status, headers, _ = ask(node, "OPTIONS", BLOCKS, private)
        assert (status, headers["access-control-allow-private-network"]) == (200, "true")
        for origin in ("http://shop.example", "https://shop.example:444", "https://a.shop.example", ELSEWHERE):
            assert ask(node, "POST", BLOCKS, {**given, "origin": origin}, b"")[0] == 403
        for _, headers, _ in (ask(node, "GET", "/api/core/v2/info"), ask(node, "GET", "/nowhere")):
            assert "Origin" in headers["vary"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:14265", 200),
        ("localhost.", 200),
        ("tangle.localhost", 200),
        ("127.0.0.1:1", 200),
        ("192.168.1.7", 200),
        ("[::1]:14265", 200),
        ("node", 200),
        ("node.example", 200),
        ("Node.Example:443", 200),
        ("rebound.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example.", 421),
        ("notnode.example", 421),
        ("sub.node.example", 421),
        ("127.0.0.1:x", 400),
        ("a@b", 400),
        ("", 400),
        ("a b", 400),
    ],
)
def test_only_hosts_that_cannot_be_a_strangers_are_answered(named: RunningNode, host: str, status: int) -> None:
    for method, path in (("GET", "/api/core/v2/info"), ("GET", "/"), ("POST", BLOCKS), ("GET", "/health")):
        found, _, content = ask(named, method, path, {"host": host})
        if status == 200:
            assert found in {200, 400}
            assert method == "GET" or code_of(content) == "body_invalid"
        else:
            assert (found, code_of(content)) == (status, "host_unknown" if status == 421 else "request_malformed")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node that listens everywhere, with a name and a path in front."""
    data = tmp_path_factory.mktemp("named") / "data"
    with running_node(data, host="0.0.0.0", allowed_hosts="node.example", root_path="/tangle/") as running:
        yield running


def test_every_host_is_answered_where_a_setting_says_so(tmp_path: Path) -> None:
    with running_node(tmp_path / "data", allowed_hosts="*") as node:
        assert ask(node, "GET", "/health", {"host": "any.example"})[0] == 200


def test_every_answer_says_what_a_browser_may_make_of_it(node: RunningNode) -> None:
    asked = [
        ask(node, "GET", path)
        for path in ("/", "/docs", "/openapi.json", "/health", "/nowhere", "/api/core/v2/info", "/web/main.js")
    ]
    asked += [
        ask(node, "GET", "/health", {"host": "evil.example"}),
        ask(node, "POST", BLOCKS, {"content-type": BINARY}, b"x"),
        ask(node, "POST", BLOCKS, {"origin": ELSEWHERE}, b"x"),
        ask(node, "DELETE", BLOCKS),
        ask(node, "GET", "/docs/assets/swagger-ui.css"),
        ask(node, "GET", "/docs/"),
        ask(node, "HEAD", "/api/tangle/v1/events"),
    ]
    for status, headers, _ in asked:
        for name in DEFAULTS:
            assert len(headers.get_all(name.decode(), [])) == 1, (status, name)
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["date"]


def test_the_docs_page_runs_only_its_own_script(node: RunningNode) -> None:
    policy = ask(node, "GET", "/docs")[1]["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "sha256-" in scripts


def test_head_answers_whatever_get_answers(node: RunningNode) -> None:
    block = node.attach(TaggedData(b"head", b"x")).hex()
    paths = ["/", "/channels", "/docs", "/openapi.json", "/web/main.js", "/docs/assets/swagger-ui.css", "/nowhere"]
    paths += ["/health", "/api/routes", "/api/core/v2/info", "/api/core/v2/tips", f"{BLOCKS}/0x{block}", BLOCKS]
    paths += ["/api/tangle/v1/supply", f"/api/v1/messages/{block}", "/api/core/v2/tips?count=0", "/docs/"]
    for path in paths:
        status, headers, content = ask(node, "GET", path)
        again, others, nothing = ask(node, "HEAD", path)
        assert (again, nothing) == (status, b""), path
        assert others["content-type"] == headers["content-type"]
        if "tips" not in path and "info" not in path:
            assert others["content-length"] == headers["content-length"] == str(len(content))


@pytest.mark.parametrize(
    "path", ["/events", "/events?after=0&details=true", "/tags/0x61/events", "/mam/0x{0}/events"]
)
def test_head_of_a_stream_ends(node: RunningNode, path: str) -> None:
    status, headers, content = ask(node, "HEAD", "/api/tangle/v1" + path.format("0" * 64))
    assert (status, headers.get_content_type(), content) == (200, "text/event-stream", b"")
    assert headers["x-accel-buffering"] == "no"
    assert node.http.get("/health").status_code == 200


def test_what_a_route_does_not_have_is_said_with_what_it_has(node: RunningNode) -> None:
    for path, allowed in ((BLOCKS, "POST"), ("/api/core/v2/peers", "GET, HEAD, POST"), ("/health", "GET, HEAD")):
        status, headers, _ = ask(node, "PATCH", path)
        assert (status, headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(("name", "value"), [("content-encoding", "gzip"), ("content-encoding", "br, gzip")])
def test_encoded_bodies_are_refused_in_words(node: RunningNode, name: str, value: str) -> None:
    for path in WRITES:
        status, _, content = ask(node, "POST", path, {name: value, "content-type": BINARY}, b"x")
        assert (status, code_of(content)) == (415, "content_encoded")
        assert name in content.decode().lower()
    block = node.finished(TaggedData(b"identity", b""))
    assert ask(node, "POST", BLOCKS, {name: "identity", "content-type": BINARY}, block.encoded)[0] == 201


@pytest.mark.parametrize(
    ("accept", "raw"),
    [
        ("", False),
        ("*/*", False),
        (BINARY, True),
        (f"{BINARY};q=0", False),
        (f"{BINARY};q=0.2, application/json;q=0.1", True),
        (f"{BINARY};q=0.1, application/json;q=0.2", False),
        (f"application/json;q=0.5, {BINARY}", True),
        (f"application/json, {BINARY};q=0.9", False),
        (f"application/json, {BINARY}", False),
        (f"{BINARY}, application/json", True),
        (f"{BINARY}, */*", True),
        (f"*/*, {BINARY};q=0.5", False),
        ("application/json;q=0, */*", True),
        ("application/*;q=0.3", False),
        (f"application/*;q=0.3, {BINARY};q=0.4", True),
        (BINARY.upper() + " ; Q=0.7 , application/json;q=0.6", True),
        ("text/html, image/png;q=0.9", False),
        (f"{BINARY};q=nonsense, application/json;q=0.5", True),
        (",;,;q=1", False),
    ],
)
def test_the_weights_of_accept_decide(node: RunningNode, accept: str, raw: bool) -> None:
    block = node.attach(TaggedData(b"accept", b"x")).hex()
    status, headers, _ = ask(node, "GET", f"{BLOCKS}/0x{block}", {"accept": accept})
    assert (status, headers.get_content_type() == BINARY, headers["vary"]) == (200, raw, "Accept")


@pytest.mark.parametrize("prefix", ["", "/tangle"])
def test_a_path_in_front_is_understood_whether_the_proxy_takes_it_away_or_not(
    named: RunningNode, prefix: str
) -> None:
    block = named.finished(TaggedData(b"prefix" + prefix.encode(), b""))
    status, headers, _ = ask(named, "POST", prefix + BLOCKS, {"content-type": BINARY}, block.encoded)
    assert (status, headers["location"]) == (201, f"/tangle{BLOCKS}/0x{block.id.hex()}")
    assert ask(named, "GET", f"{prefix}{BLOCKS}/0x{block.id.hex()}")[0] == 200
    assert ask(named, "GET", f"{prefix}/api/tangle/v1/nowhere")[1].get_content_type() == "application/problem+json"
    assert ask(named, "GET", f"{prefix}/docs/assets/swagger-ui.css")[0] == 200
    document = json.loads(ask(named, "GET", f"{prefix}/openapi.json")[2])
    assert document["servers"] == [{"url": "/tangle"}]
    for path, target in (("/docs/", "/docs"), ("/channels/?a=b", "/channels?a=b")):
        status, headers, _ = ask(named, "GET", prefix + path)
        assert status == 307
        assert urljoin(f"http://n{prefix}{path}", headers["location"]) == f"http://n{prefix}{target}"
    assert urljoin("http://n/tangle", ask(named, "GET", "/tangle")[1]["location"]) == "http://n/tangle/"


def test_nothing_leads_to_another_host(node: RunningNode) -> None:
    for headers in ({"x-forwarded-host": "evil.example"}, {"x-forwarded-prefix": "/evil", "host": "n"}):
        for path in ("/docs/", "//evil.example/", "/docs//evil.example//"):
            location = ask(node, "GET", path, headers)[1].get("location", "")
            assert "evil" not in location


@pytest.mark.parametrize(
    "given",
    [
        b"GET /health HTTP/1.1\r\nhost: n\r\nhost: evil.example\r\n\r\n",
        b"POST /api/core/v2/blocks HTTP/1.1\r\nhost: n\r\norigin: http://n\r\norigin: http://a.example\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
    ],
)
def test_contradictions_are_refused(node: RunningNode, given: bytes) -> None:
    at = urlsplit(node.url)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=30) as raw:
        raw.sendall(given)
        assert raw.recv(1_000).startswith(b"HTTP/1.1 400")
