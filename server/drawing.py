"""A check as a picture for a telephone: its recent values with their threshold, and for a drift its bins, then and now.

As a pure function of rows; `server.picture` reads them.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from engine.bars import Bar, bars_of
from engine.results import AGGREGATE
from engine.wording import bound, number, percent, printable
from server.notices import Row, Told
from signals.alerting import Notice

__all__ = ["draw"]

WIDTH, DPI = 4.8, 250
"""Inches, and dots for each: 1200 in all, shown as 600, for screens that have them."""
TITLE, TIME, BIN = 0.72, 1.5, 0.28
"""Inches that the title takes, the values over time, a bin."""
BINS = 6
TICKS = 4
COLOURS = 48
"""In the file, which they keep small."""
FONT = "DejaVu Sans"
"""Comes with matplotlib."""
INK, PALE, NOW, BAD, GOOD = "#1f2933", "#9aa5b1", "#2f6fde", "#d64545", "#2f9e5f"
LONGEST = 20
"""Characters of a bin's name."""


def draw(told: Told, past: Sequence[Row]) -> bytes:
    """The picture, as a PNG of some 20 kB.

    Args:
        told: the check, with its row.
        past: rows of the check, the oldest first, that of `told` the last one.
    """
    bars = _bars(told)
    height = TITLE + TIME + (0.35 + BIN * len(bars) if bars else 0)
    figure = Figure((WIDTH, height), DPI, facecolor="white")
    _title(figure, told, height)
    _over_time(_axes(figure, (0.75, height - TITLE - TIME + 0.3, WIDTH - 0.9, TIME - 0.3)), told, past)
    if bars:
        _by_bin(_axes(figure, (1.7, 0.1, WIDTH - 1.8, BIN * len(bars))), bars)
    return _png(figure)


def _bars(told: Told) -> list[Bar]:
    """The bins that carry most, as far as there is room."""
    if not (told.row.get("details") or {}).get("contributions"):
        return []
    every = bars_of(told.row)
    most = sorted(every, key=lambda bar: -bar.carried)[:BINS]
    return [bar for bar in every if bar in most and max(bar.current, bar.baseline) > 0]


def _axes(figure: Figure, inches: tuple[float, float, float, float]) -> Axes:
    """An empty place in the figure."""
    width, height = figure.get_size_inches()
    left, bottom, wide, high = inches
    axes = figure.add_axes((left / width, bottom / height, wide / width, high / height))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(PALE)
    axes.tick_params(length=0, labelsize=9, labelcolor=INK)
    return axes


def _write(place: Any, x: float, y: float, text: str, **look: Any) -> None:
    """A text as it is: what looks like a formula in a value from the data is none."""
    written = place.text(x, y, _known(text), **{"fontfamily": FONT, "color": INK, **look})
    written.set_parse_math(False)


def _title(figure: Figure, told: Told, height: float) -> None:
    check, row = told.check, told.row
    segment = "" if check.dimension == AGGREGATE else f" where {_cut(printable(check.dimension), 20)}"
    first, second = 1 - 0.12 / height, 1 - 0.38 / height
    bold = {"fontsize": 11, "weight": "bold", "va": "top"}
    _write(figure, 0.02, first, _cut(printable(check.group), 42 - len(segment)) + segment, **bold)
    _write(figure, 0.02, second, check.metric.replace("_", " "), fontsize=9, va="top")
    said, colour = f"{number(row['metric_value'])}, threshold {number(row['threshold_value'])}", GOOD
    if told.notice is not Notice.RECOVERED:
        limit = bound(row["operator"], row["threshold_value"], row["threshold_kind"])
        said, colour = f"{number(row['metric_value'])} {limit}", BAD
    _write(figure, 0.98, second, said, ha="right", color=colour, **bold)


# ------------------------------------------------------------------------------------------------------- over time


