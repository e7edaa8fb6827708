"""Camera motion from corners followed by optical flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from rtreid_ros.camera_motion.base import ImageMotion, ImageMotionOptions
from rtreid_ros.camera_motion.similarity import fit_similarity
from rtreid_ros.options import option
from rtreid_ros.types import Float32, Float64, UInt8


@dataclass(frozen=True, slots=True)
class SparseFlowOptions(ImageMotionOptions):
    """Options of sparse optical flow."""

    corners: int = option(400, "most corners followed", ge=8, le=10000)
    quality: float = option(
        0.01, "least strength of a corner, as a share of the strongest one's", ge=1e-6, le=1
    )
    distance: float = option(6.0, "least distance between corners, pixels of the reduced image", ge=1, le=100)
    window: int = option(15, "side of the patch that is followed, pixels of the reduced image", ge=5, le=101)
    threshold: float = option(
        1.5, "how far a corner may lie from where the motion puts it, pixels of the reduced image", ge=0.1
    )


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    grey: UInt8
    corners: Float32  # (N, 1, 2)


class SparseFlow(ImageMotion[_View]):
    """Corners (Shi and Tomasi 1994) of every frame's background, followed into the next one.

    Pyramidal Lucas-Kanade flow (Bouguet 2000), then the similarity most corners agree on; as
    BoT-SORT does (Aharon et al. 2022, section 3.2).
    """

    Options: ClassVar[type[ImageMotionOptions]] = SparseFlowOptions
    options: SparseFlowOptions

    def _look(self, grey: UInt8, background: UInt8) -> _View:
        chosen = self.options
        corners = cv2.goodFeaturesToTrack(
            grey, chosen.corners, chosen.quality, chosen.distance, mask=background, blockSize=3
        )
        return _View(grey, np.zeros((0, 1, 2), np.float32) if corners is None else corners)

    def _between(self, previous: _View, current: _View) -> Float64 | None:
        if not len(previous.corners):
            return None
        window = (self.options.window, self.options.window)
        followed, found, _ = cv2.calcOpticalFlowPyrLK(
            previous.grey, current.grey, previous.corners, None, winSize=window, maxLevel=3
        )
        seen = found.ravel() == 1
        return fit_similarity(
            previous.corners[seen, 0].astype(np.float64),
            followed[seen, 0].astype(np.float64),
            self.options.threshold,
        )
