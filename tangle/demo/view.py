"""What the demonstration shows: one scene, drawn live in a terminal or told in lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

BLOCKS_SHOWN = 8
"""newest blocks in the view"""
LITRES_PER_M3 = 1000
"""litres"""
STATES = ("awaiting_deposit", "allotting", "producing", "exhausted", "stopping", "refunding", "settled")
"""in the order in which they are drawn"""
INCLUSIONS = {
    None: ("waiting", "dim"),
    "noTransaction": ("referenced", ""),
    "included": ("included", "green"),
    "conflicting": ("conflicting", "red"),
}
"""ledger inclusion state (TIP-25) -> word and colour"""


@dataclass
class BlockLine:
    """A block in the view; `m` of `n` walks reach it."""

    block_id: bytes
    kind: str = ""
    m: int = 0
    n: int = 0
    milestone: int | None = None
    inclusion: str | None = None


@dataclass
class Scene:
    """Everything the view tells; amounts in base units.

    Attributes
    ----------
    unit_litres : litres per unit
    balances : party -> base units
    told : reader of the machine's channel -> messages it has read
    shut_out : reader -> index of the message behind which it reads nothing
    blocks : newest last
    """

    url: str = ""
    source: str = ""
    unit_litres: int = 1000
    price: int = 0
    state: str = "starting"
    order: str = ""
    deposit: int = 0
    credit: int = 0
    produced: int = 0
    paid_units: int = 0
    refunded: int = 0
    volume_ml: int = 0
    readings: int = 0
    skipped: int = 0
    milestone: int = 0
    block_count: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    shut_out: dict[str, int] = field(default_factory=dict)
    blocks: OrderedDict[bytes, BlockLine] = field(default_factory=OrderedDict)
    started: float = field(default_factory=time.monotonic)

    def add(self, block_id: bytes) -> BlockLine:
        """A block that was attached; the oldest one leaves the view."""
        self.block_count += 1
        line = self.blocks.setdefault(block_id, BlockLine(block_id))
        while len(self.blocks) > BLOCKS_SHOWN:
            self.blocks.popitem(last=False)
        return line

    def line(self) -> str:
        """The scene in one line."""
        balances = " ".join(f"{party}={amount:,}" for party, amount in self.balances.items())
        newest = next((line for line in reversed(self.blocks.values()) if line.n), None)
        told = " ".join(f"{name}:{count}{'!' * (name in self.shut_out)}" for name, count in self.told.items())
        confidence = f" confidence={newest.m}/{newest.n}" if newest else ""
        return (
            f"{time.monotonic() - self.started:5.1f} s  {self.state:<16} readings={self.readings} "
            f"volume={self.volume_ml / 1e6:,.0f} m3 units={self.produced} paid={self.paid_units}/{self.credit} "
            f"{balances} channel={told or 0} milestone={self.milestone} blocks={self.block_count}{confidence}"
        )

    def __rich__(self) -> RenderableType:
        top = Table.grid(expand=True, padding=(0, 1))
        top.add_column(ratio=1)
        top.add_column(ratio=1)
        top.add_row(
            Panel(self._order(), title="order", title_align="left"),
            Panel(self._money(), title="balances (base units)", title_align="left"),
        )
        head = Text.assemble(("pay-on-production", "bold"), f"  {self.url}  {self.source}", no_wrap=True)
        blocks = Panel(self._blocks(), title="newest blocks", title_align="left")
        return Group(head, self._states(), top, self._channel(), blocks)

    def _channel(self) -> Text:
        """One line: who reads along, and how far."""
        text = Text(" channel ", no_wrap=True)
        for name, count in self.told.items():
            text.append(f" {name} {count:,}")
            if name in self.shut_out:
                text.append(f" until {self.shut_out[name]:,}", "red")
            text.append(" ")
        return text

    def _states(self) -> Text:
        text = Text()
        for state in STATES:
            if state == "exhausted" and self.state != state:
                continue
            style = "bold reverse" if state == self.state else "dim"
            text.append(f" {state.replace('_', ' ')} ", style).append(" ")
        return text

    def _order(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        unit = f"{self.unit_litres / LITRES_PER_M3:,g} m³"
        table.add_row("price", f"{self.price:,} per {unit}")
        table.add_row("readings", f"{self.readings}" + (f", {self.skipped} skipped" if self.skipped else ""))
        table.add_row("metered", f"{self.volume_ml / 1e6:,.1f} m³")
        table.add_row("produced", f"{self.produced} of {self.credit} units")
        bar = ProgressBar(total=max(self.credit, 1), completed=self.paid_units, width=24)
        table.add_row("paid", Group(f"{self.paid_units} units", bar))
        return table

    def _money(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        for party in ("customer", "machine", "owner"):
            table.add_row(party, f"{self.balances.get(party, 0):,}")
        table.add_row("deposit", f"{self.deposit:,}", style="dim")
        table.add_row("refunded", f"{self.refunded:,}", style="dim")
        table.add_row("milestone", str(self.milestone), style="dim")
        table.add_row("blocks", str(self.block_count), style="dim")
        return table

    def _blocks(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for width in (11, 15, 12, 9, 14, 11):
            table.add_column(width=width, no_wrap=True)
        for line in reversed(self.blocks.values()):
            bar = ProgressBar(total=max(line.n, 1), completed=line.m, width=12)
            share = f"{line.m}/{line.n}" if line.n else "no sample"
            milestone = f"milestone {line.milestone}" if line.milestone is not None else ""
            state, colour = INCLUSIONS[line.inclusion]
            table.add_row(f"0x{line.block_id.hex()[:8]}…", line.kind, bar, share, milestone, Text(state, colour))
        return table
