"""Scores for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.evaluation.batch import Verdict
    from rtreid_ros.evaluation.metrics import Evaluation

_PERCENT = {
    "HOTA": "hota",
    "DetA": "det_a",
    "AssA": "ass_a",
    "MOTA": "mota",
    "IDF1": "idf1",
    "Rcll": "recall",
    "Prcn": "precision",
}
_COUNTS = {"IDSW": "id_switches", "Frag": "fragmentations", "FP": "false_positives", "FN": "false_negatives"}


def table(evaluations: Sequence[Evaluation]) -> str:
    """One row per evaluation; ratios in percent."""
    header = ["sequence", *_PERCENT, *_COUNTS, "GT", "frames"]
    rows = []
    for item in evaluations:
        figures = item.scores.as_dict()
        cells = [item.name, *(f"{100 * figures[key]:.2f}" for key in _PERCENT.values())]
        rows.append([*cells, *(str(figures[key]) for key in (*_COUNTS.values(), "truth_boxes", "frames"))])
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in [header, *rows]
    )


def to_json(verdicts: Sequence[Verdict]) -> str:
    """``{"combined": {...}, "sequences": {name: {...}}}``; ratios from 0 to 1.

    Where classes are judged apart, that for each of them: ``{"classes": {"car": {...}, ...}}``.
    """
    by_class = {
        verdict.class_name: {
            "combined": verdict.combined.scores.as_dict(),
            "sequences": {item.name: item.scores.as_dict() for item in verdict.evaluations},
        }
        for verdict in verdicts
    }
    content = by_class.get("", {"classes": by_class})
    return json.dumps(content, indent=2) + "\n"
