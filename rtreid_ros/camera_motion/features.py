"""Camera motion from features described and matched."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from rtreid_ros.camera_motion.base import ImageMotion, ImageMotionOptions
from rtreid_ros.camera_motion.similarity import fit_similarity
from rtreid_ros.options import option
from rtreid_ros.types import Float64, UInt8


@dataclass(frozen=True, slots=True)
class FeatureOptions(ImageMotionOptions):
    """Options of estimators that match features."""

    features: int = option(500, "most features per image", ge=8, le=10000)
    ratio: float = option(
        0.8, "the best match must be nearer than this share of the second best's distance", ge=0.1, le=1
    )
    threshold: float = option(
        2.0, "how far a feature may lie from where the motion puts it, pixels of the reduced image", ge=0.1
    )


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    places: Float64  # (N, 2)
    descriptors: Any  # (N, D)


class _Features(ImageMotion[_View]):
    Options: ClassVar[type[ImageMotionOptions]] = FeatureOptions
    options: FeatureOptions
    _norm: ClassVar[int]

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self._detector = self._create()

    @abstractmethod
    def _create(self) -> Any:
        """The detector of OpenCV."""

    def _look(self, grey: UInt8, background: UInt8) -> _View:
        points, descriptors = self._detector.detectAndCompute(grey, background)
        if descriptors is None:
            return _View(np.zeros((0, 2)), None)
        places = np.asarray(cv2.KeyPoint.convert(points), np.float64).reshape(-1, 2)
        order = np.lexsort(places.T)  # threads find them in any order
        return _View(places[order], descriptors[order])

    def _between(self, previous: _View, current: _View) -> Float64 | None:
        if min(len(previous.places), len(current.places)) < 2:
            return None
        distances, nearest = cv2.batchDistance(
            previous.descriptors, current.descriptors, -1, normType=self._norm, K=2
        )
        # the ratio test of Lowe (2004, section 7.1)
        clear = distances[:, 0] < self.options.ratio * distances[:, 1]
        return fit_similarity(
            previous.places[clear], current.places[nearest[clear, 0]], self.options.threshold
        )


class Orb(_Features):
    """ORB features (Rublee et al. 2011)."""

    _norm = cv2.NORM_HAMMING

    def _create(self) -> Any:
        return cv2.ORB.create(nfeatures=self.options.features, fastThreshold=10)


class Sift(_Features):
    """SIFT features (Lowe 2004)."""

    _norm = cv2.NORM_L2

    def _create(self) -> Any:
        return cv2.SIFT.create(nfeatures=self.options.features, contrastThreshold=0.02)
