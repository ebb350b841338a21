"""A node just complete enough for iota-sdk to do its local proof of work against; run as a program.

iota-sdk keeps the interpreter's lock while it hashes, so this must be a process of its own. Prints its port, then
serves until its standard input closes. Argument: the minimum PoW score it announces.
"""

import hashlib
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def node_info(min_score: int) -> dict[str, Any]:
    """Answer of /api/core/v2/info (TIP-25)."""
    milestone = {"index": 1, "timestamp": int(time.time()), "milestoneId": "0x" + "00" * 32}
    return {
        "name": "bench",
        "version": "0",
        "status": {
            "isHealthy": True,
            "latestMilestone": milestone,
            "confirmedMilestone": milestone,
            "pruningIndex": 0,
        },
        "supportedProtocolVersions": [2],
        "protocol": {
            "version": 2,
            "networkName": "bench",
            "bech32Hrp": "tgl",
            "minPowScore": min_score,
            "belowMaxDepth": 15,
            "rentStructure": {"vByteCost": 1, "vByteFactorData": 1, "vByteFactorKey": 10},
            "tokenSupply": "2779530283277761",
        },
        "pendingProtocolParameters": [],
        "baseToken": {
            "name": "bench",
            "tickerSymbol": "B",
            "unit": "B",
            "decimals": 0,
            "useMetricPrefix": False,
        },
        "metrics": {"blocksPerSecond": 0.0, "referencedBlocksPerSecond": 0.0, "referencedRate": 0.0},
        "features": [],
    }


class Node(BaseHTTPRequestHandler):
    """Answers what a client asks on its way to a block."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # one packet per answer; two would wait for each other's acknowledgement
    min_score = 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Be quiet."""

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {})
        elif self.path == "/api/core/v2/info":
            self.answer(200, node_info(self.min_score))
        elif self.path == "/api/core/v2/tips":
            self.answer(200, {"tips": ["0x" + "11" * 32]})
        else:
            self.answer(404, {"error": {"code": "404", "message": "not found"}})

    def do_POST(self) -> None:
        block = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, {"blockId": "0x" + hashlib.blake2b(block, digest_size=32).hexdigest()})

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    Node.min_score = int(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
