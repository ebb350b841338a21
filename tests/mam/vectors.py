"""The test vectors of docs/mam.md: `python -m tests.mam.vectors` writes tests/vectors/mam-v3.json anew.

Those of format 2 are read, and written no more: their file stays as it is.
"""

from __future__ import annotations

import json
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from tangle.mam import Channel, Mode, Position, public_key_of

FILES = {version: Path(__file__).parents[1] / "vectors" / f"mam-v{version}.json" for version in (2, 3)}
NETWORK = 1_856_588_631_910_923_207
"""id of the network of the channels of format 3"""
SEED = sha256(b"a seed of the test vectors").digest()
ALICE, BOB, CAROL = (sha256(name).digest() for name in (b"alice", b"bob", b"carol"))
Rekey = tuple[bytes, ...]


def make(version: int) -> dict[str, Any]:
    """All vectors of a version, from fixed seeds."""
    one = partial(channel, version=version)
    long_body = bytes(n * n % 251 for n in range(33_000))
    return {
        "format": f"docs/mam.md, version {version}; bytes in hex; blocks in the order of the writer",
        "channels": [
            one("public, height 0, an empty body", Mode.PUBLIC, 0, [b"first", b"", b"third"]),
            one("private, height 2, over two trees", Mode.PRIVATE, 2, [b"reading %d" % n for n in range(6)]),
            one("private, height 1, a split body", Mode.PRIVATE, 1, [b"before", long_body, b"after"]),
            one("restricted, side key from the seed", Mode.RESTRICTED, 0, [b"one", b"two"]),
            one(
                "restricted, height 2, bob is granted at 2 and left out at 5",
                Mode.RESTRICTED,
                2,
                [b"0", b"1", (ALICE, BOB), b"3", b"4", (ALICE, CAROL), b"6", b"7", b"8"],
                side_key=sha256(b"a chosen side key").digest(),
            ),
        ],
    }


def channel(
    name: str,
    mode: Mode,
    height: int,
    messages: list[bytes | Rekey],
    side_key: bytes | None = None,
    version: int = 3,
) -> dict[str, Any]:
    """One channel; a tuple among its messages is a rekey message for the owners of these private keys."""
    named = {"network": NETWORK} if version > 2 else {}
    made, position = Channel(SEED, mode, height, side_key, version=version, **named), Position()
    blocks = []
    for message in messages:
        if isinstance(message, tuple):
            sealed = made.rekey([public_key_of(key) for key in message], position)
        else:
            sealed = made.write(message, position)
        blocks += [{"address": sealed.address.hex(), "data": data.hex()} for data in sealed.parts]
        position = sealed.following
    also = {"network": str(NETWORK), "writer": made.writer.hex()} if version > 2 else {}
    return {
        "name": name,
        "mode": mode.name.lower(),
        "height": height,
        "seed": SEED.hex(),
        "sideKey": "" if side_key is None else side_key.hex(),
        **also,
        "roots": [made.root(tree << height).hex() for tree in range(2)],
        "messages": [
            {"rekeyFor": [key.hex() for key in message]} if isinstance(message, tuple) else {"body": message.hex()}
            for message in messages
        ],
        "invitation": {"privateKey": CAROL.hex(), "box": made.invite(public_key_of(CAROL), position).hex()},
        "blocks": blocks,
    }


if __name__ == "__main__":
    FILES[3].write_text(json.dumps(make(3), indent=1) + "\n")
