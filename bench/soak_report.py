"""Tables, sentences and a page about a graph that ran for long."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np

from bench.sections import table
from bench.soak_result import Soak, Trend
from rtreid_ros.reporting.page import figure, legend, page, section
from rtreid_ros.reporting.page import table as html_table
from rtreid_ros.reporting.svg import Axis, Plot

WIDTH = 115
SHORTEST = 4.0
"""Minutes from which something is said about days: a source alone grows for almost three."""
HEADER = (
    *("process", "private MB", "growth", "MB an hour", "later half"),
    *("resident MB", "threads", "open files"),
)
MINUTES = ("minute", "images", "tracks", "p50 ms", "p99 ms")


def rows(result: Soak) -> list[list[str]]:
    """Cells under `HEADER`."""
    cells = []
    for name in result.looks:
        counted = result.counted(name)
        last = counted[-1]
        cells.append(
            [
                name,
                f"{last.private_mb:.1f}",
                f"{result.growth_mb(name):+.1f}",
                _slope(result.trend(name)),
                _slope(result.trend(name, later_half=True)),
                f"{last.resident_mb:.1f}",
                _range([look.threads for look in counted]),
                _range([look.files for look in counted]),
            ]
        )
    return cells


def _slope(trend: Trend | None) -> str:
    return "-" if trend is None else str(trend)


def outlook(result: Soak) -> str:
    """What the later half of the time says about days."""
    if (result.times[-1] / 60 - result.warm_up) / 2 < SHORTEST:
        return "The run was too short to say anything about days."
    trends = {name: result.trend(name, later_half=True) for name in result.looks}
    known = {name: trend for name, trend in trends.items() if trend is not None}
    growing = [
        f"{name} by {trend} MB an hour, or {trend.per_day[0]:.0f} to {trend.per_day[1]:.0f} MB a day"
        for name, trend in known.items()
        if trend.per_day[0] > 0
    ]
    if growing:
        return f"Still growing in the later half, so much a day if it goes on: {'; '.join(growing)}."
    name = max(known, key=lambda name: known[name].per_day[1])
    most = known[name].per_day[1]
    return f"No process grows for certain in the later half; {name} may by up to {most:.0f} MB a day."


def verdict(result: Soak, *, latency: bool = True) -> str:
    """Which limits are broken."""
    return "; ".join(result.problems(latency=latency)) or "nothing has grown beyond its limit"


def document(result: Soak, heading: str, *, latency: bool = True) -> str:
    """The part of a document about one shape."""
    minutes = minute_rows(result)
    chosen = np.unique(np.linspace(0, len(minutes) - 1, min(8, len(minutes))).round().astype(int))
    return "\n\n".join(
        [
            fill(f"{heading}: {verdict(result, latency=latency)}. {outlook(result)}", WIDTH),
            table(HEADER, rows(result), text_columns=1),
            table(MINUTES, [minutes[index] for index in chosen], text_columns=0),
        ]
    )


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def minute_rows(result: Soak) -> list[list[str]]:
    """Cells under `MINUTES`."""

    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    return [
        [
            f"{(n + 1) * result.step:g}",
            str(m.images),
            str(m.tracks),
            shown(m.latency_ms_p50),
            shown(m.latency_ms_p99),
        ]
        for n, m in enumerate(result.minutes)
    ]


PLOTS = {"private_mb": "private memory, MB", "threads": "threads", "files": "open files"}


def report(result: Soak) -> str:
    """The page: memory, threads and files of each process, latency by minute."""
    ends = result.times[-1] / 60
    drawings = []
    for what, title in PLOTS.items():
        values = {
            name: [float(getattr(look, what)) for look in looks] for name, looks in result.looks.items()
        }
        most = max(max(line) for line in values.values()) * 1.05
        plot = Plot(Axis(0, ends, "minutes"), Axis(0, most), title, width=520, height=250)
        for index, (name, line) in enumerate(values.items()):
            moments = [moment / 60 for moment in result.times]
            plot.line(list(zip(moments, line, strict=True)), f"s{index}", name)
        plot.rule(x=result.warm_up, title="end of the warm-up")
        drawings.append(figure(legend(list(values)) + plot.render()))
    timed = [((n + 1) * result.step, m) for n, m in enumerate(result.minutes) if m.latency_ms_p99 is not None]
    if len(timed) > 1:
        most = max(m.latency_ms_p99 or 0.0 for _, m in timed) * 1.05
        plot = Plot(Axis(0, timed[-1][0], "minute"), Axis(0, most), "latency, ms", width=520, height=250)
        plot.line([(n, m.latency_ms_p50 or 0.0) for n, m in timed], "s0", "p50")
        plot.line([(n, m.latency_ms_p99 or 0.0) for n, m in timed], "s1", "p99")
        drawings.append(figure(legend(["p50", "p99"]) + plot.render()))
    return page(
        f"Soak of the {result.shape} graph",
        f"{ends:.0f} minutes, of which {result.warm_up:g} to warm up: {verdict(result)}. {outlook(result)}",
        [
            section("Processes", html_table(HEADER, rows(result)), *drawings),
            section("Minutes", html_table(MINUTES, minute_rows(result))),
        ],
    )
