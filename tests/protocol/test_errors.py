"""The tree of errors: codes are an interface."""

import pytest

from tangle.errors import TangleError
from tangle.protocol import errors
from tangle.protocol.errors import ProtocolError

CODES = {
    "ProtocolError": "protocol",
    "Malformed": "malformed",
    "UnexpectedEnd": "unexpected_end",
    "TrailingBytes": "trailing_bytes",
    "UnknownType": "unknown_type",
    "MalformedJson": "malformed_json",
    "UnknownMember": "unknown_member",
    "MalformedAddress": "malformed_address",
    "BlockTooLong": "block_too_long",
    "CountOutOfRange": "count_out_of_range",
    "LengthOutOfRange": "length_out_of_range",
    "AmountOutOfRange": "amount_out_of_range",
    "IndexOutOfRange": "index_out_of_range",
    "TimeOutOfRange": "time_out_of_range",
    "NotSorted": "not_sorted",
    "Repeated": "repeated",
    "WrongNetwork": "wrong_network",
    "WrongProtocolVersion": "wrong_protocol_version",
    "ProofOfWorkTooLow": "pow_too_low",
    "DepositTooSmall": "deposit_too_small",
    "SelfUnlock": "self_unlock",
    "UnlockMismatch": "unlock_mismatch",
    "SignatureInvalid": "signature_invalid",
    "LockInvalid": "lock_invalid",
    "MilestoneInvalid": "milestone_invalid",
    "ParameterInvalid": "parameter_invalid",
    "InvalidMnemonic": "invalid_mnemonic",
    "InvalidSeed": "invalid_seed",
    "AttachError": "attach",
    "UnknownParent": "unknown_parent",
    "BelowMaxDepth": "below_max_depth",
    "WaitingRoomFull": "waiting_room_full",
    "WindowFull": "window_full",
    "MilestoneOutOfOrder": "milestone_out_of_order",
}
"""A code never changes its meaning: a line here may be added, never edited."""

CLASSES = {kind.__name__: kind for kind in TangleError.kinds() if kind.__module__ == errors.__name__}


def test_every_class_has_its_code() -> None:
    assert {name: kind.code for name, kind in CLASSES.items()} == CODES


@pytest.mark.parametrize(
    ("field", "outer", "path"),
    [
        ("amount", ["outputs[0]", "essence", "payload"], "payload.essence.outputs[0].amount"),
        ("", ["parents[1]"], "parents[1]"),
        ("[1]", ["parents"], "parents[1]"),
        ("type", [], "type"),
    ],
)
def test_inside_builds_a_path(field: str, outer: list[str], path: str) -> None:
    error = ProtocolError(field, "is wrong")
    for name in outer:
        assert error.inside(name) is error
    assert error.field == path
    assert str(error) == f"{path}: is wrong"


def test_an_error_without_field_is_its_rule() -> None:
    assert str(ProtocolError("", "must be an object")) == "must be an object"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (errors.UnknownParent(b"\xab" * 32), "ab" * 32),
        (errors.BelowMaxDepth(b"\xab" * 32, 15), "more than 15 milestones"),
        (errors.WaitingRoomFull(), "wait for their parents"),
        (errors.WindowFull(), "without a milestone"),
        (errors.MilestoneOutOfOrder(7, 6), "milestone 7 does not follow; 6 is expected"),
    ],
)
def test_attach_errors_say_what_to_do(error: errors.AttachError, says: str) -> None:
    assert says in str(error)
