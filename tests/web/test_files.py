"""The files of the page as they are sent: types, tags, policy, and nothing that points elsewhere."""

from __future__ import annotations

import re

import pytest

from tangle.api.routes.web import FILES, MEDIA_TYPES, web_files
from tests.nodes import RunningNode

PAGES = {"index.html": "/", "channels.html": "/channels"}
NAMES = sorted(path.name for path in FILES.iterdir())
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def _path(name: str) -> str:
    return PAGES.get(name, f"/web/{name}")


def test_every_file_has_a_type_and_is_sent() -> None:
    assert {*PAGES, "style.css", "main.js", "icon.svg"} <= set(NAMES) == set(web_files())


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_sent_as_it_is_and_not_again(node: RunningNode, name: str) -> None:
    response = node.http.get(_path(name))
    assert response.status_code == 200
    assert response.content == (FILES / name).read_bytes()
    assert response.headers["content-type"] == MEDIA_TYPES["." + name.rpartition(".")[2]]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-cache"
    tag = response.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = node.http.get(_path(name), headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert node.http.get(_path(name), headers={"if-none-match": '"other"'}).status_code == 200
    head = node.http.head(_path(name))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(response.content))


def test_the_policy_lets_in_nothing_but_the_node(node: RunningNode) -> None:
    for path in ("/", "/channels", "/web/main.js", "/web/channel-worker.js"):
        policy = node.http.get(path).headers["content-security-policy"]
        assert dict(part.strip().split(" ", 1) for part in policy.split(";")) == POLICY


@pytest.mark.parametrize(
    "path", ["/web/", "/web/nothing.js", "/web/..%2Fapp.py", "/web/%2e%2e/app.py", "/web/__init__.py"]
)
def test_nothing_else_is_sent(node: RunningNode, path: str) -> None:
    response = node.http.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "no_such_route")


@pytest.mark.parametrize("name", NAMES)
def test_no_file_points_to_another_host_or_runs_what_is_not_a_file(name: str) -> None:
    text = (FILES / name).read_text()
    hosts = set(re.findall(r"\b(?:https?|wss?)://[^\s\"'`)]+", text))
    assert hosts <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function\()", text)
    if name.endswith(".html"):
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_every_import_and_link_leads_to_a_file() -> None:
    texts = {name: (FILES / name).read_text() for name in NAMES}
    imported = {
        target for text in texts.values() for target in re.findall(r'(?:from|import) "\./([\w.-]+)"', text)
    }
    pages = "".join(texts[name] for name in PAGES)
    linked = set(re.findall(r'(?:src|href)="web/([\w.-]+)"', pages))
    workers = {
        target
        for text in texts.values()
        for target in re.findall(r'new Worker\(new URL\("([\w.-]+)", import', text)
    }
    assert imported | linked | workers | set(PAGES) == set(NAMES)
