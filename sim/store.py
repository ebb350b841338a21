"""A result as a directory: `blocks.parquet`, one row per block, and `result.json`, everything else.

    tangle.sim.store.save(result, "run-7")        tangle.sim.store.load("run-7")

Columns of the table, the row being the number of the block:

    block            int32
    time             double, when it was issued
    issuer           int16, the agent; the number of agents stands for the adversary, -1 for the genesis
    parent_0, …      int32, a column per parent in the order of selection; -1 where there are fewer
    first_approver   int32, -1 without one
    tips             int32, tips of the whole Tangle after the block
    own_weight       int32
    sides            uint8, a bit for each side of a conflict that it approves

Parents are columns, not lists: every reader of Parquet filters and joins plain columns, and each of them is a
slice of the array that Result has. Rows are written and read in groups of a fixed size, so that a result needs
little more memory than it has itself. Whole numbers are kept as differences, which are small: about 9 bytes per
block.

`result.json` has the scenario with every parameter and its seed, the versions that made it, seconds, blocks per
second and the withheld blocks with the time of their release. Both files carry the same digest of the scenario, so
files of two results are not taken for one; pages of the table carry checksums. It is written last: a directory
without it holds no result. pyarrow is needed (`pip install tangle-ledger[sim]`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tangle.disk import files
from tangle.extras import needs
from tangle.sim.errors import BadResult, BadScenario
from tangle.sim.result import Result
from tangle.sim.scenario import Scenario
from tangle.sim.versions import versions
from tangle.tipselect.kernels import PARENTS_MAX

BLOCKS, FACTS = "blocks.parquet", "result.json"
FORMAT, FORMAT_VERSION = "tangle simulation result", 1
GROUP_ROWS = 1 << 19
"""rows of a row group: written and read at once"""
DIGEST = b"tangle.scenario"
"""key of the table's metadata"""
NEEDED = {
    "format", "formatVersion", "scenario", "digest", "blocks", "start", "seconds", "withheld", "versions",
}  # fmt: skip


