"""A tip selection as a picture (SVG 1.1): walks run to the right, thick lines are ways that many walkers took.

Drawn are the blocks that walkers stepped on, and faintly those they might have gone to. Pointing at a block shows
its id, weight and the chances of what approves it. The picture is text and needs nothing from elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

Json = dict[str, Any]

LANE = 20
"""pixels between lanes"""
COLUMN = 48
"""pixels between columns"""
MARGIN = 40
HEAD = 74
"""pixels above the drawing, for the caption"""
LIKELY = 0.1
"""chance from which on a block that no walker took is drawn"""
INK = {"line": "#7b8794", "fast": "#d9822b", "block": "#3e4c59", "faint": "#cbd2d9", "entry": "#2b6cb0"}
INK |= {"tip": "#ffffff", "chosen": "#2f855a", "text": "#1f2933", "paper": "#ffffff"}


@dataclass(slots=True)
class _Drawing:
    """Where everything lies.

    Attributes
    ----------
    ways : (from, to) -> walkers that went that way
    offers : (from, to) -> chance, of what no walker took
    """

    told: Json
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)
    slow: set[tuple[str, str]] = field(default_factory=set)
    offers: dict[tuple[str, str], float] = field(default_factory=dict)
    steps: dict[str, Json] = field(default_factory=dict)
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    width: float = 0.0


def picture(told: Json) -> str:
    """The SVG of an explanation as `GET /api/tangle/v1/tips/explain` answers it."""
    drawing = _Drawing(told)
    _gather(drawing)
    _place(drawing)
    height = HEAD + MARGIN + max((y for _, y in drawing.places.values()), default=0.0)
    size = f'width="{drawing.width:.0f}" height="{height:.0f}"'
    view = f'viewBox="0 0 {drawing.width:.0f} {height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="100%" fill="{INK["paper"]}"/>',
        *_caption(told),
        f'<g transform="translate(0 {HEAD})">',
        *_lines(drawing),
        *_blocks(drawing),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _gather(drawing: _Drawing) -> None:
    for walker in drawing.told["walkers"]:
        way = [step["blockId"] for step in walker["steps"]] + [walker["tip"]]
        drawing.ways.update(pairwise(way))
        if not walker["fast"]:
            drawing.slow.update(pairwise(way))
        drawing.steps |= {step["blockId"]: step for step in walker["steps"]}
    for block, step in drawing.steps.items():
        for one in step["candidates"]:
            offer = block, one["blockId"]
            if offer not in drawing.ways and one["probability"] >= LIKELY:
                drawing.offers[offer] = one["probability"]


def _place(drawing: _Drawing) -> None:
    """Each block a column after the last that leads to it, in the free lane nearest to where walkers came from."""
    told, numbers = drawing.told, drawing.told["numbers"]
    ends = [end for walker in told["walkers"] for end in (walker["entry"], walker["tip"])]
    stepped = {*ends, *drawing.steps}
    ways = [*drawing.offers, *(way for way, _ in reversed(drawing.ways.most_common()))]
    # The last to be noted is the way that most walkers took.
    before = {newer: older for older, newer in ways}
    column = dict.fromkeys([*stepped, *told["selected"], *before], 0)
    for older, newer in sorted(ways, key=lambda way: (numbers[way[0]], way)):
        column[newer] = max(column[newer], column[older] + 1)
    lanes: dict[str, int] = {}
    taken: dict[int, set[int]] = {}
    for block in sorted(column, key=lambda block: (column[block], block not in stepped, numbers[block], block)):
        used = taken.setdefault(column[block], set())
        wish = lanes.get(before.get(block, ""), 0)
        reach = range(wish - len(used), wish + len(used) + 1)
        lanes[block] = min((lane for lane in reach if lane not in used), key=lambda lane: (abs(lane - wish), lane))
        used.add(lanes[block])
    top = min(lanes.values(), default=0)
    drawing.width = max(640, 2 * MARGIN + COLUMN * max(column.values(), default=0))
    for block, lane in lanes.items():
        drawing.places[block] = (MARGIN + COLUMN * column[block], LANE * (lane - top + 0.5))


def _caption(told: Json) -> Iterator[str]:
    selected = ", ".join(block[:10] + "…" for block in told["selected"])
    texts = (
        f"{len(told['selected'])} of {told['tipCount']} tips selected: {selected}",
        f"{len(told['walkers'])} walkers, alpha {told['alpha']:g}, seed {told['seed']}, after milestone "
        f"{told['milestoneIndex']}",
        "squares: entry points; open circles: tips; green: selected; orange: came too fast; grey: not taken",
    )
    for row, text in enumerate(texts):
        weight = ' font-weight="bold"' if row == 0 else ""
        yield f'<text x="{MARGIN}" y="{20 + 18 * row}" fill="{INK["text"]}"{weight}>{escape(text)}</text>'


def _lines(drawing: _Drawing) -> Iterator[str]:
    for (older, newer), chance in drawing.offers.items():
        yield _line(drawing, older, newer, INK["faint"], 1, f"{chance:.1%}, not taken")
    for (older, newer), walkers in sorted(drawing.ways.items()):
        ink = INK["line"] if (older, newer) in drawing.slow else INK["fast"]
        step = drawing.steps[older]
        chance = next(one["probability"] for one in step["candidates"] if one["blockId"] == newer)
        told = f"{chance:.1%}, taken by {walkers}"
        yield _line(drawing, older, newer, ink, min(1 + 0.8 * walkers, 8), told)


def _line(drawing: _Drawing, older: str, newer: str, ink: str, width: float, told: str) -> str:
    (x1, y1), (x2, y2) = drawing.places[older], drawing.places[newer]
    middle = (x1 + x2) / 2
    way = f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return f'<path d="{way}" fill="none" stroke="{ink}" stroke-width="{width:.1f}"><title>{told}</title></path>'


def _blocks(drawing: _Drawing) -> Iterator[str]:
    told = drawing.told
    tips = {walker["tip"] for walker in told["walkers"]}
    entries = {walker["entry"] for walker in told["walkers"]}
    for block, (x, y) in drawing.places.items():
        title = f"<title>{escape(_words(drawing, block))}</title>"
        if block in told["selected"]:
            yield _circle(x, y, 7, INK["chosen"], INK["text"], title)
        elif block in tips:
            yield _circle(x, y, 5, INK["tip"], INK["block"], title)
        elif block in entries:
            corner = f'x="{x - 6:.1f}" y="{y - 6:.1f}"'
            yield f'<rect {corner} width="12" height="12" fill="{INK["entry"]}">{title}</rect>'
        elif block in drawing.steps:
            yield _circle(x, y, 3.5, INK["block"], INK["block"], title)
        else:
            yield _circle(x, y, 3, INK["faint"], INK["faint"], title)


def _circle(x: float, y: float, radius: float, fill: str, line: str, title: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{line}">{title}</circle>'


def _words(drawing: _Drawing, block: str) -> str:
    lines = [block, f"event {drawing.told['numbers'][block]}"]
    step = drawing.steps.get(block)
    if step is not None:
        lines.append(f"weight {step['weight']}")
        lines += [f"{one['probability']:.1%} to {one['blockId'][:10]}…" for one in step["candidates"]]
    return "\n".join(lines)
