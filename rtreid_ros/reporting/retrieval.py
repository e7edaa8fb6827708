"""Searches as pictures: the curve of matches by rank, and what was found for whom."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rtreid_ros.errors import RtreidError
from rtreid_ros.reporting.charts import series
from rtreid_ros.reporting.page import figure, legend, page, paragraph, section, table
from rtreid_ros.reporting.svg import Axis, Plot

if TYPE_CHECKING:
    from rtreid_ros.datasets.identities.base import IdentitySet
    from rtreid_ros.evaluation.retrieval import RetrievalFigures, Search
    from rtreid_ros.types import Int64

_HEIGHT = 112
"""Pixels of a picture in the page."""
_QUALITY = 80


def retrieval_page(
    searches: Sequence[Search], query_set: IdentitySet, gallery_set: IdentitySet, remark: str = ""
) -> str:
    """The report of one model, or of several beside each other.

    Args:
        searches: of the same two sets.
        query_set: whole; pictures that could not be read are left out by what each search knows of them.
        gallery_set: likewise.
        remark: a line below the title.
    """
    steps = [step for item in searches for step in item.steps]
    names = [
        item.name if not place else f"{item.name} {label}"
        for item in searches
        for place, label in enumerate(item.labels())
    ]
    walls = [
        retrieval_section(
            item.steps[0],
            query_set[item.query.rows],
            gallery_set[item.gallery.rows],
            title=f"Who was found by {item.name}",
        )
        for item in searches
    ]
    note = "Ratios in percent. What begins with + comes on top of the line above." if len(steps) > 1 else ""
    sections = [
        section("Figures", retrieval_table(names, steps), paragraph(note, "note")),
        section("Matches by rank", matching_curves(names, steps)),
        *walls,
    ]
    title = "Retrieval" if len(searches) > 1 else f"Retrieval: {searches[0].name}"
    return page(title, remark, sections)


def retrieval_table(names: Sequence[str], figures: Sequence[RetrievalFigures]) -> str:
    """A row for each search; ratios in percent, the best in bold."""
    keys = {"Rank-1": "rank1", "Rank-5": "rank5", "Rank-10": "rank10", "mAP": "map", "mINP": "minp"}
    values = [item.as_dict() for item in figures]
    rows = [
        [
            name,
            *(f"{100 * of[key]:.2f}" for key in keys.values()),
            *(str(of[key]) for key in ("queries", "gallery", "skipped")),
        ]
        for name, of in zip(names, values, strict=True)
    ]
    best = [
        (row, column)
        for column, key in enumerate(keys.values(), start=1)
        for row, of in enumerate(values)
        if len(values) > 1 and of[key] == max(other[key] for other in values)
    ]
    return table(["search", *keys, "queries", "gallery", "skipped"], rows, best=best)


def matching_curves(names: Sequence[str], figures: Sequence[RetrievalFigures]) -> str:
    """Share of queries with a right match among the first k, by k, on a logarithmic axis."""
    ranks = max(2, *(len(item.cmc) for item in figures))
    low = min(float(item.cmc[0]) for item in figures)
    plot = Plot(
        Axis(1, ranks, "rank", "{:g}".format, log=True),
        Axis(max(np.floor(low * 10) / 10 - 0.1, 0.0), 1, show=lambda value: f"{100 * value:.4g}"),
        "% of queries with a right match among the first",
        width=620,
        height=300,
    )
    for index, (name, item) in enumerate(zip(names, figures, strict=True)):
        points = [(float(rank), float(share)) for rank, share in enumerate(item.cmc, start=1)]
        plot.line(points, series(index), f"{name}: {100 * item.rank(1):.2f} % at rank 1")
    return legend(names) + figure(plot.render())


def retrieval_section(
    figures: RetrievalFigures,
    query_set: IdentitySet,
    gallery_set: IdentitySet,
    *,
    title: str = "Who was found",
    hardest: int = 8,
    random: int = 8,
    seed: int = 0,
) -> str:
    """The first of what was found, for the queries with the lowest average precision and for others.

    Args:
        figures: of the search.
        query_set: the queries; where some could not be read, ``query_set[features.rows]``.
        gallery_set: likewise.
        title: heading.
        hardest: how many queries with the lowest average precision.
        random: how many others, chosen by chance.
        seed: of that chance.

    Returns:
        Markup, pictures included; empty where no query could be judged.
    """
    judged = np.flatnonzero(figures.first_match)
    order = judged[np.argsort(figures.average_precision[judged], kind="stable")]
    worst, rest = order[:hardest], order[hardest:]
    others = np.sort(np.random.default_rng(seed).permutation(rest)[:random])
    groups = [("Hardest queries", worst), ("Queries by chance", others)]
    blocks = [
        f"<h3>{name}</h3>" + "".join(_hunt(figures, query_set, gallery_set, row) for row in rows.tolist())
        for name, rows in groups
        if len(rows)
    ]
    note = (
        "Left the query, then what was found, nearest first: framed green where it is the same identity, "
        "red and broken where it is not. Pictures that do not count are left out."
    )
    return section(title, paragraph(note, "note"), *blocks) if blocks else ""


def _hunt(figures: RetrievalFigures, query_set: IdentitySet, gallery_set: IdentitySet, row: int) -> str:
    """One query and what was found."""
    found: Int64 = figures.best[row]
    identity = int(query_set.identities[row])
    shots = [_shot(query_set, row, "asked", "query")]
    for place, (entry, distance) in enumerate(zip(found, figures.best_distances[row], strict=True), start=1):
        if entry >= 0:
            right = int(gallery_set.identities[entry]) == identity
            text = f"{place}: distance {distance:.3f}"
            shots.append(_shot(gallery_set, int(entry), "right" if right else "wrong", text))
    told = (
        f"{query_set.names[row]}: average precision {100 * figures.average_precision[row]:.1f} %, "
        f"first right match at rank {figures.first_match[row]}"
    )
    return f'<figure class="hunt"><div>{"".join(shots)}</div><figcaption>{escape(told)}</figcaption></figure>'


def _shot(pictures: IdentitySet, row: int, kind: str, text: str) -> str:
    """One picture in its frame."""
    told = (
        f"{text}; identity {pictures.identities[row]}, camera {pictures.cameras[row]}, {pictures.names[row]}"
    )
    try:
        image = pictures.read(row)
    except RtreidError as error:
        return f'<span class="{kind}" title="{escape(f"{told}: {error}")}">?</span>'
    width = max(round(image.shape[1] * _HEIGHT / image.shape[0]), 1)
    small = cv2.resize(image, (width, _HEIGHT), interpolation=cv2.INTER_AREA)
    _, code = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    data = base64.b64encode(code.tobytes()).decode("ascii")
    return (
        f'<img class="{kind}" src="data:image/jpeg;base64,{data}" width="{width}" height="{_HEIGHT}" '
        f'alt="{escape(told)}" title="{escape(told)}">'
    )
