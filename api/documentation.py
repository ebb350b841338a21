"""The OpenAPI document and the page that shows it, served without any other host.

The page's script and style come from the package `fastapi_offline`, which carries Swagger UI; only its files are
used.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from tangle.api.routes.core import VERSION
from tangle.api.schemas import DESCRIBED
from tangle.protocol.codec import schemas

ASSETS = "/docs/assets"
_RELATIVE = ASSETS.removeprefix("/")
_TITLE = "Tangle"
_SUMMARY = "A feeless ledger for machines."
_DESCRIPTION = """
Routes under `/api/core/v2` and `/api/indexer/v1` follow TIP-25 and TIP-26; those under `/api/tangle/v1` are this
node's own; those under `/api/v1` serve clients of the generation before.

Ids and bytes are `0x` and lower-case hexadecimal digits. Amounts and other unsigned 64-bit numbers are decimal
strings. Every error carries a stable `code`.
"""


def describe(app: FastAPI) -> None:
    """Give `app` its OpenAPI document at /openapi.json and its page at /docs."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=_TITLE,
                version=VERSION,
                summary=_SUMMARY,
                description=_DESCRIPTION,
                routes=app.routes,
            )
            parts = document.setdefault("components", {}).setdefault("schemas", {})
            parts |= dict(sorted(schemas(*DESCRIBED).items()))
            app.openapi_schema = _without_defaults(document)
        return app.openapi_schema

    @cache
    def written(prefix: str) -> bytes:
        servers = {"servers": [{"url": prefix}]} if prefix else {}
        return orjson.dumps({**app.openapi(), **servers})

    async def document(request: Request) -> Response:
        return Response(written(request.scope["root_path"]), media_type="application/json")

    shown = _page()

    async def page() -> HTMLResponse:
        return shown

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_api_route("/openapi.json", document, include_in_schema=False)
    app.add_api_route("/docs", page, include_in_schema=False)
    app.mount(ASSETS, StaticFiles(directory=str(files("fastapi_offline") / "static")))


def _page() -> HTMLResponse:
    """The page, with addresses relative to it and a policy that lets its one script run and no other."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=_TITLE,
        swagger_js_url=f"{_RELATIVE}/swagger-ui-bundle.js",
        swagger_css_url=f"{_RELATIVE}/swagger-ui.css",
        swagger_favicon_url=f"{_RELATIVE}/favicon.png",
        # Without this the page asks a public validator about the document.
        swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
    )
    scripts = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)
    digests = " ".join(f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in scripts)
    page.headers["content-security-policy"] = (
        f"default-src 'none'; script-src 'self' {digests}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page


def _without_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """The document without FastAPI's 422, which this service never answers."""
    for path in document["paths"].values():
        for operation in path.values():
            operation.get("responses", {}).pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document.get("components", {}).get("schemas", {}).pop(name, None)
    return document
