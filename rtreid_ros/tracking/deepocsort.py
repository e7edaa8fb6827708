"""Deep OC-SORT: OC-SORT with camera motion and appearance, each as far as it can be trusted.

Maggiolino et al., Deep OC-SORT: Multi-Pedestrian Tracking by Adaptive Re-Identification, ICIP 2023.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.options import option
from rtreid_ros.tracking.appearance import AppearanceTracker, blend
from rtreid_ros.tracking.ocsort import OcSort, OcSortOptions
from rtreid_ros.tracking.state_spaces import XYWH
from rtreid_ros.types import Bool, Detections, Float32, Int64


@dataclass(frozen=True, slots=True)
class DeepOcSortOptions(OcSortOptions):
    """Published defaults; `max_lost` is the paper's 30 frames in its slowest sequences, of 14 per second."""

    max_lost: float = option(
        2.0, "a track not seen for longer than this is dropped, seconds", ge=0, search=(0.3, 5.0), live=True
    )
    appearance_weight: float = option(
        0.75, "weight of the cosine similarity beside overlap", ge=0, le=10, search=(0.0, 2.5), live=True
    )
    adaptive_margin: float = option(
        0.5,
        "adaptive weighting: greatest extra weight of a pair that stands out by its looks",
        ge=0,
        le=2,
        search=(0.0, 1.0),
        live=True,
    )
    momentum: float = option(
        0.95,
        "share of its old embedding a track keeps at a match with a score of 1",
        ge=0,
        le=0.999,
        search=(0.5, 0.99),
        live=True,
    )


class DeepOcSort(AppearanceTracker, OcSort):
    """The tracker of the paper; without embeddings, OC-SORT with another filter."""

    Options = DeepOcSortOptions
    filter = XYWH()
    camera_motion = "sparse_flow"
    options: DeepOcSortOptions

    def _evidence(self, near: Bool, detections: Detections) -> Float32:
        evidence = super()._evidence(near, detections)
        if detections.embeddings is not None and evidence.size:
            alike = self.tracks.features @ detections.embeddings.T
            weight = self.options.appearance_weight + self._distinction(alike)
            evidence += weight * alike
        return evidence

    def _distinction(self, alike: Float32) -> Float32:
        """Extra weight of each pair: how far its track's and its detection's best match stand out.

        Adaptive weighting (paper, section 3.3): the mean over track and detection of the lead of
        the best over the second best similarity, at most the margin.
        """
        margin = self.options.adaptive_margin
        lead: Float32 = (_lead(alike, 1, margin) + _lead(alike, 0, margin)) * np.float32(0.5)
        return lead

    def _continue(self, rows: Int64, detections: Detections) -> None:
        super()._continue(rows, detections)
        if detections.embeddings is not None:
            blend(self.tracks, rows, detections.embeddings, self._momenta(detections.scores)[:, None])

    def _momenta(self, scores: Float32) -> Float32:
        """Dynamic appearance (paper, section 3.2): a doubtful detection changes looks less."""
        options = self.options
        span = max(1 - options.track_threshold, 1e-6)
        trust = ((scores - options.track_threshold) / span).clip(0, 1)
        return (options.momentum + (1 - options.momentum) * (1 - trust)).astype(np.float32)


def _lead(alike: Float32, axis: int, margin: float) -> Float32:
    """Lead of the greatest over the second greatest value along `axis`, at most `margin`."""
    if alike.shape[axis] < 2:
        return np.full_like(alike.max(axis=axis, keepdims=True), margin)
    top = np.partition(alike, -2, axis=axis).take((-1, -2), axis=axis)
    lead: Float32 = np.minimum(-np.diff(top, axis=axis), margin)
    return lead
