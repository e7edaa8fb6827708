"""Scores and times as pictures; one colour for each result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.reporting.svg import SERIES, Axis, Plot, element, label, number, picture, ticks, tooltip

if TYPE_CHECKING:
    from rtreid_ros.evaluation.metrics import Evaluation
    from rtreid_ros.histogram import Histogram

_THRESHOLDS = np.arange(0.05, 0.99, 0.05)
"""Of the HOTA metrics, as TrackEval has them."""
_CURVES = ("HOTA", "DetA", "AssA", "LocA")
_BARS = {"HOTA": "hota", "DetA": "det_a", "AssA": "ass_a", "IDF1": "idf1", "MOTA": "mota"}


def series(index: int) -> str:
    """The class that colours a series."""
    return f"s{index % SERIES}"


def hota_curves(
    names: Sequence[str], combined: Sequence[Evaluation], parts: Sequence[Evaluation] = ()
) -> list[str]:
    """HOTA and its parts over the localisation threshold, a drawing each.

    Args:
        names: of the results.
        combined: their evaluations.
        parts: sequences of a single result, drawn faintly behind.
    """
    drawings = []
    for curve in _CURVES:
        plot = Plot(
            Axis(0, 1, "localisation threshold (IoU)"),
            Axis(0, 1, show=_percent),
            curve,
            width=330,
            height=230,
        )
        for item in parts:
            plot.line(_curve(item, curve), "faint", item.name)
        for index, (name, item) in enumerate(zip(names, combined, strict=True)):
            values = _curve(item, curve)
            mean = np.mean([value for _, value in values])
            plot.line(values, series(index), f"{name}: mean {100 * mean:.2f}")
        drawings.append(plot.render())
    return drawings


def hota_differences(names: Sequence[str], combined: Sequence[Evaluation]) -> list[str]:
    """The same curves less those of the first result, in points of percent."""
    drawings = []
    for curve in _CURVES:
        base = _curve(combined[0], curve)
        lines = [
            [(x, y - y0) for (x, y), (_, y0) in zip(_curve(item, curve), base, strict=True)]
            for item in combined
        ]
        most = max(0.01, *(abs(y) for line in lines for _, y in line)) * 1.05
        plot = Plot(
            Axis(0, 1, "localisation threshold (IoU)"),
            Axis(-most, most, show=_percent),
            f"{curve}, difference",
            width=330,
            height=200,
        )
        for index, (name, line) in enumerate(zip(names, lines, strict=True)):
            plot.line(line, series(index), name)
        drawings.append(plot.render())
    return drawings


def _curve(item: Evaluation, curve: str) -> list[tuple[float, float]]:
    values = np.asarray(item.raw["HOTA"][curve], np.float64)
    return [(float(x), float(y)) for x, y in zip(_THRESHOLDS, values, strict=True)]


def sequence_bars(names: Sequence[str], per_result: Sequence[Sequence[Evaluation]]) -> list[str]:
    """Each ratio sequence by sequence, a drawing each; the bars of a sequence are the results."""
    sequences = [item.name for item in per_result[0]]
    drawings = []
    for title, key in _BARS.items():
        values = [[float(getattr(item.scores, key)) for item in items] for items in per_result]
        drawings.append(bars(title, sequences, names, values))
    return drawings


def bars(title: str, rows: Sequence[str], names: Sequence[str], values: Sequence[Sequence[float]]) -> str:
    """Horizontal bars of ratios: ``values[series][row]``."""
    width, right, top = 330.0, 40.0, 24.0
    left = min(max((len(name) for name in rows), default=0) * 6.4 + 12, 130.0)
    bar = 13.0 if len(names) == 1 else max(5.0, 16.0 / len(names) + 2)
    pitch = bar * len(names) + 8
    height = top + pitch * len(rows) + 22
    low = min(0.0, *(value for line in values for value in line))
    axis = Axis(low, 1.0)

    def x(value: float) -> float:
        return left + axis.share(value) * (width - left - right)

    parts = [label(left, 13, title, class_="heading")]
    for value in ticks(low, 1.0, 4):
        parts.append(element("line", x1=x(value), y1=top, x2=x(value), y2=height - 18, class_="grid"))
        parts.append(label(x(value), height - 5, _percent(value), class_="middle soft"))
    for row, name in enumerate(rows):
        middle = top + row * pitch + bar * len(names) / 2
        shown = name if len(name) <= 19 else f"{name[:9]}…{name[-9:]}"
        parts.append(element("g", tooltip(name) + label(left - 6, middle + 4, shown, class_="end")))
        for index, line in enumerate(values):
            value, y = line[row], top + row * pitch + index * bar
            start, end = sorted((x(0.0), x(value)))
            text = f"{name}, {names[index]}: {title} {100 * value:.2f}"
            parts.append(
                element(
                    "rect", tooltip(text), x=start, y=y, width=end - start, height=bar - 1.5,
                    class_=f"fill {series(index)}",
                )
            )  # fmt: skip
            if bar >= 9:
                parts.append(label(max(end, x(0.0)) + 4, y + bar / 2 + 3.5, f"{100 * value:.1f}"))
    parts.append(element("line", x1=x(0.0), y1=top, x2=x(0.0), y2=height - 18, class_="axis"))
    return picture(width, height, parts, f"{title} by sequence")


def latencies(stage: str, names: Sequence[str], histograms: Sequence[Histogram | None]) -> str:
    """Share of frames by time taken, on a logarithmic axis; broken lines are the medians."""
    known = [item for item in histograms if item is not None and item.total]
    if not known:
        return ""
    low, high = min(item.low for item in known), max(item.high for item in known)
    most = max(float((item.counts / item.total).max()) for item in known)
    plot = Plot(
        Axis(low, high, "milliseconds", number, log=True),
        Axis(0, most * 1.05, show=_percent, about=4),
        f"{stage}: % of frames",
        width=520,
        height=250,
    )
    for index, (name, item) in enumerate(zip(names, histograms, strict=True)):
        if item is None or not item.total:
            continue
        shares = item.counts / item.total
        if len(known) == 1:
            for place, share in enumerate(shares.tolist()):
                span = (float(item.edges[place]), float(item.edges[place + 1]))
                text = f"{number(span[0])} to {number(span[1])} ms: {100 * share:.1f} %"
                plot.box(span, (0.0, share), series(index), text)
        else:
            steps = [(float(item.edges[0]), 0.0)]
            for place, share in enumerate(shares.tolist()):
                steps += [(float(item.edges[place]), share), (float(item.edges[place + 1]), share)]
            steps.append((float(item.edges[-1]), 0.0))
            plot.line(steps, series(index), name)
        middle = item.quantile(0.5)
        plot.rule(x=middle, class_=series(index), title=f"{name}: median {middle:.3g} ms")
    return plot.render()


def _percent(value: float) -> str:
    return f"{100 * value:.4g}"
