"""PyPI iota-sdk, as it is, with everything that an account can hold, against a node in a process of its own.

Every transaction that the library builds here is judged before it is sent, by its own validation and by ours: they
must both find it valid, and must still agree after one change of it or another.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tangle.protocol.conflicts import Conflict
from tangle.protocol.keys import Keys
from tangle.protocol.parameters import ProtocolParameters
from tangle.protocol.serial import Json, to_hex, uint
from tests.differential.cases import Case, Seeds
from tests.differential.oracle import ours, theirs
from tests.differential.verdicts import differences
from tests.e2e.nodes import NodeProcess
from tests.e2e.sdk import (
    FAUCET_AMOUNT,
    address_of,
    balance_of,
    fund,
    make_client,
    make_wallet,
    sdk,
    settled,
    until,
)

SETTINGS = {"min_pow_score": 1}
"""work has its own tests; here it would only take time"""
PARAMETERS = ProtocolParameters(min_pow_score=1)
ACCOUNTS = 14
Owners = list[tuple[Any, str]]
"""accounts and the ids of their tokens, for one test each to take"""
CHANGES = 40
"""changes of each transaction that are judged"""
SOON_S = 4
"""seconds after which what is timed comes due"""
WATER = {"standard": "IRC30", "name": "Water", "symbol": "H2O", "decimals": 3}
CAR = {
    "standard": "IRC27",
    "version": "v1.0",
    "type": "image/png",
    "uri": "https://example.org/car",
    "name": "Car",
}


def text_hex(value: object) -> str:
    return str(sdk.utf8_to_hex(json.dumps(value)))


@dataclass
class Network:
    """A node, a client of it, one wallet, and the keys of the wallet's accounts.

    Attributes
    ----------
    words : the wallet's mnemonic
    spare : funded accounts that no test has taken
    """

    node: NodeProcess
    client: Any
    words: str
    seeds: Seeds
    spare: list[Any]

    def take(self) -> Any:
        """A funded account, for one test alone."""
        return self.spare.pop()

    def send(self, account: Any, prepared: Any) -> Any:
        """Have `account` sign, judge what it signed, send it, and wait until the ledger has it."""
        return self.settle(account, self.submit(account, prepared))

    def send_all(self, prepared: Mapping[Any, Any]) -> list[Any]:
        """The same for several accounts at once."""
        sent = [(account, self.submit(account, one)) for account, one in prepared.items()]
        return [self.settle(account, one) for account, one in sent]

    def submit(self, account: Any, prepared: Any) -> Any:
        """Have `account` sign, judge what it signed, and send it."""
        signed = prepared.sign()
        self.judge(signed.as_dict())
        return account.submit_and_store_transaction(signed)

    def settle(self, account: Any, sent: Any) -> Any:
        """Wait until the ledger has what was sent; the account's new balance."""
        metadata = settled(self.client, sent.blockId)
        assert (metadata.ledgerInclusionState, metadata.conflictReason) == ("included", None)
        return balance_of(account)

    def judge(self, signed: Json) -> None:
        """Valid to both; after a change the verdicts agree."""
        case = Case.signed(signed, int(time.time()))
        assert theirs(case, PARAMETERS) is Conflict.NONE
        assert ours(case, PARAMETERS) == ()
        seed = random.randrange(2**32)
        tried, found = differences(case, random.Random(seed), CHANGES, self.seeds, PARAMETERS)
        assert found == [], f"seed {seed}"
        assert tried


