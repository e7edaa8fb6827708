"""Frames, tracks and ground truth as a rosbag2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.bags.messages import header, jpeg_image, raw_image, track_array
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sinks.base import OutputSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.pipeline import FrameResult

JPEG_QUALITY = 92
"""Of the images we compress, unless told."""


class BagSink(BagOutput, OutputSink):
    """Topics ``/image`` (or ``/image/compressed``), ``/tracks`` and, where there is one, ``/ground_truth``.

    Ground truth is a TrackArray too: true ids, visibility as score, TENTATIVE where not to be judged.

    Args:
        path: folder of the bag.
        class_names: names of the detector's classes.
        truth_class_names: names of the ground truth's classes.
        images: ``compressed`` (JPEG), ``raw`` or ``none``.
        storage: ``mcap`` or ``sqlite3``.

    Raises:
        ConfigError: an unknown storage.
        SinkError: see `BagOutput`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        class_names: Sequence[str] = (),
        truth_class_names: Sequence[str] = (),
        images: str = "compressed",
        storage: str = "mcap",
    ) -> None:
        super().__init__(path, storage)
        self._class_names = class_names
        self._truth_class_names = truth_class_names
        self._images = images

    def write(self, result: FrameResult) -> None:
        """Record one frame."""
        frame, stamp = result.frame, result.frame.stamp_ns
        head = header(stamp, frame.camera)
        size = (frame.image.shape[0], frame.image.shape[1])
        if self._images == "raw":
            self.write_message("/image", raw_image(frame.image, head), stamp)
        elif self._images == "compressed":
            self.write_message("/image/compressed", jpeg_image(frame.image, head, JPEG_QUALITY), stamp)
        times = result.timings
        milliseconds = (times.detection_ms, times.embedding_ms, times.camera_motion_ms, times.tracking_ms)
        tracks = track_array(result.tracks, head, size, self._class_names, milliseconds=milliseconds)
        self.write_message("/tracks", tracks, stamp)
        if frame.truth is not None:
            truth = track_array(frame.truth.as_tracks(), head, size, self._truth_class_names)
            self.write_message("/ground_truth", truth, stamp)
