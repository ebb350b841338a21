"""``python -m tests.bench``: every benchmark, one table.

--small            the small tables, a minute or so
--only pow,http    some of codec, pow, tips, sim, http, ledger, mam, subscribers, overload, dear, restart
--write FILE       also keep the table as Markdown
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench import codec, dear, ledger, machine, mam, overload, posts, restart, subscribers, tips
from tests.bench import pow as work
from tests.bench import sim as simulations

Row = dict[str, str]
BENCHES: dict[str, tuple[str, Callable[[bool], list[Row]]]] = {
    "codec": ("Reading and writing blocks", codec.run),
    "pow": ("Proof of work", work.run),
    "tips": ("Tip selection", tips.run),
    "sim": ("Simulations", simulations.run),
    "http": ("Durable blocks over HTTP", posts.run),
    "ledger": ("Value transactions", ledger.run),
    "mam": ("Channels", mam.run),
    "subscribers": ("Subscribers of a tag", subscribers.run),
    "overload": ("Overload", overload.run),
    "dear": ("Dear questions", dear.run),
    "restart": ("Restart and memory", restart.run),
}
COLUMNS = ("what", "ours", "rival", "ratio", "note")
INTRODUCTION = """# Benchmarks

Made by `make bench`, which writes this file; `make bench-small` shows the small tables, which the tests run too.
Of several runs the median counts; the spread is in brackets or in the note. Every rival ran on the same machine in
the same run. What each row measures is written at the top of its module in `tests/bench`. The rival of durable
blocks keeps each body with a commit of its own and does nothing else: no checks, no Tangle, no milestones.

Marks to pass: 2,000 durable binary blocks/s; 1,500 durable value transactions/s; 10,000 of them applied by a
milestone in less than 2 s; a weighted tip pair in less than 50 µs, at 1,000,000 blocks at most 1.2 times that at
10,000; exact weights in less than 2 µs a block; confidence of the window in less than 10 ms; at most 200 bytes a
block in the window; proof of work per core on a par with iota-sdk; 100,000 blocks restarted in less than 10 s;
5,000 messages of 1 KB written and 8,000 read a second on a core; 1,000,000 blocks/s simulated with uniform or
unweighted selection and 200,000 with weighted, on a core; a sweep of 200 runs at 90 % of both cores.
"""


def main() -> None:
    """Run what the arguments name."""
    arguments = parse(sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        facts = machine.facts(Path(name))
    console = Console()
    tables: dict[str, list[Row]] = {}
    for name in arguments.only:
        title, run = BENCHES[name]
        with console.status(f"{title} ..."):
            tables[title] = run(arguments.small)
        console.print(shown(title, tables[title]))
    for fact, value in facts:
        console.print(f"{fact:12}{value}", highlight=False)
    if arguments.write is not None:
        arguments.write.write_text(markdown(tables, facts))


def parse(given: list[str]) -> argparse.Namespace:
    """The arguments; ends the program with a message for those it does not know."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run the benchmarks.")
    parser.add_argument("--small", action="store_true", help="the small tables")
    parser.add_argument("--only", type=names, default=list(BENCHES), help=f"some of {','.join(BENCHES)}")
    parser.add_argument("--write", type=Path, help="keep the table in this file, as Markdown")
    return parser.parse_args(given)


def names(text: str) -> list[str]:
    """Names of benchmarks, separated by commas."""
    chosen = text.split(",")
    for name in chosen:
        if name not in BENCHES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(BENCHES)}")
    return chosen


def shown(title: str, rows: list[Row]) -> Table:
    """The table for a terminal: notes stand under what they belong to."""
    table = Table(title=title, title_justify="left")
    for column in COLUMNS[:-1]:
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        what = Text(row["what"]).append(f"\n  {row['note']}", "dim")
        table.add_row(what, *(Text(row[column]) for column in COLUMNS[1:-1]))
    return table


def markdown(tables: dict[str, list[Row]], facts: list[tuple[str, str]]) -> str:
    """The page that keeps the tables."""
    parts = [INTRODUCTION, "\n".join(f"- {fact}: {value}" for fact, value in facts), ""]
    for title, rows in tables.items():
        lines = [f"## {title}", "", line(COLUMNS), line(["---"] * len(COLUMNS))]
        parts += ["\n".join(lines + [line([row[column] for column in COLUMNS]) for row in rows]), ""]
    return "\n".join(parts)


def line(cells: list[str] | tuple[str, ...]) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


if __name__ == "__main__":
    main()
