"""`tangle machine send-on`: money at a machine that nobody ordered with goes back, or on to an address.

The machine holds the coins and their key, so it is asked by a signed instruction in the Tangle, like everything
its owner asks of it; it may run anywhere.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tangle.cli.errors import InvalidValue
from tangle.cli.group import command
from tangle.cli.output import show_done
from tangle.cli.session import Worker, pow_by, run_async
from tangle.cli.wallet.session import ProofOfWork, Where
from tangle.client.node.attach import attach
from tangle.client.node.rest import NodeClient
from tangle.errors import NotFound
from tangle.machines.facts import SEND_ON
from tangle.machines.messages import seal, unseal
from tangle.machines.terms import Terms, machine_tag, read_machine
from tangle.parties.errors import MessageRefused
from tangle.parties.seed import read_keys
from tangle.protocol.addresses import Address, Ed25519Address, from_bech32
from tangle.protocol.keys import KeyPair
from tangle.protocol.serial import Json, to_hex
from tangle.protocol.tagged_data import TaggedData
from tangle.terminal.live import progress


@command("machine send-on tgl1q… --back")
def send_on(
    where: Where,
    machine: Annotated[str, typer.Argument(metavar="MACHINE", help="Address of the machine.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Send all of it to this address.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Send each coin back to the key that paid it.")] = False,
    seed_file: Annotated[
        Path | None, typer.Option("--seed-file", metavar="FILE", help="The owner's seed, instead of a wallet.")
    ] = None,
    worker: ProofOfWork = Worker.AUTO,
) -> None:
    """The machine tells in its log what lies there. The wallet, or the seed, must be that of the address which is
    paid for each unit.
    """
    if (to is None) != back:
        raise InvalidValue("--to", "must say where the money goes, or --back that it goes back; one of the two")
    if seed_file is not None and not seed_file.exists():
        raise InvalidValue("--seed-file", f"names {seed_file}, which is not there")
    key = (where.keys if seed_file is None else read_keys(seed_file)).derive(where.account)

    async def post() -> Json:
        async with NodeClient(where.node) as client:
            hrp = (await client.parameters()).bech32_hrp
            asked = read_machine(machine, hrp)
            receiver = from_bech32(to, hrp, field="--to") if to else None
            await _check_owner(client, asked, key)
            payload = TaggedData(machine_tag(asked), _instruction(asked, receiver, key))
            block_id = await attach(client, payload, pow=await pow_by(client, worker))
        return {"machine": machine, "blockId": to_hex(block_id)} | ({"to": to} if to else {})

    with progress("asking the machine", as_json=where.as_json):
        told = run_async(post())
    text = f"asked; the machine sends it {f'to {to}' if to else 'back'} as soon as it reads this, and says so"
    show_done(told, f"{text}\nblock        {told['blockId']}", as_json=where.as_json)


def _instruction(machine: Ed25519Address, to: Address | None, key: KeyPair) -> bytes:
    # A later instruction has a higher number; an old one that is posted again changes nothing.
    where = {"to": to.to_json()} if to else {}
    number = time.time_ns() // 1_000_000
    return seal({"kind": SEND_ON, "machine": machine.to_json(), "number": number, **where}, key)


async def _check_owner(node: NodeClient, machine: Ed25519Address, key: KeyPair) -> None:
    """Raise unless the machine has said that this key's address is its owner."""
    owner: Address | None = None
    async for found in node.tagged_data(machine_tag(machine)):
        try:
            message = unseal(found.data)
        except MessageRefused:
            continue
        if message.kind == Terms.KIND and message.sender == machine:
            owner = Terms.from_json(message.body).owner
    if owner is None:
        raise NotFound("no machine has announced itself under this address")
    if owner != key.address:
        raise InvalidValue(
            "--wallet", "must hold the key of the machine's owner, which takes no instruction of others"
        )
