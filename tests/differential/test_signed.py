"""What iota-sdk 1.1 signs by itself: which unlock each input needs it finds as we do.

Random transactions are handed to its secret manager without any unlock. It makes the signatures, references, alias
and NFT unlocks and asks its own rules; what it then gives out is valid here, and nothing sound is kept back.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest

from tangle.protocol.conflicts import Conflict
from tangle.protocol.keys import COIN_TYPE, Keys
from tangle.protocol.outputs import OUTPUTS, AliasOutput, ExpirationUnlockCondition, Output
from tangle.protocol.serial import Fields, Json, to_hex
from tangle.protocol.transactions import inputs_commitment
from tests.differential.cases import Case
from tests.differential.oracle import input_data, ours, theirs
from tests.differential.scenes import worlds
from tests.networks import Key
from tests.state.rules.builders import Scene
from tests.state.rules.world import KEYS

sdk: Any = pytest.importorskip("iota_sdk", reason="PyPI iota-sdk has no wheel for this machine")

WORDS = " ".join(["abandon"] * 23 + ["art"])
"""the mnemonic of 256 zero bits"""
ACCOUNTS = {key: account for account, key in enumerate(KEYS.values())}
HASHES = {
    to_hex(key.address.public_key_hash): to_hex(Keys.from_mnemonic(WORDS).derive(account).address.public_key_hash)
    for key, account in ACCOUNTS.items()
}
"""of our keys, and of those that the secret manager has in their place"""


def prepared(scene: Scene) -> Json:
    """The transaction of `scene` as the library prepares one: no unlocks, but whose key each input may need."""
    essence, consumed = _rekeyed(
        [scene.transaction.essence.to_json(), [one.output.to_json() for one in scene.consumed]]
    )
    outputs = [OUTPUTS.from_json(Fields(output)) for output in consumed]
    essence["inputsCommitment"] = to_hex(inputs_commitment(outputs))
    inputs = [input_data(one.output_id, output) for one, output in zip(scene.consumed, consumed, strict=True)]
    for held, one, unlock in zip(inputs, scene.consumed, scene.unlocks, strict=True):
        key = unlock if isinstance(unlock, Key) else None
        if expires(one.output):
            key = KEYS[one.output.condition(ExpirationUnlockCondition).return_address]  # type: ignore[union-attr,index]
        if key is not None:
            path = {"account": ACCOUNTS[key], "change": 0, "addressIndex": 0}
            held["chain"] = {"coinType": COIN_TYPE, **path}
    return {"essence": essence, "inputsData": inputs}


def _rekeyed(value: Any) -> Any:
    text = json.dumps(value)
    for there, here in HASHES.items():
        text = text.replace(there, here)
    return json.loads(text)


def expires(output: Output) -> bool:
    """Whether the output has gone back by now; the library signs for the time of the clock."""
    return output.condition(ExpirationUnlockCondition) is not None


def is_missed(scene: Scene) -> bool:
    """Whether its owner is another one by now; or whether an alias ends, which its signer takes for a state
    transition unless it is told to burn it: it asks the state controller then, and refuses its own signature.
    """
    kept = {one.alias_id for one in scene.outputs if isinstance(one, AliasOutput)}
    aliases = [(one.output_id, one.output) for one in scene.consumed if isinstance(one.output, AliasOutput)]
    ended = any(output.chain_id(output_id) not in kept for output_id, output in aliases)
    return ended or any(expires(one.output) for one in scene.consumed)


def test_what_it_signs_is_valid_and_it_signs_what_is_sound() -> None:
    manager = sdk.SecretManager(sdk.MnemonicSecretManager(WORDS))
    now = int(time.time())
    unlocks: Counter[int] = Counter()
    for seed, _, scene in worlds():
        data = prepared(scene)
        try:
            payload = manager._call_method("signTransaction", {"preparedTransactionData": data})
        except sdk.SecretManagerError:
            assert scene.broken() or is_missed(scene), f"seed {seed}"
            continue
        case = Case.signed({"transactionPayload": payload, "inputsData": data["inputsData"]}, now)
        assert theirs(case) is Conflict.NONE
        assert ours(case) == (), f"seed {seed}"
        unlocks.update(unlock["type"] for unlock in payload["unlocks"])
    assert sorted(unlocks) == [0, 1, 2, 3]
    assert min(unlocks.values()) >= 5
