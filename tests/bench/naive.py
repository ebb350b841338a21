"""The obvious way to take blocks durably, for scale: one INSERT and one commit per request; run as a program.

It decodes and checks nothing and keeps no Tangle: a body, its hash, `synchronous=FULL`, on the event loop. Prints
its port, then serves until it is terminated. Argument: the database file.
"""

import hashlib
import socket
import sqlite3
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bench.generator import PATH, TIPS_PATH


def create_app(path: str) -> Starlette:
    """The application over a fresh database at `path`."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE blocks (number INTEGER PRIMARY KEY, block_id BLOB UNIQUE, data BLOB)")

    async def post(request: Request) -> Response:
        body = await request.body()
        block_id = hashlib.blake2b(body, digest_size=32).digest()
        database.execute("INSERT INTO blocks (block_id, data) VALUES (?, ?)", (block_id, body))
        return JSONResponse({"blockId": "0x" + block_id.hex()}, 201)

    async def tips(request: Request) -> Response:
        rows = database.execute("SELECT block_id FROM blocks ORDER BY number DESC LIMIT 2").fetchall()
        return JSONResponse({"tips": ["0x" + block_id.hex() for (block_id,) in rows or [(bytes(32),)]]})

    return Starlette(routes=[Route(PATH, post, methods=["POST"]), Route(TIPS_PATH, tips)])


def main() -> None:
    """Run as the module says."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # Whoever reads the port may connect at once; until the server accepts, connections wait in the backlog.
        listener.listen(128)
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(create_app(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
