"""How figures of simulations look, and how they become files.

Every series has an ink, a line style and a mark of its own and is named where it ends, so a figure says the same
on paper without colour; the inks are those that colour-blind people tell apart (Okabe, Ito 2008). No display is
asked for: figures are objects of matplotlib without pyplot. Equal data give equal files: ids are salted with a
constant, and nothing writes a date.

matplotlib is imported when a figure is begun, so that simulations run without it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tangle.extras import needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INKS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56606b")
"""of series, in this order (Okabe, Ito 2008; the last is a gray)"""
LINES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (1.2, 1.2)),
    (0, (8, 2, 1, 2, 1, 2)),
    (0, (2, 3)),
)
"""styles of series"""
MARKS = ("o", "s", "^", "D", "v", "P")
HATCHES = ("", "///", "\\\\\\", "xxx", "---", "++")
TEXT, GRID, PAPER, THEORY = "#22303c", "#e4e7eb", "#ffffff", "#6b7580"
"""inks of letters, grid, ground, and what is expected rather than measured"""
AMBER = "#9a6a00"
"""yellow is too light for letters"""
DARK = (
    "#dde4ea", "#2b343d", "#14191e", "#9aa6b1", "#e6b03c",
    "#56b4e9", "#f28044", "#2fc79b", "#e3a3c6", "#e6b03c", "#a3afba",
)  # fmt: skip
"""all of these on a dark ground, in the order of `inks`: letters, grid, ground, theory, amber, then series"""
SALT = "tangle"
POINTS = 300
"""of a line, at most"""
STYLE: dict[str, Any] = {
    "svg.hashsalt": SALT, "svg.fonttype": "none", "figure.figsize": (7.2, 4.0), "figure.dpi": 100,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": GRID,
    "axes.axisbelow": True, "legend.frameon": False, "font.size": 10, "font.family": "sans-serif",
    "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titlepad": 10, "text.color": TEXT,
    "axes.labelcolor": TEXT, "axes.edgecolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT,
    "hatch.color": PAPER,
    "figure.facecolor": PAPER, "axes.facecolor": "none", "savefig.facecolor": PAPER, "lines.linewidth": 1.6,
    "path.simplify_threshold": 0.4, "lines.markersize": 5, "axes.formatter.useoffset": False,
}  # fmt: skip


def sheet(
    title: str = "",
    x: str = "",
    y: str = "",
    *,
    panels: int = 1,
    size: tuple[float, float] | None = None,
    **properties: Any,
) -> tuple[Figure, list[Axes]]:
    """Begin a figure of one or more panels side by side; `properties` go to all axes.

    ExtraMissing when matplotlib is not installed.
    """
    mpl = library()
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size or (7.2 if panels == 1 else 4.2 * panels, 4.0))
        axes = list(np.atleast_1d(figure.subplots(1, panels)))
        if panels > 1:
            figure.subplots_adjust(wspace=0.3)
        for each in axes:
            each.set(xlabel=x, ylabel=y, **properties)
        axes[0].set_title(title)
    return figure, axes


def library() -> Any:
    """Return matplotlib. ExtraMissing when it is not installed."""
    needs("sim", "drawing figures", "matplotlib")
    import matplotlib as mpl

    return mpl


def styled(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Let a drawing function draw in this style, whatever the settings around it are."""
    from functools import wraps

    @wraps(draw)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        with library().rc_context(STYLE):
            return draw(*arguments, **options)

    return wrapped


def curve(axes: Axes, x: Any, y: Any, i: int, label: str = "", *, marks: bool = False, **options: Any) -> Any:
    """Draw series number i, with a mark on every point where there are few; returns the line."""
    x, y = thin(x, y)
    look = {"color": INKS[i % len(INKS)], "linestyle": LINES[i % len(LINES)], "label": label}
    if marks:
        look |= {
            "marker": MARKS[i % len(MARKS)],
            "markeredgecolor": PAPER,
            "markeredgewidth": 0.6,
            "markersize": 6,
        }
    return axes.plot(x, y, **(look | options))[0]


def expected(axes: Axes, x: Any, y: Any, label: str = "", **options: Any) -> Any:
    """Draw what theory says: thin, gray, short dashes."""
    look: dict[str, Any] = {
        "color": THEORY,
        "linewidth": 1.1,
        "linestyle": (0, (3, 2)),
        "label": label,
        "zorder": 1.5,
    }
    return axes.plot(*thin(x, y), **(look | options))[0]


def band(axes: Axes, x: Any, low: Any, high: Any, i: int) -> None:
    """Shade between two lines of series i."""
    axes.fill_between(x, low, high, color=INKS[i % len(INKS)], alpha=0.16, linewidth=0)


