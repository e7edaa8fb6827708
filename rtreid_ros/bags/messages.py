"""Images, detections and tracks as the messages of a bag, without ROS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rtreid_ros.bags.definitions import COMPRESSED_IMAGE, DETECTION_ARRAY, IMAGE, TRACK_ARRAY, message_types
from rtreid_ros.boxes import xyxy_to_ltwh
from rtreid_ros.errors import ConfigError, ImageError, MessageError
from rtreid_ros.sources.encodings import decode_compressed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.types import Detections, Float64, Tracks, UInt8

JPEG_FORMAT = "bgr8; jpeg compressed bgr8"
"""What compressed_image_transport writes into `format`."""

WORLD = "world"
"""Frame of the places in ground truth of MOT15, whose data do not name it."""


def header(stamp_ns: int, frame_id: str) -> Any:
    """A ``std_msgs/Header``.

    Raises:
        ConfigError: a stamp before 1902 or after 2038, beyond the 32 bits that there are for seconds.
    """
    types = message_types().types
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    if not -(2**31) <= seconds < 2**31:
        raise ConfigError(f"a stamp of {seconds} s does not fit into a ROS header, which ends in 2038")
    time = types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
    return types["std_msgs/msg/Header"](stamp=time, frame_id=frame_id)


def raw_image(image: UInt8, head: Any) -> Any:
    """A ``bgr8`` ``sensor_msgs/Image`` of an ``(H, W, 3) uint8`` BGR array."""
    height, width = image.shape[:2]
    return message_types().types[IMAGE](
        header=head,
        height=height,
        width=width,
        encoding="bgr8",
        is_bigendian=0,
        step=3 * width,
        data=np.ascontiguousarray(image).reshape(-1),
    )


def jpeg_image(image: UInt8, head: Any, quality: int) -> Any:
    """A ``sensor_msgs/CompressedImage`` of a BGR array as JPEG of `quality`, 1 to 100.

    Raises:
        ImageError: OpenCV cannot encode the array.
    """
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError(f"image of shape {image.shape} cannot be encoded as JPEG")
    return compressed_image(data.reshape(-1), head)


def compressed_image(data: UInt8, head: Any) -> Any:
    """A ``sensor_msgs/CompressedImage`` of the bytes of a JPEG file."""
    return message_types().types[COMPRESSED_IMAGE](header=head, format=JPEG_FORMAT, data=data)


def decompressed(cdr: bytes) -> bytes:
    """A serialised ``sensor_msgs/Image`` of a serialised ``CompressedImage``, with its pixels and header.

    Raises:
        MessageError: the bytes are no such message.
        ImageError: it holds no picture.
    """
    types = message_types()
    try:
        message: Any = types.deserialize_cdr(cdr, COMPRESSED_IMAGE)
    except Exception as error:  # short buffers raise all kinds of errors
        raise MessageError(f"no readable {COMPRESSED_IMAGE} ({error})") from None
    picture = decode_compressed(message.data, message.format)
    return bytes(types.serialize_cdr(raw_image(picture, message.header), IMAGE))


def track_array(
    tracks: Tracks,
    head: Any,
    size: tuple[int, int],
    class_names: Sequence[str] = (),
    *,
    ltwh: Float64 | None = None,
    places: Float64 | None = None,
    milliseconds: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
) -> Any:
    """A ``TrackArray``.

    Args:
        tracks: N rows.
        head: of the image.
        size: its ``(height, width)``.
        class_names: names behind the class ids.
        ltwh: ``(N, 4) float64`` corners and sizes where they are known more exactly than as float32.
        places: ``(N, 3)`` metres in the frame `WORLD`, where they are known.
        milliseconds: of detector, embedder, camera motion and tracker.
    """
    types = message_types().types
    make, point = types["rtreid_ros/msg/Track"], types["geometry_msgs/msg/Point"]
    boxes = (xyxy_to_ltwh(tracks.boxes.astype(np.float64)) if ltwh is None else ltwh).tolist()
    where = (np.zeros((len(boxes), 3)) if places is None else places).tolist()
    rows = [
        make(
            id=int(tracks.ids[row]),
            global_id=0,
            global_confidence=0.0,
            state=int(tracks.states[row]),
            class_id=int(tracks.class_ids[row]),
            class_name=_name(class_names, int(tracks.class_ids[row])),
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
            has_position=places is not None,
            position=point(x=place[0], y=place[1], z=place[2]),
            embedding=np.zeros(0, np.float32),
        )
        for row, (box, place) in enumerate(zip(boxes, where, strict=True))
    ]
    return types[TRACK_ARRAY](
        header=head,
        image_height=size[0],
        image_width=size[1],
        tracks=rows,
        position_frame="" if places is None else WORLD,
        detection_ms=milliseconds[0],
        embedding_ms=milliseconds[1],
        camera_motion_ms=milliseconds[2],
        tracking_ms=milliseconds[3],
    )


def detection_array(
    detections: Detections,
    head: Any,
    size: tuple[int, int],
    class_names: Sequence[str] = (),
    *,
    ltwh: Float64 | None = None,
) -> Any:
    """A ``DetectionArray``; arguments as `track_array`."""
    types = message_types().types
    make = types["rtreid_ros/msg/Detection"]
    boxes = (xyxy_to_ltwh(detections.boxes.astype(np.float64)) if ltwh is None else ltwh).tolist()
    empty = np.zeros(0, np.float32)
    rows = [
        make(
            class_id=int(detections.class_ids[row]),
            class_name=_name(class_names, int(detections.class_ids[row])),
            score=float(detections.scores[row]),
            x=box[0],
            y=box[1],
            width=box[2],
            height=box[3],
            embedding=empty if detections.embeddings is None else detections.embeddings[row],
        )
        for row, box in enumerate(boxes)
    ]
    return types[DETECTION_ARRAY](
        header=head,
        image_height=size[0],
        image_width=size[1],
        detections=rows,
        has_camera_motion=False,
        camera_motion_since=types["builtin_interfaces/msg/Time"](sec=0, nanosec=0),
        camera_motion=np.zeros(6),
        detection_ms=0.0,
        embedding_ms=0.0,
        camera_motion_ms=0.0,
    )


def _name(names: Sequence[str], class_id: int) -> str:
    return names[class_id] if 0 <= class_id < len(names) else ""