@pytest.fixture(scope="module")
def network(shared_node: NodeProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Accounts with coins, one for each part in a test."""
    words = sdk.Utils.generate_mnemonic()
    wallet = make_wallet(shared_node, str(tmp_path_factory.mktemp("wallets") / "wallet"), words)
    accounts = [wallet.create_account(f"account {i}") for i in range(ACCOUNTS)]
    client = make_client(shared_node, local_pow=True)
    fund(client, shared_node, *accounts)
    keys = Keys.from_mnemonic(words)
    pairs = [keys.derive(account) for account in range(ACCOUNTS)]
    seeds = {to_hex(pair.public_key): pair.seed for pair in pairs}
    yield Network(shared_node, client, words, seeds, accounts)
    wallet.destroy()


def amounts(balance: Any) -> list[int]:
    """What a balance says of its one native token: all of it, and what may be spent."""
    (token,) = balance.nativeTokens
    return [int(token.total, 16), int(token.available, 16)]


@pytest.fixture(scope="module")
def owners(network: Network) -> Owners:
    """Accounts that each have an alias, and 100 of a native token of it; with the token's id."""
    accounts = [network.take() for _ in range(3)]
    network.send_all({account: account.prepare_create_alias_output() for account in accounts})
    parameters = sdk.CreateNativeTokenParams(100, 1_000, foundryMetadata=text_hex(WATER))
    prepared = {account: account.prepare_create_native_token(parameters) for account in accounts}
    network.send_all(prepared)
    return [(account, one.token_id()) for account, one in prepared.items()]


def test_token_is_minted_sent_claimed_melted_and_burned(network: Network, owners: Owners) -> None:
    (owner, token), friend = owners.pop(), network.take()
    balance = network.send(owner, owner.prepare_mint_native_token(token, 50))
    assert amounts(balance) == [150, 150]

    gift = sdk.SendNativeTokensParams(address_of(friend), [(token, hex(30))])
    network.send(owner, owner.prepare_send_native_tokens([gift]))
    # It comes with a deposit that goes back, and so has to be claimed.
    assert balance_of(friend).nativeTokens == []
    (claimable,) = friend.claimable_outputs("All")
    balance = network.send(friend, friend.prepare_claim_outputs([claimable]))
    assert amounts(balance) == [30, 30]
    assert json.loads(sdk.hex_to_utf8(balance.nativeTokens[0].metadata)) == WATER

    balance = network.send(owner, owner.prepare_melt_native_token(token, 20))
    assert amounts(balance) == [100, 100]
    balance = network.send(owner, owner.prepare_burn(sdk.Burn().add_native_token(sdk.NativeToken(token, hex(10)))))
    assert amounts(balance) == [90, 90]
    assert (balance.foundries, len(balance.aliases)) == ([token], 1)


def test_what_is_melted_whole_is_destroyed_and_all_coins_are_free_again(network: Network, owners: Owners) -> None:
    account, token = owners.pop()
    network.send(account, account.prepare_melt_native_token(token, 100))
    balance = network.send(account, account.prepare_destroy_foundry(token))
    assert balance.foundries == []
    balance = network.send(account, account.prepare_destroy_alias(balance.aliases[0]))
    assert balance.aliases == []
    assert int(balance.baseCoin.available) == FAUCET_AMOUNT


def test_nft_is_minted_sent_and_burned(network: Network) -> None:
    issuer, holder = network.take(), network.take()
    car = sdk.MintNftParams(immutableMetadata=text_hex(CAR), issuer=address_of(issuer), tag=sdk.utf8_to_hex("car"))
    (nft_id,) = network.send(issuer, issuer.prepare_mint_nfts([car])).nfts
    sent = sdk.SendNftParams(address_of(holder), nft_id)
    assert network.send(issuer, issuer.prepare_send_nft([sent])).nfts == []
    assert balance_of(holder).nfts == [nft_id]
    held = network.client.get_output(network.client.nft_output_id(nft_id)).output
    assert [feature.data for feature in held.immutableFeatures if feature.type == 2] == [text_hex(CAR)]
    balance = network.send(holder, holder.prepare_burn_nft(nft_id))
    assert balance.nfts == []
    assert int(balance.baseCoin.available) > FAUCET_AMOUNT


def conditional(account: Any, to: Any, amount: int, **terms: Any) -> Any:
    """An output for `to` that pays for its storage itself."""
    return account.prepare_output(sdk.OutputParams(address_of(to), str(amount), **terms))


def test_expired_timelocked_and_lent_outputs(network: Network) -> None:
    sender, receiver = network.take(), network.take()
    soon = int(time.time()) + SOON_S
    late = soon + 3_600
    outputs = [
        conditional(sender, receiver, 1_000_000, unlocks=sdk.Unlocks(expirationUnixTime=soon)),
        conditional(sender, receiver, 2_000_000, unlocks=sdk.Unlocks(timelockUnixTime=soon)),
        conditional(sender, receiver, 4_000_000, unlocks=sdk.Unlocks(expirationUnixTime=late)),
        conditional(sender, receiver, 8_000_000, unlocks=sdk.Unlocks(timelockUnixTime=late)),
        # Less than a deposit: what is missing is lent, and comes back with the claim.
        conditional(sender, receiver, 300, unlocks=sdk.Unlocks(expirationUnixTime=late)),
    ]
    sent = network.submit(sender, sender.prepare_transaction(outputs))
    network.settle(sender, sent)
    expiring, locked, claimable, locked_late, lent = (
        sent.transactionId + to_hex(uint(i, 2))[2:] for i in range(len(outputs))
    )
    # Claimed by the receiver in time; the deposit goes back.
    balance = balance_of(receiver)
    assert balance.potentiallyLockedOutputs[claimable] is balance.potentiallyLockedOutputs[lent] is True
    assert balance.potentiallyLockedOutputs[locked_late] is False
    assert receiver.claimable_outputs("MicroTransactions") == [lent]
    network.send(receiver, receiver.prepare_claim_outputs([claimable, lent]))

    until(lambda: time.time() > soon + 1, "expiration and timelock")
    balance_of(sender)
    assert sender.claimable_outputs("All") == [expiring]
    taken_back = network.submit(sender, sender.prepare_claim_outputs([expiring]))
    balance = balance_of(receiver)
    assert locked not in balance.potentiallyLockedOutputs
    assert int(balance.baseCoin.available) == FAUCET_AMOUNT + 6_000_300
    everything = sdk.SendParams(address_of(receiver), balance.baseCoin.available)
    spent = network.submit(receiver, receiver.prepare_send([everything]))
    balance = network.settle(sender, taken_back)
    assert int(balance.baseCoin.available) == FAUCET_AMOUNT - 14_000_300
    balance = network.settle(receiver, spent)
    assert int(balance.baseCoin.available) == FAUCET_AMOUNT + 6_000_300
    assert receiver.get_output(locked).isSpent


def test_coins_of_an_alias_and_of_an_nft_are_spent_and_the_alias_changes_hands(network: Network) -> None:
    holder, giver = network.take(), network.take()
    minted = giver.prepare_mint_nfts([sdk.MintNftParams(address=address_of(holder))])
    network.send_all({holder: holder.prepare_create_alias_output(), giver: minted})
    balance = balance_of(holder)
    (alias_id,), (nft_id,) = balance.aliases, balance.nfts
    accounts = (sdk.Utils.alias_id_to_bech32(alias_id, "tgl"), sdk.Utils.nft_id_to_bech32(nft_id, "tgl"))
    gifts = [giver.prepare_output(sdk.OutputParams(address, "1000000")) for address in accounts]
    sent = network.submit(giver, giver.prepare_transaction(gifts))
    network.settle(giver, sent)
    available = int(balance_of(holder).baseCoin.available)
    options = sdk.TransactionOptions(mandatory_inputs=[sent.transactionId + end for end in ("0000", "0100")])
    both = sdk.SendParams(address_of(giver), "2000000")
    balance = network.send(holder, holder.prepare_send([both], options))
    assert int(balance.baseCoin.available) == available - 2_000_000
    assert (balance.aliases, balance.nfts) == ([alias_id], [nft_id])

    held = network.client.get_output(network.client.alias_output_id(alias_id)).output
    assert held.stateIndex == 1
    controller, governor = (sdk.Utils.parse_bech32_address(address_of(one)) for one in (giver, holder))
    handed_over = network.client.build_alias_output(
        alias_id=alias_id,
        amount=held.amount,
        state_index=held.stateIndex,
        unlock_conditions=[
            sdk.StateControllerAddressUnlockCondition(controller),
            sdk.GovernorAddressUnlockCondition(governor),
        ],
    )
    network.send(holder, holder.prepare_transaction([handed_over]))
    assert balance_of(giver).aliases == [alias_id]


def test_200_outputs_become_one(network: Network) -> None:
    givers, receiver = [network.take(), network.take()], network.take()
    hundred = [conditional(givers[0], receiver, 1_000)] * 100
    network.send_all({giver: giver.prepare_transaction(hundred) for giver in givers})
    balance_of(receiver)
    assert len(receiver.unspent_outputs()) == 201
    rounds = 0
    while len(receiver.unspent_outputs()) > 1:
        network.send(receiver, receiver.prepare_consolidate_outputs(sdk.ConsolidationParams(force=True)))
        rounds += 1
    assert rounds == 2
    assert int(balance_of(receiver).baseCoin.available) == FAUCET_AMOUNT + 200_000


def test_an_account_that_holds_everything_is_found_again_from_its_words(
    network: Network, owners: Owners, tmp_path: Path
) -> None:
    (holder, token), giver = owners.pop(), network.take()
    nfts = sdk.MintNftParams(immutableMetadata=text_hex(CAR))
    late = int(time.time()) + 3_600
    outputs = [
        conditional(giver, holder, 1_000_000),
        conditional(giver, holder, 2_000_000, unlocks=sdk.Unlocks(expirationUnixTime=late)),
        conditional(giver, holder, 4_000_000, unlocks=sdk.Unlocks(timelockUnixTime=late)),
    ]
    network.send_all({holder: holder.prepare_mint_nfts([nfts]), giver: giver.prepare_transaction(outputs)})
    before = balance_of(holder)

    assert amounts(before) == [100, 100]
    assert (before.foundries, len(before.aliases), len(before.nfts)) == ([token], 1, 1)
    deposits = before.requiredStorageDeposit
    assert all(int(deposit) > 0 for deposit in (deposits.alias, deposits.foundry, deposits.nft, deposits.basic))
    assert int(before.baseCoin.total) == FAUCET_AMOUNT + 1_000_000
    assert sorted(before.potentiallyLockedOutputs.values()) == [False, True]
    wallet = make_wallet(network.node, str(tmp_path / "found again"), network.words)
    try:
        index = holder.get_metadata().index
        wallet.recover_accounts(0, ACCOUNTS, 1, None)
        again = balance_of(wallet.get_account(index))
        assert again == before
    finally:
        wallet.destroy()
