"""Driving PyPI iota-sdk, as it is: clients, wallets, and waiting for what a node does.

Its binding holds Python's lock for the length of a call, so a node in this process could never answer it; and its
calls are bounded by its own time limits, for no signal reaches Python meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from tests.e2e.nodes import NodeProcess

sdk: Any = pytest.importorskip("iota_sdk", reason="PyPI iota-sdk has no wheel for this machine")

T = TypeVar("T")
WAIT_S = 20
"""seconds that a wait may take: a milestone comes after one"""
LOOK_S = 0.1
ANSWER_S = timedelta(seconds=15)
FAUCET_AMOUNT = 1_000_000_000


def make_client(node: NodeProcess, *, local_pow: bool) -> Any:
    """A client of `node` alone; without local work, the node must do it."""
    # Without the fallback a node that does no work cannot hide behind the client's.
    return sdk.Client(
        nodes=[node.url],
        local_pow=local_pow,
        fallback_to_local_pow=False,
        api_timeout=ANSWER_S,
        remote_pow_timeout=ANSWER_S,
    )


def make_wallet(node: NodeProcess, path: str, mnemonic: str) -> Any:
    """A wallet with its storage at `path`."""
    options = sdk.ClientOptions(nodes=[node.url], localPow=True)
    return sdk.Wallet(path, options, sdk.CoinType.IOTA, sdk.MnemonicSecretManager(mnemonic))


def until(look: Callable[[], T | None], what: str) -> T:
    """What `look` finds as soon as it finds something."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(LOOK_S)
    raise AssertionError(f"waited {WAIT_S} s for {what}")


def settled(client: Any, block_id: str) -> Any:
    """The metadata of a block that a milestone has referenced."""

    def look() -> Any:
        metadata = client.get_block_metadata(block_id)
        return metadata if metadata.referencedByMilestoneIndex else None

    return until(look, f"a milestone that references {block_id}")


def balance_of(account: Any) -> Any:
    """Everything that an account holds, freshly asked for."""
    every = {"basic_outputs": True, "alias_outputs": True, "nft_outputs": True}
    options = sdk.SyncOptions(
        force_syncing=True,
        sync_incoming_transactions=True,
        sync_native_token_foundries=True,
        account=sdk.AccountSyncOptions(**every),
        alias=sdk.AliasSyncOptions(**every, foundry_outputs=True),
        nft=sdk.NftSyncOptions(**every),
    )
    return account.sync(options)


def synced(account: Any) -> Any:
    """The base coins of an account, freshly asked for."""
    return balance_of(account).baseCoin


def address_of(account: Any) -> str:
    """The first address of an account."""
    return str(account.addresses()[0].address)


def fund(client: Any, node: NodeProcess, *accounts: Any) -> None:
    """Have the faucet pay accounts that have nothing."""
    for account in accounts:
        answer = client.request_funds_from_faucet(f"{node.url}/api/tangle/v1/faucet/enqueue", address_of(account))
        assert address_of(account) in answer
    for account in accounts:
        until(lambda one=account: int(synced(one).available) == FAUCET_AMOUNT, "the faucet's payment")  # type: ignore[misc]
