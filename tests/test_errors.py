"""The one base of errors: what a class declares is its constructor, its message and its meaning."""

from __future__ import annotations

import importlib
import pickle
import re
from pathlib import Path
from string import Formatter

import pytest

import tangle
from tangle.client.errors import NodeError
from tangle.errors import Ending, TangleError
from tangle.protocol.errors import DepositTooSmall


class Scarce(TangleError):
    """Less is there than needed."""

    code = "test_scarce"
    template = "{token}: {needed:,} {unit} are needed, {missing} more than there are"
    ending = Ending.INSUFFICIENT_FUNDS
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
    assert (error.ending.exit_code, error.ending.status) == (6, 500)
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


def kinds() -> list[type[TangleError]]:
    """Every class of errors of every room."""
    root = Path(tangle.__path__[0])
    for path in (path for room in sorted(root.iterdir()) for path in (room, *room.rglob("*.py"))):
        if path.suffix == ".py" and "Error):" in path.read_text():
            importlib.import_module(".".join((root.name, *path.relative_to(root).with_suffix("").parts)))
    return [kind for kind in TangleError.kinds() if kind.__module__.startswith("tangle.")]


KINDS = kinds()


def test_every_code_has_one_owner() -> None:
    owners: dict[str, list[str]] = {}
    for kind in KINDS:
        if "code" in vars(kind):
            owners.setdefault(kind.code, []).append(kind.__qualname__)
    assert len(owners) > 130
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}
    assert [code for code in owners if not re.fullmatch("[a-z][a-z0-9_]*", code)] == []
    # A class without a code of its own is a base, or is told its code by the node that was asked.
    assert {kind.__qualname__ for kind in KINDS if "code" not in vars(kind)} == {
        "NodeError",
        "JournalChanged",
        "WalletError",
    }


def test_every_message_is_made_of_what_its_class_declares() -> None:
    for kind in KINDS:
        named = {name for _, name, _, _ in Formatter().parse(kind.template) if name is not None}
        missing = {name for name in named - set(kind.fields) if not hasattr(kind, name)}
        assert not missing or kind.__subclasses__(), f"{kind.__qualname__} has no {missing}"
        assert "__str__" not in vars(kind) or kind is TangleError, f"{kind.__qualname__} writes a message by hand"
        assert kind.__doc__, kind.__qualname__


def drawn(text: str) -> dict[str, str]:
    """Class -> the class it stands below, as the docstring of a module draws them."""
    branches: list[tuple[int, str]] = []
    above: dict[str, str] = {}
    for line in text.splitlines():
        found = re.match(r"([│├└─ ]*)([A-Z]\w+(?:, [A-Z]\w+)*)(?:  |$)", line)
        if found is None:
            continue
        depth = len(found[1])
        branches = [branch for branch in branches if branch[0] < depth]
        names = found[2].split(", ")
        above.update({name: branches[-1][1] for name in names if branches})
        branches.append((depth, names[-1]))
    return above


@pytest.mark.parametrize(
    "room", sorted({kind.__module__ for kind in KINDS if kind.__module__.endswith(".errors")})
)
def test_the_docstring_of_a_room_draws_its_tree(room: str) -> None:
    tree = drawn(importlib.import_module(room).__doc__ or "")
    here = {kind.__name__: kind for kind in KINDS if kind.__module__ == room}
    assert tree.keys() == here.keys() - {"TangleError"}
    for name, above in tree.items():
        assert above in {kind.__name__ for kind in here[name].__mro__[1:]}, name


def test_what_passes_is_not_told_to_be_final() -> None:
    told_to_come_again = {kind.code for kind in KINDS if kind.ending is Ending.UNAVAILABLE and not kind.passes}
    assert told_to_come_again == {"pow_disabled"}
    for kind in KINDS:
        if kind.passes and kind.ending.status != 500:
            assert kind.ending in {Ending.UNAVAILABLE, Ending.TOO_OFTEN, Ending.TOO_SLOW}, kind.__qualname__


@pytest.mark.parametrize(
    ("status", "exit_code"), [(400, 5), (403, 5), (404, 4), (418, 5), (429, 5), (500, 1), (502, 1), (503, 1)]
)
def test_what_another_node_answers_ends_as_its_status_says(status: int, exit_code: int) -> None:
    error = NodeError(status, "deposit_too_small", "no")
    assert (error.ending.exit_code, error.passes) == (exit_code, status >= 500)
    assert error.hint == DepositTooSmall.hint
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.ending, again.passes) == (str(error), error.ending, error.passes)


EXIT_CODES = {
    2: """setting_invalid file_unreadable file_unwritable invalid_value ambiguous confirmation_needed
        bad_scenario bad_sweep bad_measure table_refused text_refused""",
    3: "node_unreachable",
    4: "not_found no_such_route not_held unknown_chain unknown_token unknown_input",
    6: "insufficient_funds not_enough_tokens funds_too_scattered",
    7: """wallet_file wallet_missing wallet_exists wallet_exposed wallet_malformed wallet_unwritable
        password_needed wrong_password""",
    8: "conflicting not_included_in_time not_funded answer_lost undecided partly_done",
    9: "port_unusable",
    10: """setup older_copy keys_missing keys_unusable data_in_use data_unusable other_network unknown_revision
        database_damaged network_exists no_network network_lost unusable_network database_unusable""",
    11: "audit_failed",
    12: """channel book book_in_use no_book book_exists book_failed channel_book channel_in_use no_channel
        channel_exists channel_broken nothing_read channel_elsewhere not_yet_published not_a_subscriber
        access_revoked""",
    13: "sim bad_attack bad_result bad_replay engine_missing sweep_failed",
}
"""exit code -> the codes that end so; all others end with 1 or 5. Part of the interface"""
REFUSED = """invalid_mnemonic invalid_metadata remainder_too_small too_many_tokens supply_exceeded locked_until
    not_controlled not_empty output_pending protocol pow_too_low attach unknown_parent"""
"""some that end with 5"""


def test_exit_codes_never_change() -> None:
    owned = [kind for kind in KINDS if "code" in vars(kind)]
    for exit_code, codes in EXIT_CODES.items():
        assert {kind.code for kind in owned if kind.ending.exit_code == exit_code} == set(codes.split())
    assert {kind.code for kind in owned if kind.ending.exit_code == 5} >= set(REFUSED.split())
    assert {kind.ending.exit_code for kind in owned} == {*EXIT_CODES, 1, 5}
