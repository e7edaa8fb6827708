"""The page at the end of an adaptation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtreid_ros.reid.adaptation.course import AdaptationCourse
from rtreid_ros.reporting.charts import series
from rtreid_ros.reporting.page import panels, paragraph, section, table
from rtreid_ros.reporting.svg import Axis, Plot
from rtreid_ros.reporting.training import RATIOS, training_page

TOLD_APART = (
    "Told-apart: how often the first and the last picture of a tracklet are more alike than pictures of two "
    "tracklets seen side by side; 0.5 is chance. It takes no label. If it fell, do not deploy the network; "
    "that it rose says little, for finding people again in another camera is harder."
)

_COURSES = {
    "silhouette": "silhouette",
    "agreement": "agreement with the round before",
    "noise": "share in no cluster",
    "clusters": "clusters",
}


def adaptation_page(
    network: str, course: AdaptationCourse, facts: Sequence[tuple[str, ...]], config: str
) -> str:
    """The page as text.

    Args:
        network: its name.
        course: how it went.
        facts: about pictures and machine, name and value.
        config: the configuration's text.
    """
    return training_page(
        f"Adaptation of {network}",
        f"The network after round {course.best_round} is kept, the last of about the highest silhouette. "
        "Epochs are rounds here.",
        course.history,
        best_epoch=course.best_round,
        facts=[(fact[0], fact[-1]) for fact in facts],
        config=config,
        more=[section("Clusters", *_clusters(course)), section("Before and after", _figures(course))],
    )


def _clusters(course: AdaptationCourse) -> list[str]:
    names = ["clusters", "largest", "median", "noise", "eps", "silhouette", "agreement"]
    extra = [name for name in ("told_apart", "purity", "v_measure") if name in course.statistics]
    steps = {"before": course.before, "0": course.statistics}
    rows = [
        [name, *(_number(row.get(key)) for key in (*names, *extra))]
        for name, row in (*steps.items(), *((str(row["epoch"]), row) for row in course.history))
    ]
    found = [table(["round", *names, *(name.replace("_", "-") for name in extra)], rows)]
    if "told_apart" in extra:
        found.append(paragraph(TOLD_APART, "note"))
    if "purity" in extra:
        found.append(paragraph("Purity and V-measure use labels the adaptation does not have.", "note"))
    if course.history:
        found.append(panels([_course(course, name, title) for name, title in _COURSES.items()]))
    return found


def _course(course: AdaptationCourse, name: str, title: str) -> str:
    rows = [course.statistics, *course.history]
    points = [(float(number), float(row[name])) for number, row in enumerate(rows) if name in row]
    values = [value for _, value in points]
    plot = Plot(
        Axis(0, len(course.history), "round"),
        Axis(min(0.0, *values), max(1e-6, *values) * 1.05, show="{:.3g}".format),
        title,
        width=330,
        height=210,
        left=54,
    )
    plot.line(points, series(0), title)
    return plot.render()


def _figures(course: AdaptationCourse) -> str:
    """Figures of the evaluation as it came, by statistics alone, and of the rounds that were judged."""
    rows: list[tuple[str, Mapping[str, Any]]] = [
        ("before", course.before),
        ("statistics of the target (AdaBN)", course.statistics),
        *((f"round {row['epoch']}", row) for row in course.history),
        (f"kept, of round {course.best_round}", course.kept),
    ]
    judged = [(name, row) for name, row in rows if "map" in row]
    if not judged:
        return paragraph("Nothing judged.", "note")
    text = [[name, *(f"{100 * row[key]:.2f}" for key in RATIOS)] for name, row in judged]
    note = "Single-query protocol, nothing added; percent. Nothing was chosen by these."
    return table(["", *RATIOS.values()], text) + paragraph(note, "note")


def _number(value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def told(figures: Mapping[str, Any]) -> str:
    """Figures of a round in a line."""
    parts = [f"loss {figures['loss']:.4f}"] if "loss" in figures else []
    if "clusters" in figures:
        parts.append(
            f"{figures['clusters']} clusters, {100 * figures['noise']:.0f} % in none, "
            f"eps {figures['eps']:.3f}, silhouette {figures['silhouette']:.3f}"
        )
    for name in ("agreement", "purity", "v_measure", "told_apart"):
        parts += [f"{name.replace('_', '-')} {figures[name]:.3f}"] if name in figures else []
    if "map" in figures:
        parts.append(f"mAP {100 * figures['map']:.2f}, Rank-1 {100 * figures['rank1']:.2f}")
    return ", ".join(parts) or "nothing judges"
