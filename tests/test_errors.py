"""The one base of errors: what a class declares is its constructor, its message and its meaning."""

from __future__ import annotations

import pickle

import pytest

from tangle.errors import Outcome, TangleError


class Scarce(TangleError):
    """Less is there than needed."""

    code = "test_scarce"
    template = "{token}: {needed:,} {unit} are needed, {missing} more than there are"
    outcome = Outcome.INSUFFICIENT_FUNDS
    token: bytes
    needed: int
    there: int
    unit: str = "base units"

    @property
    def missing(self) -> int:
        return self.needed - self.there


class ScarceForNow(Scarce):
    """Less is there than needed, and more will come."""

    code = "test_scarce_for_now"
    passes = True
    hint = "wait"


def test_fields_make_the_message() -> None:
    error = ScarceForNow(b"\xab", 2_000, there=1)
    assert str(error) == "0xab: 2,000 base units are needed, 1999 more than there are"
    assert error.args == (b"\xab", 2_000, 1, "base units")
    assert (error.code, error.passes, error.hint) == ("test_scarce_for_now", True, "wait")
    assert (error.outcome.exit_code, error.outcome.status) == (6, 500)
    assert not Scarce(b"", 1, 0).passes


@pytest.mark.parametrize("values", [(), (b"", 1), (b"", 1, 0, "coins", "more")])
def test_a_field_too_few_or_too_many(values: tuple[bytes, ...]) -> None:
    kind: type[TangleError] = Scarce
    with pytest.raises(TypeError, match="Scarce takes token, needed, there, unit"):
        kind(*values)


def test_an_error_survives_the_way_between_processes() -> None:
    error = Scarce(b"\xab", 2, 1, unit="coins")
    error.needed = 3  # as `ProtocolError.inside` does, after it was made
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args, vars(again), str(again)) == (Scarce, error.args, vars(error), str(error))
