"""What PyPI iota-sdk, as it is, says of a transaction, and what we say of it, in the same words.

Its validation was written by others, in Rust, for the networks that ran these rules. A refusal with words of its
own means that the form is wrong already; a form that is right may still be in conflict with the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tangle.protocol.blocks import PAYLOADS
from tangle.protocol.conflicts import Conflict
from tangle.protocol.errors import ProtocolError
from tangle.protocol.outputs import OUTPUTS
from tangle.protocol.serial import Fields, Json, from_hex, to_hex
from tangle.protocol.transactions import Transaction, check_transaction
from tangle.state.rules import Consumed, semantic_context, violations
from tangle.state.rules.reasons import AnyRule
from tests.networks import PARAMETERS

if TYPE_CHECKING:
    from tangle.protocol.parameters import ProtocolParameters
    from tests.differential.cases import Case

sdk: Any = pytest.importorskip("iota_sdk.utils", reason="iota-sdk has no wheel for this machine")

REASONS = {
    "None": Conflict.NONE,
    "CreatedConsumedAmountMismatch": Conflict.AMOUNTS_DO_NOT_BALANCE,
    "InvalidSignature": Conflict.SIGNATURE_INVALID,
    "TimelockNotExpired": Conflict.TIMELOCK_NOT_EXPIRED,
    "InvalidNativeTokens": Conflict.NATIVE_TOKENS_INVALID,
    "StorageDepositReturnUnfulfilled": Conflict.RETURN_AMOUNT_NOT_FULFILLED,
    "InvalidUnlock": Conflict.INPUT_UNLOCK_INVALID,
    "InputsCommitmentsMismatch": Conflict.INPUTS_COMMITMENT_INVALID,
    "UnverifiedSender": Conflict.SENDER_NOT_UNLOCKED,
    "InvalidChainStateTransition": Conflict.CHAIN_TRANSITION_INVALID,
}
INPUT_NOT_FOUND = "input not found"
Ours = tuple[AnyRule, ...] | str
"""all rules that are broken, none for a valid transaction; or why the form is refused"""
Theirs = Conflict | str
"""the reason of the first broken rule, or why the form is refused"""


def ask(method: str, **data: Any) -> Any:
    """What the library answers; its public functions would want objects of its own, which check by themselves."""
    return sdk._call_method(method, data)


def essence_hash(essence: Json) -> bytes | None:
    """The hash that is signed; None where the library cannot read the essence."""
    try:
        return from_hex(ask("hashTransactionEssence", essence=essence), "hash")
    except (sdk.UtilsError, ValueError):
        return None


def theirs(case: Case, parameters: ProtocolParameters = PARAMETERS) -> Theirs:
    """The library's verdict: syntax first, then semantics, of which it tells the first reason."""
    try:
        ask("verifyTransactionSyntax", transaction=case.payload, protocolParameters=parameters.to_json())
        inputs = [input_data(*held) for held in zip(case.ids, case.consumed, strict=True)]
        found = ask("verifyTransactionSemantic", transaction=case.payload, inputs=inputs, time=case.at)
    except (sdk.UtilsError, ValueError) as error:  # the latter where it cannot even read the JSON
        return str(error)
    return REASONS[found]


def input_data(output_id: bytes, output: Json) -> Json:
    """An input as the library is told of it: its `InputSigningData`, without whose key it needs."""
    metadata = {
        "blockId": to_hex(bytes(32)),
        "transactionId": to_hex(output_id[:32]),
        "outputIndex": int.from_bytes(output_id[32:], "little"),
        "isSpent": False,
        "milestoneIndexBooked": 1,
        "milestoneTimestampBooked": 1,
        "ledgerIndex": 1,
    }
    return {"output": output, "outputMetadata": metadata}


def ours(case: Case, parameters: ProtocolParameters = PARAMETERS) -> Ours:
    """Our verdict, as the door and then the ledger would give it."""
    try:
        transaction = PAYLOADS.from_json(Fields(case.payload))
        assert isinstance(transaction, Transaction)
        check_transaction(transaction, parameters)
    except ProtocolError as error:
        return f"{error.code} {error.field}"
    if tuple(consumed.output_id for consumed in transaction.essence.inputs) != case.ids:
        return INPUT_NOT_FOUND
    outputs = [OUTPUTS.from_json(Fields(output)) for output in case.consumed]
    inputs = [Consumed(output_id, output, case.at) for output_id, output in zip(case.ids, outputs, strict=True)]
    return tuple(violations(semantic_context(transaction, inputs, case.at)))
