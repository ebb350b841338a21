"""`tangle wallet new|address|fund`: keys in a file, an address to show, and coins to try things out.

The file holds a mnemonic and nothing else; what it owns is asked of the node each time.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from tangle.cli.errors import NotFunded, OutputFailed
from tangle.cli.group import command
from tangle.cli.output import show, show_done
from tangle.cli.session import WAIT_S, run_async
from tangle.cli.wallet.file import SealedMnemonic, create
from tangle.cli.wallet.session import STEP_MAX, Tell, Timeout, Wait, Where
from tangle.cli.wallet.unlock import new_password, read_mnemonic
from tangle.client.errors import ClientError
from tangle.client.node.rest import NodeClient
from tangle.protocol.addresses import to_bech32
from tangle.protocol.keys import Keys, new_mnemonic
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Json, to_hex
from tangle.terminal.live import progress
from tangle.terminal.text import amount, facts

POLL_S = 0.3
"""seconds between two looks for funds of the faucet"""

Hrp = Annotated[
    str | None,
    typer.Option("--hrp", metavar="PART", help="Network part of the address, instead of asking the node."),
]


@command("wallet new --password")
def new(
    where: Where,
    mnemonic_stdin: Annotated[
        bool, typer.Option("--mnemonic-stdin", help="Import the words on standard input instead of new ones.")
    ] = False,
    password: Annotated[
        bool, typer.Option("--password", help="Encrypt the file; asks, or takes TANGLE_WALLET_PASSWORD.")
    ] = False,
    hrp: Hrp = None,
) -> None:
    """New words are shown once: write them down, they are the only copy besides the file."""
    path = where.wallet.expanduser()
    words = " ".join(read_mnemonic().lower().split()) if mnemonic_stdin else new_mnemonic()
    # Everything that can fail comes before the file: words that were never shown are lost in an encrypted one.
    keys = Keys.from_mnemonic(words, coin_type=where.coin_type)
    address = _bech32(keys, where.account, 0, hrp or run_async(_hrp(where.node, lenient=True)))
    create(path, words, SealedMnemonic.seal(words, new_password(path)) if password else None)
    result: Json = {"wallet": str(path), "address": address, "encrypted": password}
    rows: list[tuple[str, object]] = [("wallet", path), ("address", address)]
    if not mnemonic_stdin:
        result["mnemonic"] = words
        rows.append(("mnemonic", _in_lines(words)))
        rows.append(("", "Write these words down. Whoever knows them can spend; they are not shown again."))
    if not show_done(result, facts(rows), as_json=where.as_json):
        # A wallet whose words nobody has seen is worse than none.
        path.unlink()
        raise OutputFailed("neither standard output nor standard error takes the words; no wallet was made")


@command("wallet address --index 1")
def address(
    where: Where,
    index: Annotated[
        int, typer.Option(min=0, max=STEP_MAX, metavar="INDEX", help="Which address of the wallet.")
    ] = 0,
    hrp: Hrp = None,
) -> None:
    keys = where.keys
    text = _bech32(keys, where.account, index, hrp or run_async(_hrp(where.node)))
    result = {"address": text, "index": index, "publicKey": to_hex(keys.derive(where.account, index).public_key)}
    show(result, text, as_json=where.as_json)


@command("wallet fund")
def fund(
    where: Where,
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
) -> None:
    keys = where.keys

    async def ask(tell: Tell) -> Json:
        async with where.opened(keys) as purse:
            before = set(await purse.node.basic_output_ids(purse.address()))
            receipt = await purse.node.request_faucet(purse.address())
            result: Json = {"address": receipt.address, "waitingRequests": receipt.waiting_requests}
            deadline = time.monotonic() + timeout
            tell("waiting for the faucet")
            while wait:
                fresh = set(await purse.node.basic_output_ids(purse.address())) - before
                if fresh:
                    received = [(await purse.node.output(output_id))[0].amount for output_id in fresh]
                    return result | {"amount": str(sum(received))}
                if time.monotonic() >= deadline:
                    raise NotFunded(timeout)
                await asyncio.sleep(POLL_S)
        return result

    with progress("asking the faucet", as_json=where.as_json) as tell:
        result = run_async(ask(tell))
    received = result.get("amount")
    text = f"{result['address']} got {amount(int(received))}" if received else "the faucet took the request"
    show_done(result, text, as_json=where.as_json)


def _bech32(keys: Keys, account: int, index: int, hrp: str) -> str:
    return to_bech32(keys.derive(account, index).address, hrp)


async def _hrp(url: str, *, lenient: bool = False) -> str:
    """The node's network part; when `lenient` and no node tells it, that of a new network."""
    try:
        async with NodeClient(url) as node:
            return (await node.parameters()).bech32_hrp
    except ClientError:
        if lenient:
            return ProtocolParameters().bech32_hrp
        raise


def _in_lines(words: str) -> str:
    """Six words a line, as people copy them."""
    listed = words.split()
    return "\n".join(" ".join(listed[i : i + 6]) for i in range(0, len(listed), 6))
