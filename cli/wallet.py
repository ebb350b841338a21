"""`tangle wallet`: keys in a file, coins in the ledger.

The file holds a mnemonic and nothing else; what it owns is asked of the node each time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import NotFunded
from cli.options import NODE_URL, WALLET, AsJson, NodeUrl, WalletPath
from cli.output import amount, columns, facts, progress, show
from cli.session import WAIT_S, Worker, pow_by, run_async, tag_of
from tangle.protocol.serial import Json, to_hex

if TYPE_CHECKING:
    from client.keys import Keys
    from client.wallet import HistoryEntry, Sent, Wallet

# Imports inside functions keep `tangle --help` quick.

app = typer.Typer(no_args_is_help=True, help="Keep keys, see funds, send them.", rich_markup_mode=None)
POLL_S = 0.3
"""seconds between two looks for funds of the faucet"""

Hrp = Annotated[
    str | None,
    typer.Option("--hrp", metavar="PART", help="Network part of the address, instead of asking the node."),
]
ProofOfWork = Annotated[Worker, typer.Option("--pow", help="Who does the proof of work.")]
Wait = Annotated[bool, typer.Option(help="Wait until a milestone includes it.")]
Timeout = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Seconds to wait at most.")]


@app.command()
def new(
    mnemonic_stdin: Annotated[
        bool, typer.Option("--mnemonic-stdin", help="Import the words on standard input instead of new ones.")
    ] = False,
    password: Annotated[
        bool, typer.Option("--password", help="Encrypt the file; asks, or takes TANGLE_WALLET_PASSWORD.")
    ] = False,
    hrp: Hrp = None,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Make a wallet file. New words are shown once: write them down, they are the only copy besides the file."""
    from cli.unlock import new_password, read_mnemonic
    from cli.wallet_file import Sealed, create
    from client.keys import Keys, new_mnemonic

    path = wallet.expanduser()
    words = " ".join(read_mnemonic().lower().split()) if mnemonic_stdin else new_mnemonic()
    # Everything that can fail comes before the file: words that were never shown are lost in an encrypted one.
    address = _bech32(Keys.from_mnemonic(words), 0, hrp or run_async(_hrp(node, lenient=True)))
    create(path, words, Sealed.seal(words, new_password(path)) if password else None)
    result: Json = {"wallet": str(path), "address": address, "encrypted": password}
    rows: list[tuple[str, object]] = [("wallet", path), ("address", address)]
    if not mnemonic_stdin:
        result["mnemonic"] = words
        rows.append(("mnemonic", _in_lines(words)))
        rows.append(("", "Write these words down. Whoever knows them can spend; they are not shown again."))
    show(result, facts(rows), as_json=as_json)


@app.command()
def address(
    index: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, metavar="INDEX", help="Which address of the wallet.")
    ] = 0,
    hrp: Hrp = None,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Show an address of the wallet."""
    keys = _keys(wallet)
    text = _bech32(keys, index, hrp or run_async(_hrp(node)))
    result = {"address": text, "index": index, "publicKey": to_hex(keys.derive(index=index).public_key)}
    show(result, text, as_json=as_json)


@app.command()
def balance(wallet: WalletPath = WALLET, node: NodeUrl = NODE_URL, as_json: AsJson = False) -> None:
    """Show what the wallet holds."""
    keys = _keys(wallet)

    async def ask() -> tuple[Json, str]:
        async with _opened(node, keys) as opened:
            held = await opened.balance()
            outputs = []
            for coin in held.outputs:
                at = await opened.node.bech32(coin.output.owner)
                outputs.append({"outputId": to_hex(coin.output_id), "amount": str(coin.amount), "address": at})
        result = {"total": str(held.total), "available": str(held.available), "outputs": outputs}
        return result, facts([("balance", amount(held.total)), ("outputs", len(outputs))])

    result, text = run_async(ask())
    show(result, text, as_json=as_json)


@app.command()
def send(
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who is paid, as bech32 text.")],
    base_units: Annotated[int, typer.Argument(metavar="AMOUNT", min=1, help="Base units, a whole number.")],
    tag: Annotated[
        str, typer.Option("--tag", metavar="TEXT|0xHEX", help="Tag of a note in the transaction.")
    ] = "",
    data: Annotated[str, typer.Option("--data", metavar="TEXT", help="Data of that note.")] = "",
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Pay an address, and wait until the ledger took the payment."""
    from client.wallet import Sent
    from tangle.protocol.addresses import from_bech32
    from tangle.protocol.outputs import BasicOutput
    from tangle.protocol.tagged_data import TaggedData

    keys = _keys(wallet)
    note = TaggedData(tag_of(tag), data.encode()) if tag or data else None

    async def pay(tell: Callable[[str], None]) -> Sent:
        async with _opened(node, keys, worker) as opened:
            receiver = from_bech32(to, (await opened.node.parameters()).bech32_hrp)
            prepared = await opened.prepare([BasicOutput.to(receiver, base_units)], payload=note)
            tell("proof of work" if opened.pow == "local" else "the node does the proof of work")
            block_id = await opened.submit(prepared)
            if not wait:
                return Sent(prepared, block_id, None)
            tell("posted; waiting for a milestone to include it")
            found = await opened.wait_included(prepared, within_s=timeout)
            return Sent(prepared, found.block_id, found.milestone_index)

    with progress("choosing inputs", as_json=as_json) as tell:
        sent = run_async(pay(tell))
    result = _sent_json(sent) | {"address": to, "amount": str(base_units)}
    show(result, f"{amount(base_units)} to {to}\n{_sent_text(sent)}", as_json=as_json)


