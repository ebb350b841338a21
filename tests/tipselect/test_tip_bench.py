"""The small bench table runs, so that it cannot rot."""

from tangle.tipselect import selectors
from tests.bench import tips


def test_the_small_table_is_whole() -> None:
    rows = tips.run(small=True)
    for row in rows:
        assert set(row) == {"what", "ours", "rival", "ratio", "note"}
        assert row["ours"]
        assert bool(row["rival"]) == bool(row["ratio"])
    names = [row["what"] for row in rows]
    sized = ["weighted tip pair", "exact weights, per block", "confidence of the window", "attach, blocks/s"]
    for what in [*sized, "memory of the window"]:
        for size in ("2,000", "10,000"):
            assert f"{what}, {size} blocks" in names
    for name in selectors.SELECTORS:
        assert any(what.startswith(f"{name} tip pair") for what in names)
    rivals = {row["what"].split(",")[0] for row in rows if row["rival"]}
    assert rivals == {"weighted tip pair", "exact weights", "confidence of the window"}
