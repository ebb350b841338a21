"""What of an output is written beside its bytes, so that it can be searched for: columns of `tables.outputs`."""

from __future__ import annotations

from typing import Any

from tangle.protocol.outputs import (
    AliasOutput,
    ChainOutput,
    ExpirationUnlockCondition,
    Output,
    StorageDepositReturnUnlockCondition,
    TimelockUnlockCondition,
)

_NONE = dict.fromkeys(
    ("governor", "issuer", "return_address", "timelock", "expiration", "expiration_address", "chain_id")
)


def columns_of(output_id: bytes, output: Output) -> dict[str, Any]:
    """Column name -> value, for the fields of `OutputRow` that follow from the output and its id (34 bytes)."""
    sender = output.sender
    columns: dict[str, Any] = {
        "output_id": output_id,
        "output_type": output.TYPE,
        "amount": output.amount,
        "data": output.encode(),
        "address": output.owner.encode(),
        "sender": sender.encode() if sender else None,
        "tag": output.tag,
        "native_tokens": len(output.native_tokens),
        **_NONE,
    }
    # Most outputs have the one condition that every output must have.
    for condition in output.unlock_conditions[1:]:
        if isinstance(condition, StorageDepositReturnUnlockCondition):
            columns["return_address"] = condition.return_address.encode()
        elif isinstance(condition, TimelockUnlockCondition):
            columns["timelock"] = condition.unix_time
        elif isinstance(condition, ExpirationUnlockCondition):
            columns["expiration"] = condition.unix_time
            columns["expiration_address"] = condition.return_address.encode()
    if isinstance(output, AliasOutput):
        columns["governor"] = output.governor.encode()
    if isinstance(output, ChainOutput):
        columns["issuer"] = output.issuer.encode() if output.issuer else None
        columns["chain_id"] = output.chain_id(output_id)
    return columns
