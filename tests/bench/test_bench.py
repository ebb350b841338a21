"""The small tables run, so that they cannot rot; their figures are not judged here.

Those of proof of work and tip selection are tested beside what they measure.
"""

import re
from pathlib import Path

import orjson
import pytest

from tangle.protocol.blocks import Block
from tangle.protocol.serial import Fields
from tests.bench import __main__ as bench
from tests.bench import by_hand, codec, dear, ledger, machine, overload, posts, restart
from tests.bench.generator import binary_block, json_block

COLUMNS = {"what", "ours", "rival", "ratio", "note"}


@pytest.mark.slow
def test_posts_are_all_answered_by_node_and_rival() -> None:
    rows = posts.run(small=True)
    assert [set(row) for row in rows] == [COLUMNS] * 5
    rates = [row for row in rows if row["what"].endswith("blocks/s")]
    assert len(rates) == 2
    for row in rates:
        assert number(row["ours"]) > 0
        assert number(row["rival"]) > 0
    for row in rows:
        if row not in rates:
            median, high = (number(part) for part in row["ours"].split("/"))
            assert 0 < median <= high


@pytest.mark.slow
def test_an_overload_loses_nothing() -> None:
    rows = overload.run(small=True)
    assert [set(row) for row in rows] == [COLUMNS] * 3
    assert number(rows[0]["ours"].split("/")[0]) > 0


@pytest.mark.slow
def test_posts_go_on_beside_dear_questions() -> None:
    rows = dear.run(small=True)
    assert len(rows) == 20
    assert {frozenset(row) for row in rows} == {frozenset(COLUMNS)}
    assert not [row for row in rows if "x 500" in row["note"]]


@pytest.mark.slow
def test_value_transactions_are_all_applied_by_node_and_rival() -> None:
    rows = ledger.run(small=True)
    assert [set(row) for row in rows] == [COLUMNS] * 4
    assert [row["what"] for row in rows][-1] == "milestone over 1,000 value transactions, s"
    for row in rows:
        assert number(row["ours"]) > 0
        assert number(row["rival"]) > 0


def test_a_grown_history_is_whole_in_the_window(tmp_path: Path) -> None:
    seconds, inside = restart.grow(tmp_path / "whole", 500, 100)
    # Its 5 milestones, the founding one, and the block before all blocks.
    assert (len(seconds), inside) == (5, 500 + 7)


@pytest.mark.slow
def test_a_node_restarts_on_the_whole_history() -> None:
    rows = restart.run(small=True)
    assert [set(row) for row in rows] == [COLUMNS] * 6
    whole = next(row for row in rows if row["what"] == "restart, 5,000 blocks, s")
    # Each block of the history, its 25 milestones, the founding one, and the block before all blocks.
    assert whole["note"].startswith("5,027 of them in the window")
    assert all(number(row["ours"]) >= 0 for row in rows)


def test_code_by_hand_reads_the_same_blocks() -> None:
    rows = codec.run(small=True)
    assert [set(row) for row in rows] == [COLUMNS] * 12
    for name in ("data block", "payment"):
        block = codec.blocks()[name]
        assert by_hand.block(block.encoded) == block
        with pytest.raises(ValueError, match="length"):
            by_hand.block(block.encoded + b"\x00")


def test_generated_blocks_are_the_same_in_both_forms() -> None:
    parents = [bytes([i]) * 32 for i in (1, 7)]
    binary = binary_block(parents, b"reading")
    block = Block.from_json(Fields(orjson.loads(json_block(parents, b"reading"))))
    assert block == Block.decode(binary)
    assert block.encoded == binary


def test_a_kept_page_holds_every_row_and_the_machine(tmp_path: Path) -> None:
    rows = [{"what": "this", "ours": "1", "rival": "2", "ratio": "2x", "note": "a|b"}]
    facts = machine.facts(tmp_path)
    page = bench.markdown({"Some table": rows}, facts)
    assert "| this | 1 | 2 | 2x | a/b |" in page
    assert all(f"- {name}: {value}" in page for name, value in facts)
    assert not list(tmp_path.iterdir())


def test_arguments_name_benchmarks() -> None:
    assert bench.parse(["--small", "--only", "tips,http"]).only == ["tips", "http"]
    assert bench.parse([]).only == [
        "codec",
        "pow",
        "tips",
        "sim",
        "http",
        "ledger",
        "mam",
        "subscribers",
        "overload",
        "dear",
        "restart",
    ]
    with pytest.raises(SystemExit):
        bench.parse(["--only", "speed"])


def number(text: str) -> float:
    found = re.search(r"[\d,]+(\.\d+)?", text)
    assert found is not None
    return float(found[0].replace(",", ""))