@app.command()
def consolidate(
    timeout: Timeout = WAIT_S,
    worker: ProofOfWork = Worker.AUTO,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Join the smallest outputs of the wallet, at most 128, into one."""
    keys = _keys(wallet)

    async def join() -> Sent:
        async with _opened(node, keys, worker) as opened:
            return await opened.consolidate(within_s=timeout)

    with progress("joining outputs", as_json=as_json):
        sent = run_async(join())
    show(_sent_json(sent), _sent_text(sent), as_json=as_json)


@app.command()
def fund(
    wait: Wait = True,
    timeout: Timeout = WAIT_S,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Ask the node's faucet for coins to try things out."""
    keys = _keys(wallet)

    async def ask(tell: Callable[[str], None]) -> Json:
        async with _opened(node, keys) as opened:
            before = set(await opened.node.basic_output_ids(opened.address()))
            receipt = await opened.node.request_faucet(opened.address())
            result: Json = {"address": receipt.address, "waitingRequests": receipt.waiting_requests}
            deadline = time.monotonic() + timeout
            tell("waiting for the faucet")
            while wait:
                fresh = set(await opened.node.basic_output_ids(opened.address())) - before
                if fresh:
                    received = [(await opened.node.output(output_id))[0].amount for output_id in fresh]
                    return result | {"amount": str(sum(received))}
                if time.monotonic() >= deadline:
                    raise NotFunded(timeout)
                await asyncio.sleep(POLL_S)
        return result

    with progress("asking the faucet", as_json=as_json) as tell:
        result = run_async(ask(tell))
    received = result.get("amount")
    text = f"{result['address']} got {amount(int(received))}" if received else "the faucet took the request"
    show(result, text, as_json=as_json)


@app.command()
def history(
    limit: Annotated[int, typer.Option(min=1, metavar="COUNT", help="The newest so many.")] = 50,
    wallet: WalletPath = WALLET,
    node: NodeUrl = NODE_URL,
    as_json: AsJson = False,
) -> None:
    """Show what transactions changed for the wallet, oldest first."""
    keys = _keys(wallet)

    async def ask() -> list[HistoryEntry]:
        async with _opened(node, keys) as opened:
            return await opened.history()

    entries = run_async(ask())[-limit:]
    rows = [
        (_when(entry.timestamp), f"{entry.amount:+,}", entry.kind, " ".join(entry.counterparts))
        for entry in entries
    ]
    text = columns(("time (UTC)", "base units", "", "with"), rows) if rows else "nothing yet"
    show({"items": [_entry_json(entry) for entry in entries]}, text, as_json=as_json)


def _keys(path: Path) -> Keys:
    from cli.unlock import mnemonic_of
    from client.keys import Keys

    return Keys.from_mnemonic(mnemonic_of(path.expanduser()))


def _bech32(keys: Keys, index: int, hrp: str) -> str:
    from tangle.protocol.addresses import to_bech32

    return to_bech32(keys.derive(index=index).address, hrp)


async def _hrp(url: str, *, lenient: bool = False) -> str:
    """The node's network part; when `lenient` and no node tells it, that of a new network."""
    from client.errors import ClientError
    from client.rest import NodeClient
    from tangle.protocol.parameters import ProtocolParameters

    try:
        async with NodeClient(url) as node:
            return (await node.parameters()).bech32_hrp
    except ClientError:
        if lenient:
            return ProtocolParameters().bech32_hrp
        raise


@asynccontextmanager
async def _opened(url: str, keys: Keys, worker: Worker = Worker.NODE) -> AsyncIterator[Wallet]:
    from client.rest import NodeClient
    from client.wallet import Wallet

    async with NodeClient(url) as node:
        yield Wallet(node, keys, pow=await pow_by(node, worker))


def _sent_json(sent: Sent) -> Json:
    json: Json = {"transactionId": to_hex(sent.transaction.id), "blockId": to_hex(sent.block_id)}
    if sent.milestone_index is not None:
        json["milestoneIndex"] = sent.milestone_index
    return json


def _sent_text(sent: Sent) -> str:
    state = "posted, not waited for" if sent.milestone_index is None else f"included by {sent.milestone_index}"
    rows = [
        ("transaction", to_hex(sent.transaction.id)),
        ("block", to_hex(sent.block_id)),
        ("milestone", state),
    ]
    return facts(rows)


def _entry_json(entry: HistoryEntry) -> Json:
    return {
        "transactionId": to_hex(entry.transaction_id),
        "kind": entry.kind,
        "amount": str(entry.amount),
        "milestoneIndex": entry.milestone_index,
        "timestamp": entry.timestamp,
        "counterparts": list(entry.counterparts),
    }


def _when(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S}"


def _in_lines(words: str) -> str:
    """Six words a line, as people copy them."""
    listed = words.split()
    return "\n".join(" ".join(listed[i : i + 6]) for i in range(0, len(listed), 6))
