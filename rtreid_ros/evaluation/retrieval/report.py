"""Figures of searches for people, and vectors for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import SinkError
from rtreid_ros.evaluation.retrieval.figures import RANKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.evaluation.retrieval.searching import Search


def table(searches: Sequence[Search], megabytes: Sequence[float]) -> str:
    """A line for each step of each model, ratios in percent; below it, what was judged.

    Args:
        searches: of the same two sets.
        megabytes: size of each model.
    """
    rows = [["model", *(f"Rank-{k}" for k in RANKS), "mAP", "mINP", "images/s", "MB"]]
    for item, size in zip(searches, megabytes, strict=True):
        model = [f"{item.images_per_second:.0f}", f"{size:g}"]
        for label, step in zip(item.labels(), item.steps, strict=True):
            ratios = (*(step.rank(k) for k in RANKS), step.map, step.minp)
            indent = "  " if step is not item.steps[0] else ""
            rows.append([indent + label, *(f"{100 * ratio:.2f}" for ratio in ratios), *model])
            model = ["", ""]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    ]
    lines.append("")
    told = [_judged(item) for item in searches]
    if len(set(told)) == 1:
        lines.append(told[0])
    else:
        lines += [f"{item.name}: {text}" for item, text in zip(searches, told, strict=True)]
    return "\n".join(lines) + "\n"


def _judged(item: Search) -> str:
    first = item.steps[0]
    text = (
        f"{first.queries} queries judged, {first.skipped} skipped for want of a right match, "
        f"{first.gallery} in the gallery"
    )
    if item.side is not None:
        text += f"; {item.side}"
    unreadable = len(item.query.unreadable) + len(item.gallery.unreadable)
    return text + (f"; {unreadable} pictures cannot be read and are left out" if unreadable else "")


def write_features(item: Search, folder: Path) -> Path:
    """The file ``NAME.npz``: for ``query`` and ``gallery`` the columns of `Features`, ``query_vectors`` etc.

    Raises:
        SinkError: it cannot be written.
    """
    path = folder / f"{item.name.replace('/', '_')}.npz"
    columns = ("vectors", "identities", "cameras", "sequences", "rows")
    arrays = {
        f"{part}_{column}": getattr(features, column)
        for part, features in (("query", item.query), ("gallery", item.gallery))
        for column in columns
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, **arrays)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None
    return path