def _over_time(axes: Axes, told: Told, past: Sequence[Row]) -> None:
    times: list[datetime] = [row["scheduled_for"].astimezone(UTC) for row in past]
    values = [_plain(row["metric_value"]) for row in past]
    dots = [(time, value) for time, value in zip(times, values, strict=True) if math.isfinite(value)]
    plot: Any = axes  # matplotlib's own types know no times
    plot.plot(times, values, color=INK, linewidth=1.3, zorder=3)
    if len(dots) <= 40:
        plot.plot(*_columns(dots), linestyle="", marker="o", markersize=3, color=INK, zorder=3)
    breaches = [(time, value) for row, time, value in zip(past, times, values, strict=True) if row["breached"]]
    plot.plot(*_columns(breaches), linestyle="", marker="o", markersize=4.5, color=BAD, zorder=4)
    if dots:
        colour = GOOD if told.notice is Notice.RECOVERED else BAD
        plot.plot(*_columns(dots[-1:]), linestyle="", marker="o", markersize=8, color=colour, zorder=5)
    _threshold(plot, past, times)
    room = (times[-1] - times[0]) * 0.03 or timedelta(hours=12)
    plot.set_xlim(times[0] - room, times[-1] + room)
    plot.set_xticks(*_ticks(times))
    if len(times) > 1:
        axes.get_xticklabels()[-1].set_horizontalalignment("right")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(_mark))
    axes.margins(y=0.15)
    axes.grid(axis="y", color=PALE, alpha=0.25, linewidth=0.6)


def _mark(value: float, _: int | None) -> str:
    """A number that is no wider than its place."""
    return number(round(value, 12)) if abs(value) < 1e7 else f"{value:.3g}"


def _ticks(times: Sequence[datetime]) -> tuple[list[datetime], list[str]]:
    """Some of the times and how they are written: days or months alone where that is enough."""
    steps = min(TICKS, len(times)) - 1
    chosen = [times[round(place * (len(times) - 1) / steps)] for place in range(steps + 1)] if steps else [times[0]]
    if times[-1] - times[0] > timedelta(days=300):
        return chosen, [f"{time:%b %Y}" for time in chosen]
    daily = len(chosen) > 1 and len({time.date() for time in chosen}) == len(chosen)
    return chosen, [f"{time.day} {time:%b}" if daily else f"{time.day} {time:%b %H:%M}" for time in chosen]


def _threshold(plot: Any, past: Sequence[Row], times: Sequence[datetime]) -> None:
    """Its line; of a range both ends, of which a row has the nearer one."""
    look = {"color": BAD, "linewidth": 1.2, "linestyle": (0, (4, 3)), "zorder": 2}
    bounds = [_plain(row["threshold_value"]) for row in past]
    known = sorted({each for each in bounds if math.isfinite(each)})
    if past[-1]["threshold_kind"] == "range" or len(known) == 1:
        for each in known:
            plot.axhline(each, **look)
    else:
        plot.step(times, bounds, where="mid", **look)


def _columns(pairs: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


def _plain(value: float | None) -> float:
    return math.nan if value is None else value


# --------------------------------------------------------------------------------------------------------- by bin


def _by_bin(axes: Axes, bars: Sequence[Bar]) -> None:
    """Pairs of bars, the window's above the baseline's."""
    largest = max(max(bar.current, bar.baseline) for bar in bars)
    for place, bar in enumerate(bars):
        axes.barh(place - 0.19, bar.current, 0.36, color=NOW)
        axes.barh(place + 0.19, bar.baseline, 0.36, color=PALE)
        _write(axes, -largest * 0.02, place, _cut(bar.name, LONGEST), ha="right", va="center", fontsize=9)
        for share, beside, colour in ((bar.current, -0.19, NOW), (bar.baseline, 0.19, "#616e7c")):
            text = percent(share)
            _write(axes, share + largest * 0.015, place + beside, text, va="center", fontsize=7.5, color=colour)
    axes.set_xlim(0, largest * 1.2)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    for x, text, colour in ((0.0, "■ now", NOW), (largest * 0.3, "■ baseline", "#7b8794")):
        _write(axes, x, -0.75, text, va="bottom", fontsize=9, color=colour)


# ---------------------------------------------------------------------------------------------------------- the file


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _known(text: str) -> str:
    """The text with a box for each sign that the font does not have."""
    return "".join(sign if ord(sign) in _signs() else "□" for sign in text)


@cache
def _signs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())


def _png(figure: Figure) -> bytes:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    size = canvas.get_width_height()
    picture = Image.frombuffer("RGBA", size, bytes(canvas.buffer_rgba())).convert("RGB")
    file = BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
