"""What a recorded sequence is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.evaluation.mot_text import MotTable
    from rtreid_ros.types import Detections, Float64


@dataclass(frozen=True, slots=True, eq=False)
class RecordedFrame:
    """Input of one tracker update.

    Attributes:
        number: of the frame in its sequence, from 1; gaps mean frames left out.
        stamp: seconds.
        detections: what was seen.
        camera_motion: ``(2, 3)`` affine in pixels from the frame before this one in the recording
            to this, or None where it is not known.
    """

    number: int
    stamp: float
    detections: Detections
    camera_motion: Float64 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One sequence, cut to the frames that are tracked and judged.

    Attributes:
        name: of the sequence.
        frame_rate: nominal, frames per second.
        width: of the images, pixels; 0 if not known.
        height: likewise.
        frames: in order, also those in which nothing was seen.
        truth: ground truth with the sequence's own frame numbers, or None.
        class_names: ``class_names[class_id]`` of detections.
        length: frames of the whole sequence, of which `frames` may be a part; 0 if not known.
        benchmark: whose rules of judging apply: MOT15, MOT17, MOT20 or KITTI; empty = by the truth.
    """

    name: str
    frame_rate: float
    width: int
    height: int
    frames: tuple[RecordedFrame, ...]
    truth: MotTable | None = None
    class_names: tuple[str, ...] = ("person",)
    length: int = 0
    benchmark: str = ""

    @property
    def detections_per_frame(self) -> float:
        """Mean number of detections."""
        return float(np.mean([len(frame.detections) for frame in self.frames])) if self.frames else 0.0

    def with_frames(self, frames: Sequence[RecordedFrame]) -> Recording:
        """The same sequence with other frames."""
        return replace(self, frames=tuple(frames))
