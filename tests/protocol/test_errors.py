"""The tree of errors: codes are an interface, and the drawing in the docstring is the tree."""

import re

import pytest

from tangle.errors import TangleError
from tangle.protocol import errors
from tangle.protocol.errors import ProtocolError

CODES = {
    "TangleError": "tangle_error",
    "ProtocolError": "protocol",
    "Malformed": "malformed",
    "UnexpectedEnd": "unexpected_end",
    "TrailingBytes": "trailing_bytes",
    "UnknownType": "unknown_type",
    "MalformedJson": "malformed_json",
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

CLASSES = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, TangleError)
}


def drawn() -> dict[str, str]:
    """Class -> base class, as the docstring of the module draws them."""
    assert errors.__doc__ is not None
    branches: list[tuple[int, str]] = []
    bases: dict[str, str] = {}
    for line in errors.__doc__.splitlines():
        found = re.match(r"    ([│├└─ ]*)([A-Z]\w+(?:, [A-Z]\w+)*)(?:  |$)", line)
        if found is None:
            continue
        depth = len(found[1])
        branches = [branch for branch in branches if branch[0] < depth]
        names = found[2].split(", ")
        bases.update({name: branches[-1][1] for name in names if branches})
        branches.append((depth, names[-1]))
    return bases


def test_every_class_has_its_code() -> None:
    assert {name: kind.code for name, kind in CLASSES.items()} == CODES


def test_no_two_classes_share_a_code() -> None:
    assert len(set(CODES.values())) == len(CODES)


def test_the_docstring_draws_the_tree() -> None:
    assert drawn() == {
        name: kind.__bases__[0].__name__ for name, kind in CLASSES.items() if kind is not TangleError
    }


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
