"""The pages at `/` and `/channels`: hand-written files from `api/web`, sent as they are.

Nothing is built and nothing comes from elsewhere: the policy that goes with them lets a browser load scripts,
styles and data from this node alone, and run nothing that stands in the HTML itself. All addresses in them are
relative, so that they work under any path that a proxy puts in front. Files are read once. They
carry an entity tag of their content and `no-cache`: a browser asks each time and gets 304 while nothing changed,
so that after an update no page runs with half of its modules old.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tangle.api.problems import NoSuchRoute

FILES = Path(__file__).parents[1] / "web"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""by suffix; files with another one are not served"""
HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
}
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class WebFile:
    """A file as it is sent; `tag` is its entity tag (RFC 9110, section 8.8.3)."""

    content: bytes
    media_type: str
    tag: str


@cache
def web_files() -> dict[str, WebFile]:
    """The files of the pages by name."""
    return {
        path.name: WebFile(
            content := path.read_bytes(),
            MEDIA_TYPES[path.suffix],
            f'"{blake2b(content, digest_size=16).hexdigest()}"',
        )
        for path in sorted(FILES.iterdir())
        if path.suffix in MEDIA_TYPES
    }


@router.get("/")
async def page(request: Request) -> Response:
    """The page that shows the Tangle."""
    return _answer(request, web_files()["index.html"])


@router.get("/channels")
async def channels(request: Request) -> Response:
    """The page that follows channels; it decodes them in the browser."""
    return _answer(request, web_files()["channels.html"])


@router.get("/web/{name}")
async def part(request: Request, name: str) -> Response:
    """A style, script or picture of a page."""
    file = web_files().get(name)
    if file is None:
        raise NoSuchRoute(f"no file {name[:100]!r} belongs to a page")
    return _answer(request, file)


def _answer(request: Request, file: WebFile) -> Response:
    headers = {**HEADERS, "etag": file.tag}
    if _is_known(request.headers.get("if-none-match", ""), file.tag):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def _is_known(tags: str, tag: str) -> bool:
    """Whether the browser has the file already (RFC 9110, section 13.1.2; weak comparison)."""
    known = {one.strip().removeprefix("W/") for one in tags.split(",")}
    return tag in known or "*" in known