def save(result: Result, directory: str | Path, *, group_rows: int = GROUP_ROWS) -> Path:
    """Write a result into a directory, which is made; return it.

    group_rows : blocks that are written at once

    BadResult when there is a result already, or the place cannot be written; ExtraMissing without pyarrow.
    """
    place = Path(directory)
    if (place / FACTS).exists():
        raise BadResult(str(place), "there is a result already, and none is overwritten")
    try:
        place.mkdir(parents=True, exist_ok=True)
        _write_blocks(result, place / BLOCKS, group_rows)
        files.write(place / FACTS, json.dumps(facts(result), indent=2, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise BadResult(str(place), f"it cannot be written: {error.strerror or error}") from None
    return place


def load(directory: str | Path) -> Result:
    """Read a result: equal in all arrays to the one that was saved.

    BadResult names the file and what is wrong with it.
    """
    place = Path(directory)
    known = read_facts(place)
    path = place / FACTS
    try:
        scenario = Scenario.from_table(known["scenario"])
    except BadScenario as error:
        raise BadResult(f"{path}: scenario.{error.field}", error.rule) from None
    blocks = _whole(known, "blocks", path, 1)
    columns = _read_blocks(place / BLOCKS, scenario, blocks, known["digest"])
    _check_columns(columns, scenario, place / BLOCKS)
    seconds = known["seconds"]
    if not isinstance(seconds, int | float) or not seconds >= 0:
        raise BadResult(f"{path}: seconds", f"a number of at least 0 is needed, not {seconds!r}")
    return Result(
        scenario=scenario,
        times=columns["time"],
        issuers=columns["issuer"],
        parents=columns["parents"],
        first_approvers=columns["first_approver"],
        tips=columns["tips"],
        own_weights=columns["own_weight"],
        sides=columns["sides"],
        withheld=_withheld(known["withheld"], blocks, path),
        start=_whole(known, "start", path, 1),
        seconds=float(seconds),
    )


def holds_result(directory: str | Path) -> bool:
    """Whether there is a result in a directory."""
    return (Path(directory) / FACTS).is_file()


def facts(result: Result) -> dict[str, Any]:
    """Return what `result.json` holds."""
    table = result.scenario.to_table()
    return {
        "format": FORMAT,
        "formatVersion": FORMAT_VERSION,
        "scenario": table,
        "digest": digest(table),
        "seed": result.scenario.seed,
        "blocks": result.blocks,
        "start": result.start,
        "seconds": result.seconds,
        "blocksPerSecond": round(result.blocks / result.seconds) if result.seconds > 0 else None,
        "withheld": {str(block): None if when == math.inf else when for block, when in result.withheld.items()},
        "versions": versions(),
    }


def digest(table: Any) -> str:
    """Return a name for a scenario's table: the same for the same parameters."""
    text = json.dumps(table, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def read_facts(place: Path) -> dict[str, Any]:
    """Return what `result.json` in a directory says. BadResult where there is no such file, or another one."""
    path = place / FACTS
    found = read_json(path, "no result of a simulation was saved here")
    if found.get("format") != FORMAT:
        raise BadResult(str(path), "not the file of a simulation's result")
    if found.get("formatVersion") != FORMAT_VERSION:
        raise BadResult(f"{path}: formatVersion", f"{FORMAT_VERSION} is read, not {found.get('formatVersion')!r}")
    if missing := sorted(NEEDED - found.keys()):
        raise BadResult(f"{path}: {missing[0]}", "missing")
    if not isinstance(found["scenario"], dict):
        raise BadResult(f"{path}: scenario", "a table is needed")
    if digest(found["scenario"]) != found["digest"]:
        raise BadResult(f"{path}: digest", "not that of the scenario: the file was changed")
    return found


def read_json(path: Path, missing: str) -> dict[str, Any]:
    """Return the object in a JSON file; BadResult names the file. `missing` is said when there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadResult(str(path), missing) from None
    except OSError as error:
        raise BadResult(str(path), error.strerror or "it cannot be read") from None
    except ValueError as error:
        raise BadResult(str(path), f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadResult(str(path), "an object is needed")
    return found


# --- the table ----------------------------------------------------------------------------------------------


def arrow() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet module. ExtraMissing when it is not installed."""
    needs("sim", "keeping a result", "pyarrow")
    return import_module("pyarrow"), import_module("pyarrow.parquet")


def _schema(parents: int) -> list[tuple[str, np.dtype[Any]]]:
    columns = [("block", "int32"), ("time", "float64"), ("issuer", "int16")]
    columns += [(f"parent_{i}", "int32") for i in range(parents)]
    columns += [("first_approver", "int32"), ("tips", "int32"), ("own_weight", "int32"), ("sides", "uint8")]
    return [(name, np.dtype(kind)) for name, kind in columns]


def _write_blocks(result: Result, path: Path, group_rows: int) -> None:
    pa, parquet = arrow()
    kinds = _schema(result.parents.shape[1])
    schema = pa.schema(
        [pa.field(name, pa.from_numpy_dtype(kind), nullable=False) for name, kind in kinds],
        metadata={DIGEST: digest(result.scenario.to_table()).encode()},
    )
    encoding = {name: "BYTE_STREAM_SPLIT" if kind.kind == "f" else "DELTA_BINARY_PACKED" for name, kind in kinds}
    writing = {"compression": "zstd", "use_dictionary": False, "write_page_checksum": True}
    with (
        files.replacing(path) as beside,
        parquet.ParquetWriter(beside, schema, column_encoding=encoding, **writing) as writer,
    ):
        for start in range(0, result.blocks, group_rows):
            rows = slice(start, min(start + group_rows, result.blocks))
            arrays = [
                pa.array(column, kind) for column, kind in zip(_rows(result, rows), schema.types, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=group_rows)


def _rows(result: Result, rows: slice) -> Iterator[Any]:
    """Yield the columns of some blocks, in the order of the schema."""
    yield np.arange(rows.start, rows.stop, dtype=np.int32)
    yield result.times[rows]
    yield result.issuers[rows]
    for i in range(result.parents.shape[1]):
        yield np.ascontiguousarray(result.parents[rows, i])
    yield result.first_approvers[rows]
    yield result.tips[rows]
    # These may be one number for all blocks, which Arrow does not take.
    yield np.ascontiguousarray(result.own_weights[rows])
    yield np.ascontiguousarray(result.sides[rows])


def _read_blocks(path: Path, scenario: Scenario, blocks: int, expected: object) -> dict[str, Any]:
    """Return name -> array of all columns; the parents together as int32[n, k]."""
    pa, parquet = arrow()
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            # What a replay began with may have more parents than its scenario gives to new blocks.
            width = max(scenario.parents, sum(name.startswith("parent_") for name in file.schema_arrow.names))
            kinds = _schema(min(width, PARENTS_MAX))
            _check_table(file, path, kinds, blocks, expected)
            out: dict[str, Any] = {name: np.empty(blocks, kind) for name, kind in kinds if "parent_" not in name}
            out["parents"] = np.empty((blocks, min(width, PARENTS_MAX)), np.int32)
            start = 0
            for batch in file.iter_batches(GROUP_ROWS, use_threads=False):
                _take(batch, slice(start, start + batch.num_rows), out)
                start += batch.num_rows
    except FileNotFoundError:
        raise BadResult(str(path), "missing") from None
    except (OSError, pa.ArrowException) as error:
        raise BadResult(str(path), f"damaged, or no Parquet file: {' '.join(str(error).split())}") from None
    return out


def _check_table(
    file: Any, path: Path, kinds: list[tuple[str, np.dtype[Any]]], blocks: int, expected: object
) -> None:
    pa, _ = arrow()
    schema = file.schema_arrow
    for name, kind in kinds:
        if name not in schema.names:
            raise BadResult(f"{path}: {name}", "the column is missing")
        if schema.field(name).type != pa.from_numpy_dtype(kind):
            raise BadResult(f"{path}: {name}", f"{kind} is needed, not {schema.field(name).type}")
    if file.metadata.num_rows != blocks:
        raise BadResult(str(path), f"{file.metadata.num_rows} blocks, where {FACTS} has {blocks}")
    if (schema.metadata or {}).get(DIGEST, b"").decode(errors="replace") != expected:
        raise BadResult(str(path), f"the blocks of another scenario than that in {FACTS}")


def _take(batch: Any, rows: slice, out: dict[str, Any]) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        values = column.to_numpy(zero_copy_only=False)
        if name.startswith("parent_") and name[7:].isdigit() and int(name[7:]) < out["parents"].shape[1]:
            out["parents"][rows, int(name[7:])] = values
        elif name in out:
            out[name][rows] = values


def _check_columns(columns: dict[str, Any], scenario: Scenario, path: Path) -> None:
    """Raise BadResult for what would lead compiled code astray, GROUP_ROWS at a time."""
    n, agents = columns["time"].size, len(scenario.everybody)
    adversary = scenario.adversary is not None
    for start in range(0, n, GROUP_ROWS):
        rows = slice(start, min(start + GROUP_ROWS, n))
        numbers = np.arange(rows.start, rows.stop)
        times = columns["time"][max(start - 1, 0) : rows.stop]
        parents, first = columns["parents"][rows], columns["first_approver"][rows]
        issuers = columns["issuer"][rows]
        rules = {
            "block": (columns["block"][rows] == numbers).all(),
            "time": np.isfinite(times).all() and (np.diff(times) >= 0).all(),
            "parent_0": (parents[:, 0] >= (numbers > 0) - 1).all(),
            "parents": (parents >= -1).all() and (parents < numbers[:, None]).all(),
            "first_approver": ((first == -1) | ((first > numbers) & (first < n))).all(),
            "issuer": (issuers >= -1).all() and (issuers < agents + adversary).all(),
            "own_weight": (columns["own_weight"][rows] > 0).all(),
        }
        for name, holds in rules.items():
            if not holds:
                raise BadResult(f"{path}: {name}", "values that no simulation leaves")


def _withheld(given: object, blocks: int, path: Path) -> dict[int, float]:
    if not isinstance(given, dict):
        raise BadResult(f"{path}: withheld", "a table is needed")
    out = {}
    for block, when in given.items():
        if not (block.isdigit() and int(block) < blocks) or not isinstance(when, int | float | None):
            raise BadResult(f"{path}: withheld", f"{block!r}: {when!r} is no block and time")
        out[int(block)] = math.inf if when is None else float(when)
    return out


def _whole(known: dict[str, Any], field: str, path: Path, least: int) -> int:
    value = known[field]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadResult(f"{path}: {field}", f"a whole number of at least {least} is needed, not {value!r}")
    return value
