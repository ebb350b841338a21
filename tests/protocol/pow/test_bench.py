"""The small bench runs, so that it cannot rot; its figures are not judged here."""

from tests.bench import pow as bench


def test_small_bench_has_its_rows() -> None:
    rows = bench.run(small=True)
    assert {"what", "ours", "rival", "ratio", "note"} == set(rows[0])
    assert any("1 core" in row["what"] for row in rows)
    assert all(row["ours"] for row in rows)
