"""The report of a training: its course as curves, and samples over time."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import cv2

from rtreid_ros.gan.training.config import GanConfig
from rtreid_ros.gan.training.state import Course
from rtreid_ros.reporting.charts import series
from rtreid_ros.reporting.flipbook import flipbook
from rtreid_ros.reporting.page import details, figure, page, panels, paragraph, section, table
from rtreid_ros.reporting.svg import Axis, Plot

SAMPLES = "samples"
"""Folder of sample sheets."""

_SHEETS, _QUALITY = 24, 90
"""Of them in a report, evenly over time; and of their JPEG."""


def sheet_path(folder: Path, epoch: int) -> Path:
    """Where the samples after an epoch lie."""
    return folder / SAMPLES / f"epoch_{epoch:05d}.png"


def report_page(
    config: GanConfig, course: Course, network: str, folder: Path, facts: Sequence[tuple[str, str]]
) -> str:
    """The page as text.

    Args:
        config: of the training.
        course: how it went.
        network: name of the one whose features were compared.
        folder: of the training, with its samples.
        facts: about networks, data and machine, name and value.
    """
    judged = [row for row in course.history if "kid" in row]
    rows = [*facts, ("features", network), ("epochs", str(course.epochs))]
    note = (
        f"KID (unbiased, {config.judging.subsets} subsets of {config.judging.subset_size}) and FID of "
        f"{config.judging.images} generated pictures against real ones ({config.judging.reference}), on "
        f"features of {network} scaled to the length of the root of their number: comparable with figures "
        "of the same network, numbers and pictures only."
    )
    return page(
        f"Training of a {config.generator.name} generator",
        f"{config.data.dataset}, split {config.data.split}, objective {config.objective.name}, "
        f"seed {config.training.seed}",
        [
            section(
                "Figures",
                table(*_figures(course)) if judged else "",
                paragraph(note, "note"),
                table(["", ""], rows),
            ),
            section("Course", panels(_courses(course))),
            section("Samples over time", flipbook(_sheets(course, folder))),
            section("Configuration", details("All options", "", f"<pre>{escape(config.text())}</pre>")),
        ],
    )


_FIGURES = {
    "kid": "KID",
    "kid_spread": "± over subsets",
    "fid": "FID",
    "variety": "variety",
    "group_accuracy": "group accuracy",
}
_CURVES = {key: title for key, title in _FIGURES.items() if key != "kid_spread"}


def _figures(course: Course) -> tuple[list[str], list[list[str]]]:
    """The best judgement, the first and the last, below what they are called."""
    judged = {row["epoch"]: row for row in course.history if "kid" in row}
    chosen = {"best": course.best_epoch, "first": min(judged), "last": max(judged)}
    keys = [key for key in _FIGURES if key in judged[chosen["last"]]]
    rows = [
        [f"{name}, epoch {epoch}", *(f"{judged[epoch][key]:.4g}" for key in keys)]
        for name, epoch in chosen.items()
    ]
    return ["", *(_FIGURES[key] for key in keys)], rows


def _courses(course: Course) -> list[str]:
    """Figures, losses and speed over epochs, a drawing each."""
    history = course.history
    curves = {
        title: [(float(row["epoch"]), float(row[key])) for row in history if key in row]
        for key, title in {**_CURVES, "images_per_second": "pictures per second"}.items()
    }
    for name in dict.fromkeys(name for row in history for name in row["losses"]):
        curves[f"loss, {name.replace('_', ' ')}"] = [
            (float(row["epoch"]), float(row["losses"][name])) for row in history if name in row["losses"]
        ]
    return [_course(title, points) for title, points in curves.items() if points]


def _course(title: str, points: Sequence[tuple[float, float]]) -> str:
    values = [value for _, value in points]
    low, high = min(0.0, *values), max(0.0, *values)
    plot = Plot(
        Axis(0, max(epoch for epoch, _ in points), "epoch"),
        Axis(low, high if high > low else low + 1, show="{:.3g}".format),
        title,
        width=330,
        height=210,
        left=54,
    )
    plot.line(points, series(0), title)
    for epoch, value in points if len(points) < 30 else []:
        plot.dot(epoch, value, series(0), f"epoch {epoch:g}: {value:.4g}")
    return plot.render()


def _sheets(course: Course, folder: Path) -> list[str]:
    """Sample sheets of the generator that is kept, evenly over time, the last one among them."""
    epochs = [row["epoch"] for row in course.history if sheet_path(folder, row["epoch"]).is_file()]
    chosen = epochs[::-1][:: -(-len(epochs) // _SHEETS) or 1][::-1]
    drawings = []
    for epoch in chosen:
        sheet = cv2.imread(str(sheet_path(folder, epoch)))
        if sheet is None:  # cut off by a full disk
            continue
        _, code = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        data = base64.b64encode(code.tobytes()).decode("ascii")
        picture = f'<img src="data:image/jpeg;base64,{data}" alt="samples after epoch {epoch}">'
        drawings.append(figure(picture, f"after epoch {epoch}"))
    return drawings
