"""The report of a training: its course as curves, what it came to, and who was found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from rtreid_ros.reporting.charts import series
from rtreid_ros.reporting.page import details, figure, legend, page, panels, paragraph, section, table
from rtreid_ros.reporting.svg import Axis, Plot

RATIOS = {"map": "mAP", "rank1": "Rank-1", "rank5": "Rank-5", "rank10": "Rank-10", "minp": "mINP"}
"""Figures of a validation, from 0 to 1, and what they are called; shown in percent."""

_CURVES = ("map", "rank1", "minp")


def training_page(
    title: str,
    remark: str,
    history: Sequence[Mapping[str, Any]],
    *,
    best_epoch: int = 0,
    facts: Sequence[tuple[str, str]] = (),
    config: str = "",
    more: Sequence[str] = (),
) -> str:
    """The whole page.

    Args:
        title: what was trained.
        remark: a line below.
        history: a mapping for each epoch: ``epoch``, ``loss``, ``losses`` by name, ``lr``,
            ``images_per_second``, and those of `RATIOS` where there was a validation.
        best_epoch: the one whose weights are kept; 0 = none.
        facts: further rows, name and value.
        config: the configuration's text.
        more: further sections, as markup.
    """
    rows = [*facts]
    if history:
        speed = sum(row["images_per_second"] for row in history) / len(history)
        rows += [("epochs", str(history[-1]["epoch"])), ("pictures per second", f"{speed:.0f}")]
    return page(
        title,
        remark,
        [
            section("Figures", _figures(history, best_epoch), table(["", ""], rows) if rows else ""),
            section(
                "Course", _validations(history, best_epoch), panels(_courses(history)) if history else ""
            ),
            *more,
            section("Configuration", details("All options", "", f"<pre>{escape(config)}</pre>"))
            if config
            else "",
        ],
    )


def _figures(history: Sequence[Mapping[str, Any]], best_epoch: int) -> str:
    """The best validation, and the last."""
    judged = {row["epoch"]: row for row in history if "map" in row}
    if not judged:
        return paragraph("Nothing was held out for validation.", "note")
    last = max(judged)
    chosen = {"best": best_epoch, "last": last} if last != best_epoch else {"best": best_epoch}
    rows = [
        [f"{name}, epoch {epoch}", *(f"{100 * judged[epoch][key]:.2f}" for key in RATIOS)]
        for name, epoch in chosen.items()
        if epoch in judged
    ]
    note = "Single-query protocol, nothing added; ratios in percent."
    return table(["validation", *RATIOS.values()], rows) + paragraph(note, "note")


def _validations(history: Sequence[Mapping[str, Any]], best_epoch: int) -> str:
    """Ratios over epochs, one colour each."""
    judged = [row for row in history if "map" in row]
    if not judged:
        return ""
    names = [RATIOS[key] for key in _CURVES]
    plot = Plot(
        Axis(0, history[-1]["epoch"], "epoch"),
        Axis(0, 1, show=lambda value: f"{100 * value:.4g}"),
        "validation, %",
        width=620,
        height=300,
    )
    for index, key in enumerate(_CURVES):
        points = [(float(row["epoch"]), float(row[key])) for row in judged]
        plot.line(points, series(index), RATIOS[key])
        for epoch, value in points:
            plot.dot(epoch, value, series(index), f"epoch {epoch:g}: {RATIOS[key]} {100 * value:.2f}")
    if best_epoch:
        plot.rule(x=float(best_epoch), title=f"best: epoch {best_epoch}")
    return legend(names) + figure(plot.render(), "The broken line stands where the weights kept come from.")


def _courses(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Losses, learning rate and speed over epochs, a drawing each."""
    names = list(dict.fromkeys(name for row in history for name in row["losses"]))
    curves = {"loss, total": [(row["epoch"], row["loss"]) for row in history]}
    for name in names:
        known = [(row["epoch"], row["losses"][name]) for row in history if name in row["losses"]]
        curves[f"loss, {name.replace('_', ' ')}"] = known
    curves["learning rate"] = [(row["epoch"], row["lr"]) for row in history]
    curves["pictures per second"] = [(row["epoch"], row["images_per_second"]) for row in history]
    return [_course(name, points, history[-1]["epoch"]) for name, points in curves.items()]


def _course(name: str, points: Sequence[tuple[float, float]], epochs: int) -> str:
    values = [value for _, value in points if math.isfinite(value)]
    most = max(values, default=0.0)
    least = min(0.0, *values) if values else 0.0
    plot = Plot(
        Axis(0, epochs, "epoch"),
        Axis(least, most * 1.05 if most > least else least + 1, show="{:.3g}".format),
        name,
        width=330,
        height=210,
        left=54,
    )
    plot.line([(float(x), float(y)) for x, y in points if math.isfinite(y)], series(0), name)
    if len(points) == 1:
        plot.dot(float(points[0][0]), float(points[0][1]), series(0))
    return plot.render()
