"""Detections, tracks and ground truth to messages and back.

A message holds the corner and size of a box as float64, so the float32 corners inside survive the
way there and back bit by bit: a graph of processes computes exactly what one process does.
"""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from rtreid_ros.errors import MessageError
from rtreid_ros.msg import Detection, DetectionArray, Track, TrackArray
from rtreid_ros.nodes.flow.motion import MotionStep
from rtreid_ros.types import Detections, Float32, Float64, GroundTruth, Tracks

NANOSECONDS = 1_000_000_000


def stamp_ns(message: Any) -> int:
    """The header stamp of any message, or part of one, that has a header; nanoseconds."""
    return _nanoseconds(message.header.stamp)


def _nanoseconds(time: Time) -> int:
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def _time(stamp: int) -> Time:
    seconds, nanoseconds = divmod(stamp, NANOSECONDS)
    return Time(sec=seconds, nanosec=nanoseconds)


def header(stamp: int, frame_id: str) -> Header:
    """A header of a stamp in nanoseconds."""
    return Header(stamp=_time(stamp), frame_id=frame_id)


def _corner_and_size(boxes: Float32) -> list[list[float]]:
    ltwh = boxes.astype(np.float64)
    with np.errstate(invalid="ignore"):  # infinite corners are passed on, not judged
        ltwh[:, 2:] -= ltwh[:, :2]
    listed: list[list[float]] = ltwh.tolist()
    return listed


def _corners(rows: list[tuple[float, float, float, float]]) -> Float32:
    ltwh: Float64 = np.array(rows, np.float64).reshape(-1, 4)
    with np.errstate(invalid="ignore", over="ignore"):
        ltwh[:, 2:] += ltwh[:, :2]
        return ltwh.astype(np.float32)


def _name(names: Sequence[str], class_id: int) -> str:
    return names[class_id] if 0 <= class_id < len(names) else ""


def _floats(row: Float32) -> array.array[float]:
    return array.array("f", row.tobytes())


def _embeddings(messages: Sequence[Detection | Track]) -> Float32 | None:
    """Rows of all messages, None where they are empty.

    Raises:
        MessageError: the rows differ in length.
    """
    lengths = {len(message.embedding) for message in messages}
    if lengths <= {0}:
        return None
    if len(lengths) > 1:
        raise MessageError(f"embeddings of one message differ in length: {sorted(lengths)}")
    return np.stack([np.frombuffer(message.embedding, np.float32) for message in messages])


def detections_message(
    detections: Detections,
    head: Header,
    size: tuple[int, int],
    class_names: Sequence[str],
    detection_ms: float = 0.0,
    embedding_ms: float = 0.0,
) -> DetectionArray:
    """A DetectionArray; `size` is ``(height, width)`` of the image."""
    class_ids = detections.class_ids.tolist()
    scores = detections.scores.tolist()
    rows = []
    for index, (x, y, width, height) in enumerate(_corner_and_size(detections.boxes)):
        row = Detection(
            class_id=class_ids[index],
            class_name=_name(class_names, class_ids[index]),
            score=scores[index],
            x=x,
            y=y,
            width=width,
            height=height,
        )
        if detections.embeddings is not None:
            row.embedding = _floats(detections.embeddings[index])
        rows.append(row)
    message = DetectionArray(header=head, detections=rows)
    message.image_height, message.image_width = size
    message.detection_ms, message.embedding_ms = float(detection_ms), float(embedding_ms)
    return message


def detections_from_message(message: DetectionArray) -> Detections:
    """The detections of a message, judged no further than by shape.

    Raises:
        MessageError: embeddings differ in length.
    """
    rows = message.detections
    return Detections(
        _corners([(row.x, row.y, row.width, row.height) for row in rows]),
        np.array([row.score for row in rows], np.float32),
        np.array([row.class_id for row in rows], np.int32),
        _embeddings(rows),
    )


def set_embeddings(message: DetectionArray, embeddings: Float32) -> None:
    """Fill in the appearance of every detection of a message, ``(N, D)``."""
    for row, embedding in zip(message.detections, embeddings, strict=True):
        row.embedding = _floats(embedding)