def name_ends(axes: Axes, *, apart: float = 12.5, size: float = 8.5) -> None:
    """Name each labelled line to the right, near where it leaves, with a piece of it; no name covers another.

    apart : points of type between two names
    """
    lines = [line for line in axes.get_lines() if line.get_label() and not str(line.get_label()).startswith("_")]
    if not lines:
        return
    axes.autoscale_view()
    sheet = axes.get_figure(root=True)
    assert sheet is not None
    height = axes.bbox.height / sheet.dpi * 72
    places = [_leaving(axes, line) for line in lines]
    for at, line in zip(spread(places, apart / height), lines, strict=True):
        look: dict[str, Any] = {"color": line.get_color(), "marker": line.get_marker(), "markersize": 5}
        axes.plot(
            [1.015, 1.035, 1.055], [at] * 3, transform=axes.transAxes, clip_on=False, linewidth=1.5, label="_",
            linestyle=_dashes(line), markevery=[1], markeredgecolor=PAPER, markeredgewidth=0.6, **look,
        )  # fmt: skip
        axes.annotate(
            str(line.get_label()), (1.07, at), xycoords="axes fraction", va="center", fontsize=size,
            color=darker(str(line.get_color())), annotation_clip=False,
        )  # fmt: skip


def _dashes(line: Any) -> Any:
    """The style of a line as matplotlib takes it, where it was given as dashes too."""
    width = line.get_linewidth() or 1.5
    offset, dashes = getattr(line, "_unscaled_dash_pattern", (0, None))
    return (offset, dashes) if dashes and width else line.get_linestyle()


def _leaving(axes: Axes, line: Any) -> float:
    """How high in its axes a line is where it is last seen, as a share."""
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    good = np.isfinite(x) & np.isfinite(y)
    if not good.any():
        return 0.5
    places = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack((x[good], y[good]))))
    inside = np.flatnonzero((places[:, 1] <= 1.001) & (places[:, 0] <= 1.001))
    return float(np.clip(places[inside[-1] if inside.size else -1, 1], 0.0, 1.0))


def darker(ink: str) -> str:
    """Inks of letters are those of lines; yellow is too light for type."""
    return AMBER if ink == "#e69f00" else ink


def spread(places: Sequence[float], step: float) -> list[float]:
    """Move numbers between 0 and 1 as little as needed until they are `step` apart; their order stays.

    Where there is room for all, all stay between 0 and 1.
    """
    order = np.argsort(places, kind="stable")
    n = order.size
    # Pool neighbours that are too close around their common middle, as in isotonic regression.
    groups: list[tuple[float, int]] = []
    for value in np.array(places, float)[order] - step * np.arange(n):
        groups.append((float(value), 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (b, m), (a, k) = groups.pop(), groups.pop()
            groups.append(((a * k + b * m) / (k + m), k + m))
    shifts = np.concatenate([np.full(m, value) for value, m in groups])
    out = np.empty(n)
    out[order] = np.clip(shifts, 0.0, max(0.0, 1 - step * (n - 1))) + step * np.arange(n)
    return [float(value) for value in out]


def subtitle(axes: Axes, text: str) -> None:
    """Write small type at the right end of the title's line."""
    axes.set_title(text, loc="right", fontsize=8.5, color=THEORY)


def note(axes: Axes, text: str) -> None:
    """Write small type into the lower left corner."""
    axes.annotate(text, (0.01, 0.02), xycoords="axes fraction", fontsize=8, color=THEORY)


def thin(x: Any, y: Any, points: int = POINTS) -> tuple[Any, Any]:
    """Leave at most `points` of a line, first and last included."""
    x, y = np.asarray(x), np.asarray(y)
    if x.size <= points:
        return x, y
    keep = np.unique(np.linspace(0, x.size - 1, points).round().astype(int))
    return x[keep], y[keep]


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure; the name's end decides whether as SVG, PNG or PDF. Equal figures give equal files."""
    path = Path(path)
    kind = path.suffix.removeprefix(".") or "svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rendered(figure, kind))
    return path


def rendered(figure: Figure, kind: str = "svg") -> bytes:
    """Return a figure as the bytes of a file, without date or program version."""
    known: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": "tangle sim"},
        "pdf": {"CreationDate": None, "Creator": "tangle sim", "Producer": None},
        "png": {"Software": None},
    }
    metadata = known.get(kind, {})
    out = io.BytesIO()
    with library().rc_context(STYLE):
        figure.savefig(out, format=kind, bbox_inches="tight", dpi=100 if kind == "svg" else 160, metadata=metadata)
    return out.getvalue()


def inline(figure: Figure, words: str, prefix: str) -> str:
    """Return a figure as an element of a web page, whose inks the page decides: see `inks`.

    words : what stands for it where it cannot be seen
    prefix : of its ids, so that no two figures of a page share one
    """
    text = rendered(figure).decode()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    for name, ink in _ROLES.items():
        text = re.sub(rf"((?:fill|stroke): ?){ink}\b", rf"\1var(--{name})", text)
    view = re.search(r'viewBox="[^"]*"', text)
    assert view is not None
    opening = f'<svg role="img" aria-label="{escape(words, quote=True)}" {view.group()}>'
    return opening + re.sub(r">\s+<", "><", text[text.index(">") + 1 :])


_ROLES = {
    "ink": TEXT, "grid": GRID, "ground": PAPER, "theory": THEORY, "amber": AMBER,
    **{f"ink-{i}": ink for i, ink in enumerate(INKS)},
}  # fmt: skip


def inks(*, dark: bool) -> str:
    """Return the declarations of all inks of `inline` for a style sheet, on a light ground or on a dark one."""
    lit = dict(zip(_ROLES, DARK, strict=True)) if dark else _ROLES
    return "; ".join(f"--{name}: {ink}" for name, ink in lit.items())
