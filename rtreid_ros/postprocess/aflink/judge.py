"""How well confidences tell pairs of one person from pairs of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtreid_ros.types import Float32


def judge(confidence: Float32, labels: Float32, threshold: float) -> dict[str, float]:
    """Precision and recall of pairs from `threshold` on, and the area under the ROC curve.

    Args:
        confidence: ``(N,)``.
        labels: ``(N,)``, 1 for one person; both kinds must occur.
        threshold: least confidence of a link.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 (slow to import)

    same = labels > 0.5
    linked = confidence >= threshold
    right = float((linked & same).sum())
    ones, zeros = float(same.sum()), float((~same).sum())
    return {
        "precision": right / max(float(linked.sum()), 1.0),
        "recall": right / max(ones, 1.0),
        # Mann and Whitney's statistic, ties counted half
        "auc": float((rankdata(confidence)[same].sum() - ones * (ones + 1) / 2) / max(ones * zeros, 1.0)),
    }