def set_camera_motion(message: DetectionArray, step: MotionStep | None) -> None:
    """Tell in a message how the camera moved, or that it is not known."""
    message.has_camera_motion = step is not None
    if step is not None:
        message.camera_motion_since = _time(step.since)
        message.camera_motion = step.affine.reshape(6)


def camera_motion_of(message: DetectionArray) -> MotionStep | None:
    """How the camera moved, None where a message does not say.

    Raises:
        MessageError: what it says is no invertible affine.
    """
    if not message.has_camera_motion:
        return None
    affine = np.array(message.camera_motion, np.float64).reshape(2, 3)
    if not np.isfinite(affine).all() or np.linalg.det(affine[:, :2]) == 0:
        raise MessageError(f"camera_motion is no invertible affine: {affine.tolist()}")
    return MotionStep(_nanoseconds(message.camera_motion_since), affine)


def class_names_of(message: DetectionArray | TrackArray) -> dict[int, str]:
    """The class names a message mentions, by class id."""
    rows = message.detections if isinstance(message, DetectionArray) else message.tracks
    return {row.class_id: row.class_name for row in rows}


def tracks_message(
    tracks: Tracks,
    head: Header,
    size: tuple[int, int],
    class_names: Sequence[str] | dict[int, str],
    milliseconds: tuple[float, float, float] = (0.0, 0.0, 0.0),
    with_embeddings: bool = False,
    camera_motion_ms: float = 0.0,
) -> TrackArray:
    """A TrackArray; `milliseconds` are those of detector, embedder and tracker."""
    names = class_names if isinstance(class_names, dict) else dict(enumerate(class_names))
    columns = zip(
        tracks.ids.tolist(),
        tracks.states.tolist(),
        tracks.class_ids.tolist(),
        tracks.scores.tolist(),
        _corner_and_size(tracks.boxes),
        tracks.velocities.tolist(),
        tracks.ages.tolist(),
        tracks.time_since_update.tolist(),
        tracks.detection_index.tolist(),
        strict=True,
    )
    rows = [
        Track(
            id=id_,
            state=state,
            class_id=class_id,
            class_name=names.get(class_id, ""),
            score=score,
            x=x,
            y=y,
            width=width,
            height=height,
            velocity_x=velocity_x,
            velocity_y=velocity_y,
            age=age,
            time_since_update=time_since_update,
            detection_index=detection_index,
        )
        for (
            id_,
            state,
            class_id,
            score,
            (x, y, width, height),
            (velocity_x, velocity_y),
            age,
            time_since_update,
            detection_index,
        ) in columns
    ]
    if with_embeddings and tracks.embeddings is not None:
        for row, embedding in zip(rows, tracks.embeddings, strict=True):
            row.embedding = _floats(embedding)
    message = TrackArray(header=head, tracks=rows)
    message.image_height, message.image_width = size
    message.detection_ms, message.embedding_ms, message.tracking_ms = map(float, milliseconds)
    message.camera_motion_ms = float(camera_motion_ms)
    return message


def tracks_from_message(message: TrackArray) -> Tracks:
    """The tracks of a message.

    Raises:
        MessageError: embeddings differ in length.
    """
    rows = message.tracks
    return Tracks(
        ids=np.array([row.id for row in rows], np.int64),
        boxes=_corners([(row.x, row.y, row.width, row.height) for row in rows]),
        scores=np.array([row.score for row in rows], np.float32),
        class_ids=np.array([row.class_id for row in rows], np.int32),
        states=np.array([row.state for row in rows], np.uint8),
        ages=np.array([row.age for row in rows], np.float32),
        time_since_update=np.array([row.time_since_update for row in rows], np.float32),
        detection_index=np.array([row.detection_index for row in rows], np.int64),
        velocities=np.array([(row.velocity_x, row.velocity_y) for row in rows], np.float32).reshape(-1, 2),
        embeddings=_embeddings(rows),
    )


def ground_truth_message(
    truth: GroundTruth, head: Header, size: tuple[int, int], class_names: Sequence[str]
) -> TrackArray:
    """Ground truth as a TrackArray; see `GroundTruth.as_tracks`."""
    return tracks_message(truth.as_tracks(), head, size, class_names)


def ground_truth_from_message(message: TrackArray) -> GroundTruth:
    """Ground truth from a message of `ground_truth_message`."""
    return GroundTruth.from_tracks(tracks_from_message(message))
