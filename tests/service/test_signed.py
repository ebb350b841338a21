"""An older copy of a data directory is known by what was signed, and used only when an operator says so."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tangle.audit import audit
from tangle.service.clock import Moment
from tangle.service.errors import DataUnusable, OlderCopy
from tangle.service.founding import OpenNode, make_network, open_node
from tangle.service.settings import Settings
from tangle.service.signed import JOURNALS_MAX, Signed
from tangle.service.writer import commit

NOW = Moment(1_700_000_000.0, 10.0, "run")


def opened(data: Path, **settings: Any) -> OpenNode:
    loaded = Settings.load(data=data, min_pow_score=0, pow=False, **settings)
    make_network(loaded)
    return open_node(loaded)


def issue(node: OpenNode, count: int) -> int:
    """Issue milestones as the writer does; returns the index of the last."""
    assert node.signed is not None
    for _ in range(count):
        head = node.node.reading.milestone
        node.signed.signing(head.index + 1, NOW)
        commit(node.node, partial(node.node.issue, head.timestamp + 1))
        node.signed.kept(head.index + 1)
    return node.node.reading.milestone.index


@pytest.mark.parametrize("whole", [True, False], ids=["the whole directory", "the database alone"])
def test_an_older_copy_is_refused_until_an_operator_agrees(tmp_path: Path, whole: bool) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    first = opened(data)
    old = issue(first, 2)
    store = first.node.network.store_id
    first.close()
    shutil.copytree(data, copy)
    second = opened(data)
    new = issue(second, 3)
    second.close()
    if whole:
        shutil.rmtree(data)
        shutil.copytree(copy, data)
    else:
        shutil.copy(copy / "tangle.db", data / "tangle.db")
    for wrong in ({}, {"accept_older_copy": new}, {"accept_older_copy": old - 1}):
        with pytest.raises(OlderCopy, match=f"--accept-older-copy {old}") as caught:
            opened(data, **wrong)
        assert (caught.value.index, caught.value.signed) == (old, new)
    agreed = opened(data, accept_older_copy=old)
    assert agreed.node.network.store_id != store, "positions of the lost history mean nothing any more"
    issue(agreed, 1)
    audit(agreed.node.engine)
    agreed.close()
    opened(data).close()
    # The same copy once more: what was signed under the old id is still known.
    shutil.copy(copy / "tangle.db", data / "tangle.db")
    with pytest.raises(OlderCopy):
        opened(data)


def test_a_crash_between_signing_and_the_commit_is_no_older_copy(tmp_path: Path) -> None:
    node = opened(tmp_path / "data")
    index = issue(node, 1)
    assert node.signed is not None
    node.signed.signing(index + 1, NOW)
    node.close()
    again = opened(tmp_path / "data")
    assert issue(again, 1) == index + 1
    again.close()


def test_files_keep_some_journals_and_say_when_they_cannot_be_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    names = [f"{number:032x}" for number in range(JOURNALS_MAX + 3)]
    for name in names:
        signed = Signed(data)
        signed.begin(name, 5, NOW)
        signed.signing(6, NOW)
        signed.kept(6)
        signed.close()
    known = Signed(data)
    assert [known.known(name) is not None for name in names] == [False] * 3 + [True] * JOURNALS_MAX
    line = known.known(names[-1])
    assert line is not None
    assert (line.kept, line.moment) == (6, NOW)
    (tmp_path / "data.signed").write_text("what is this\n")
    with pytest.raises(DataUnusable, match=r"data\.signed"):
        Signed(data)
