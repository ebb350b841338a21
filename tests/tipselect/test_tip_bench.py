"""The small bench table runs, so that it cannot rot."""

from tests.bench import tips


def test_the_small_table_is_whole() -> None:
    rows = tips.run(small=True)
    assert len(rows) == 5
    for row in rows:
        assert set(row) == {"what", "ours", "rival", "ratio", "note"}
        assert row["ours"]
    assert [bool(row["rival"]) for row in rows] == [True, True, True, False, False]
