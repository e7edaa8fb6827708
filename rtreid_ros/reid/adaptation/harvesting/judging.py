"""Which boxes of a frame show somebody well."""

from __future__ import annotations

import numpy as np

from rtreid_ros.reid.adaptation.harvesting.options import HarvestOptions
from rtreid_ros.types import Bool, Float32, Float64


def overlaps(boxes: Float32) -> Float64:
    """``(N,)``: the largest share of each box that one other box covers.

    Which of two people stands in front is not known, so both count as covered.
    """
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2).astype(np.float64)
    np.fill_diagonal(common, 0)
    area = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    covered: Float64 = common.max(axis=1, initial=0) / np.maximum(area, 1e-9)
    return covered


def presentable(
    boxes: Float32, scores: Float32, covered: Float64, size: tuple[int, int], options: HarvestOptions
) -> Bool:
    """``(N,) bool``: boxes that are sure, large, whole and free.

    Args:
        boxes: ``(N, 4)`` corners in pixels.
        scores: ``(N,)`` of their detections.
        covered: ``(N,)`` as `overlaps` gives it.
        size: ``(height, width)`` of the image.
        options: see there.
    """
    height, width = size
    extent = boxes[:, 2:] - boxes[:, :2]
    room = np.minimum(boxes[:, :2], np.array([width, height]) - boxes[:, 2:]).min(axis=1, initial=np.inf)
    good: Bool = (
        (scores >= options.least_score)
        & (extent[:, 0] >= options.least_width)
        & (extent[:, 1] >= options.least_height)
        & (covered <= options.most_overlap)
        & (room >= options.border)
    )
    return good


def quality(scores: Float32, covered: Float64, boxes: Float32) -> Float64:
    """``(N,)``, by which crops of about the same time are chosen: sure, free, and large up to 256 pixels."""
    large = np.minimum((boxes[:, 3] - boxes[:, 1]) / 256, 1)
    found: Float64 = scores * (1 - covered) * np.sqrt(np.clip(large, 0, None))
    return found
