"""The test vectors of docs/mam.md: `python -m tests.mam.vectors` writes tests/vectors/mam-v2.json anew."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tangle.mam import Channel, Mode, Position, public_key_of

FILE = Path(__file__).parents[1] / "vectors" / "mam-v2.json"
SEED = sha256(b"a seed of the test vectors").digest()
ALICE, BOB, CAROL = (sha256(name).digest() for name in (b"alice", b"bob", b"carol"))
Rekey = tuple[bytes, ...]


def make() -> dict[str, Any]:
    """All vectors, from fixed seeds."""
    long_body = bytes(n * n % 251 for n in range(33_000))
    return {
        "format": "docs/mam.md, version 2; bytes in hex; blocks in the order of the writer",
        "channels": [
            channel("public, height 0, an empty body", Mode.PUBLIC, 0, [b"first", b"", b"third"]),
            channel("private, height 2, over two trees", Mode.PRIVATE, 2, [b"reading %d" % n for n in range(6)]),
            channel("private, height 1, a split body", Mode.PRIVATE, 1, [b"before", long_body, b"after"]),
            channel("restricted, side key from the seed", Mode.RESTRICTED, 0, [b"one", b"two"]),
            channel(
                "restricted, height 2, bob is granted at 2 and left out at 5",
                Mode.RESTRICTED,
                2,
                [b"0", b"1", (ALICE, BOB), b"3", b"4", (ALICE, CAROL), b"6", b"7", b"8"],
                side_key=sha256(b"a chosen side key").digest(),
            ),
        ],
    }


def channel(
    name: str, mode: Mode, height: int, messages: list[bytes | Rekey], side_key: bytes | None = None
) -> dict[str, Any]:
    """One channel; a tuple among its messages is a rekey message for the owners of these private keys."""
    made, position = Channel(SEED, mode, height, side_key), Position()
    blocks = []
    for message in messages:
        if isinstance(message, tuple):
            sealed = made.rekey([public_key_of(key) for key in message], position)
        else:
            sealed = made.write(message, position)
        blocks += [{"address": sealed.address.hex(), "data": data.hex()} for data in sealed.parts]
        position = sealed.following
    return {
        "name": name,
        "mode": mode.name.lower(),
        "height": height,
        "seed": SEED.hex(),
        "sideKey": "" if side_key is None else side_key.hex(),
        "roots": [made.root(tree << height).hex() for tree in range(2)],
        "messages": [
            {"rekeyFor": [key.hex() for key in message]} if isinstance(message, tuple) else {"body": message.hex()}
            for message in messages
        ],
        "invitation": {"privateKey": CAROL.hex(), "box": made.invite(public_key_of(CAROL), position).hex()},
        "blocks": blocks,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(make(), indent=1) + "\n")
