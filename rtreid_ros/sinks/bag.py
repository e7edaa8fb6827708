"""Frames, tracks and ground truth as a rosbag2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rtreid_ros.boxes import xyxy_to_ltwh
from rtreid_ros.sinks.bag_output import BagOutput, message_types
from rtreid_ros.sinks.base import OutputSink
from rtreid_ros.types import Tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.pipeline import FrameResult
    from rtreid_ros.types import Frame

IMAGE_FORMATS = ("compressed", "raw", "none")
_JPEG_QUALITY = 92


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
        self._types = message_types().types

    def write(self, result: FrameResult) -> None:
        """Record one frame."""
        frame = result.frame
        header = self._header(frame)
        if self._images == "raw":
            self.write_message("/image", self._raw(frame, header), frame.stamp_ns)
        elif self._images == "compressed":
            self.write_message("/image/compressed", self._jpeg(frame, header), frame.stamp_ns)
        times = result.timings
        milliseconds = (times.detection_ms, times.embedding_ms, times.camera_motion_ms, times.tracking_ms)
        rows = self._rows(result.tracks, self._class_names)
        self.write_message("/tracks", self._array(frame, header, rows, milliseconds), frame.stamp_ns)
        if frame.truth is not None:
            rows = self._rows(frame.truth.as_tracks(), self._truth_class_names)
            self.write_message(
                "/ground_truth", self._array(frame, header, rows, (0, 0, 0, 0)), frame.stamp_ns
            )

    def _header(self, frame: Frame) -> Any:
        seconds, nanoseconds = divmod(frame.stamp_ns, 1_000_000_000)
        time = self._types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
        return self._types["std_msgs/msg/Header"](stamp=time, frame_id=frame.camera)

    def _raw(self, frame: Frame, header: Any) -> Any:
        height, width = frame.image.shape[:2]
        return self._types["sensor_msgs/msg/Image"](
            header=header,
            height=height,
            width=width,
            encoding="bgr8",
            is_bigendian=0,
            step=3 * width,
            data=np.ascontiguousarray(frame.image).reshape(-1),
        )

    def _jpeg(self, frame: Frame, header: Any) -> Any:
        _, data = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        kind = self._types["sensor_msgs/msg/CompressedImage"]
        return kind(header=header, format="bgr8; jpeg compressed bgr8", data=data.reshape(-1))

    def _array(self, frame: Frame, header: Any, rows: list[Any], milliseconds: tuple[float, ...]) -> Any:
        height, width = frame.image.shape[:2]
        return self._types["rtreid_ros/msg/TrackArray"](
            position_frame="",
            header=header,
            image_height=height,
            image_width=width,
            tracks=rows,
            detection_ms=milliseconds[0],
            embedding_ms=milliseconds[1],
            camera_motion_ms=milliseconds[2],
            tracking_ms=milliseconds[3],
        )

    def _rows(self, tracks: Tracks, names: Sequence[str]) -> list[Any]:
        make = self._types["rtreid_ros/msg/Track"]
        boxes = xyxy_to_ltwh(tracks.boxes.astype(np.float64)).tolist()
        return [
            make(
                id=int(tracks.ids[row]),
                global_id=0,
                global_confidence=0.0,
                state=int(tracks.states[row]),
                class_id=int(tracks.class_ids[row]),
                class_name=names[tracks.class_ids[row]] if 0 <= tracks.class_ids[row] < len(names) else "",
                score=float(tracks.scores[row]),
                x=box[0],
                y=box[1],
                width=box[2],
                height=box[3],
                velocity_x=float(tracks.velocities[row, 0]),
                velocity_y=float(tracks.velocities[row, 1]),
                age=float(tracks.ages[row]),
                time_since_update=float(tracks.time_since_update[row]),
                detection_index=int(tracks.detection_index[row]),
                has_position=False,
                position=self._types["geometry_msgs/msg/Point"](x=0.0, y=0.0, z=0.0),
                embedding=np.zeros(0, np.float32),
            )
            for row, box in enumerate(boxes)
        ]
