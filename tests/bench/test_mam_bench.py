"""The small table of channels runs, so that it cannot rot; only what is no time is judged."""

import pytest

from tests.bench import mam, mam_node


@pytest.mark.slow
def test_the_small_table() -> None:
    rows = mam.run(small=True)
    assert {frozenset(row) for row in rows} == {frozenset(("what", "ours", "rival", "ratio", "note"))}
    assert len({row["what"] for row in rows}) == len(rows)
    (overhead,) = (row for row in rows if row["what"] == "bytes beyond the body")
    assert int(overhead["ours"].removesuffix(" B")) <= 250
    through_node = [row for row in rows if "through a node" in row["what"]]
    assert len(through_node) == len(mam_node.WAYS)
    assert all(row["rival"] for row in through_node)
