"""Camera motion between nodes: each message tells the step from another frame; no ROS needed.

In a live graph every stage skips frames when it is behind. A step is of use only to a stage whose
last frame is the one the step comes from, or that knows the steps in between.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from numpy.typing import ArrayLike

from rtreid_ros.affine import compose
from rtreid_ros.camera_motion import CameraMotion
from rtreid_ros.ordering import Order, StampOrder
from rtreid_ros.types import Float64, UInt8

_REMEMBERED = 256
"""Steps kept: more than any queue in the graph holds."""


@dataclass(frozen=True, slots=True, eq=False)
class MotionStep:
    """How the camera moved between two frames.

    Attributes:
        since: stamp of the earlier one, nanoseconds.
        affine: ``(2, 3)`` in pixels, from the earlier frame to the later one.
    """

    since: int
    affine: Float64


class MotionStage:
    """Estimates the camera's motion over a stream of images, from each to the next.

    Args:
        method: of estimation; None: nothing is told.
    """

    def __init__(self, method: CameraMotion | None) -> None:
        self._method = method
        self._order = StampOrder()
        self._last: int | None = None

    @property
    def failures(self) -> int:
        """Frames so far for which the motion could not be told."""
        return 0 if self._method is None else self._method.failures

    def take(self, image: UInt8, boxes: ArrayLike, stamp_ns: int) -> MotionStep | None:
        """The step to this image; None for the first one and for a late one, which no tracker takes.

        Raises:
            RtreidError: as `CameraMotion.estimate`.
        """
        order = self._order.judge(stamp_ns)
        if self._method is None or order is Order.LATE:
            return None
        if order is Order.RESTART:
            self._method.reset()
            self._last = None
        affine = self._method.estimate(image, boxes, stamp_ns=stamp_ns)
        since, self._last = self._last, stamp_ns
        return None if since is None else MotionStep(since, affine)


class MotionChain:
    """Steps as they come in, composed over the frames that were skipped. Safe to use from two threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[int, MotionStep] = {}

    def add(self, stamp_ns: int, step: MotionStep | None) -> None:
        """Take in what a message says: the step to its own frame, or None where it says nothing."""
        with self._lock:
            self._steps.pop(stamp_ns, None)
            if step is not None:
                self._steps[stamp_ns] = step
            while len(self._steps) > _REMEMBERED:
                del self._steps[next(iter(self._steps))]

    def between(self, earlier: int, later: int) -> Float64 | None:
        """``(2, 3)`` motion from the frame of one stamp to that of another; None where no steps lead."""
        motion: Float64 | None = None
        with self._lock:
            while later > earlier:
                step = self._steps.get(later)
                if step is None or step.since >= later:
                    return None
                motion = step.affine if motion is None else compose(motion, step.affine)
                later = step.since
        return motion if later == earlier else None
