"""Pixels of ``sensor_msgs/Image`` and ``CompressedImage`` as BGR arrays, without ROS.

Encoding names are those of ``sensor_msgs/image_encodings.hpp``; the OpenCV type names of grey and
colour bytes (``8UC1``, ``8UC3``, ``8UC4``) are taken as mono8, bgr8 and bgra8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rtreid_ros.errors import ImageError
from rtreid_ros.registry import suggest

if TYPE_CHECKING:
    from rtreid_ros.types import UInt8

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class _Layout:
    """How rows of an encoding lie in memory: `channels` samples of `depth` bytes per pixel.

    `code` is OpenCV's conversion to BGR, None where the samples are BGR already. `block` is the
    ``(height, width)`` in pixels that shares chroma, so the image must be a multiple of it;
    `planes` is the number of rows stored per image row.
    """

    channels: int
    depth: int
    code: int | None
    block: tuple[int, int] = (1, 1)
    planes: float = 1.0


def _bayer(depth: int) -> dict[str, _Layout]:
    # OpenCV's first names for them, which tell the second row: older releases have no others
    codes = {
        "rggb": cv2.COLOR_BayerBG2BGR,
        "bggr": cv2.COLOR_BayerRG2BGR,
        "gbrg": cv2.COLOR_BayerGR2BGR,
        "grbg": cv2.COLOR_BayerGB2BGR,
    }
    return {f"bayer_{name}{8 * depth}": _Layout(1, depth, code, (2, 2)) for name, code in codes.items()}


_LAYOUTS: dict[str, _Layout] = {
    "bgr8": _Layout(3, 1, None),
    "rgb8": _Layout(3, 1, cv2.COLOR_RGB2BGR),
    "bgra8": _Layout(4, 1, cv2.COLOR_BGRA2BGR),
    "rgba8": _Layout(4, 1, cv2.COLOR_RGBA2BGR),
    "mono8": _Layout(1, 1, cv2.COLOR_GRAY2BGR),
    "mono16": _Layout(1, 2, cv2.COLOR_GRAY2BGR),
    "bgr16": _Layout(3, 2, None),
    "rgb16": _Layout(3, 2, cv2.COLOR_RGB2BGR),
    "8UC1": _Layout(1, 1, cv2.COLOR_GRAY2BGR),
    "8UC3": _Layout(3, 1, None),
    "8UC4": _Layout(4, 1, cv2.COLOR_BGRA2BGR),
    "uyvy": _Layout(2, 1, cv2.COLOR_YUV2BGR_UYVY, (1, 2)),
    "yuv422": _Layout(2, 1, cv2.COLOR_YUV2BGR_UYVY, (1, 2)),  # older name of uyvy
    "yuyv": _Layout(2, 1, cv2.COLOR_YUV2BGR_YUY2, (1, 2)),
    "yuv422_yuy2": _Layout(2, 1, cv2.COLOR_YUV2BGR_YUY2, (1, 2)),  # older name of yuyv
    "nv12": _Layout(1, 1, cv2.COLOR_YUV2BGR_NV12, (2, 2), 1.5),
    "nv21": _Layout(1, 1, cv2.COLOR_YUV2BGR_NV21, (2, 2), 1.5),
    **_bayer(1),
    **_bayer(2),
}

KNOWN_ENCODINGS: tuple[str, ...] = tuple(_LAYOUTS)
"""Every encoding `to_bgr` understands."""


def to_bgr(data: Any, height: int, width: int, step: int, encoding: str, is_bigendian: bool = False) -> UInt8:
    """The pixels of a ``sensor_msgs/Image`` as ``(height, width, 3) uint8`` BGR.

    For ``bgr8`` and ``8UC3`` the result is a view of `data`, rows padded to `step` or not: no copy
    is made, and it is read-only where `data` is. All others are converted into a new array;
    16-bit samples keep their upper byte.

    Args:
        data: bytes, memoryview, array.array or contiguous array holding the rows.
        height: pixels.
        width: pixels.
        step: bytes from one row to the next.
        encoding: one of `KNOWN_ENCODINGS`.
        is_bigendian: byte order of 16-bit samples.

    Raises:
        ImageError: unknown encoding (the known ones are listed), zero size, a size the encoding
            cannot have, a step smaller than a row, or a buffer too short for its rows.
    """
    layout = _LAYOUTS.get(encoding)
    if layout is None:
        known = list(KNOWN_ENCODINGS)
        raise ImageError(
            f"unknown image encoding {encoding!r}{suggest(encoding, known)}; known: {', '.join(known)}"
        )
    rows = _rows(_flat(data), height, width, step, encoding, layout)
    if layout.depth == 2:
        rows = (rows.view(">u2" if is_bigendian else "<u2") >> 8).astype(np.uint8)
    if layout.code is None:
        return rows
    bgr: UInt8 = cv2.cvtColor(np.ascontiguousarray(rows), layout.code)
    return bgr


def _flat(data: Any) -> UInt8:
    """`data` as one row of bytes, without copying."""
    if isinstance(data, np.ndarray):
        if not data.flags.c_contiguous:
            raise ImageError("image data must be contiguous in memory")
        flat: UInt8 = data.reshape(-1).view(np.uint8)
        return flat
    return np.frombuffer(data, np.uint8) if len(data) else np.zeros(0, np.uint8)


def _rows(flat: UInt8, height: int, width: int, step: int, encoding: str, layout: _Layout) -> UInt8:
    """A ``(rows, width, channels)`` view (``(rows, width)`` for one channel), bytes of a sample last."""
    what = f"{width}x{height} {encoding} image"
    if height <= 0 or width <= 0:
        raise ImageError(f"{what}: height and width must be positive")
    if height % layout.block[0] or width % layout.block[1]:
        raise ImageError(f"{what}: size must be a multiple of {layout.block[1]}x{layout.block[0]}")
    row_bytes = width * layout.channels * layout.depth
    if step < row_bytes:
        raise ImageError(f"{what}: step is {step} bytes, a row needs {row_bytes}")
    count = int(height * layout.planes)
    needed = step * (count - 1) + row_bytes  # the padding of the last row may be left out
    if len(flat) < needed:
        raise ImageError(f"{what}: {len(flat)} bytes of data, {needed} needed (step {step})")
    pixel = layout.channels * layout.depth
    shape, strides = ((count, width, pixel), (step, pixel, 1)) if pixel > 1 else ((count, width), (step, 1))
    rows: UInt8 = np.ndarray(shape, np.uint8, buffer=flat.data, strides=strides)
    return rows


def decode_compressed(data: Any, format: str = "") -> UInt8:  # noqa: A002 (the message's field name)
    """The picture of a ``sensor_msgs/CompressedImage`` as ``(H, W, 3) uint8`` BGR.

    Whatever OpenCV decodes: JPEG, PNG, WebP, TIFF. Orientation tags are ignored, because
    calibrations belong to the pixels as they were taken.

    Args:
        data: the compressed bytes.
        format: the message's own ``format``; only used to refuse depth images and in messages.

    Raises:
        ImageError: empty, truncated or undecodable data, or a depth image.
    """
    if "compressedDepth" in format:
        raise ImageError(f"compressed image of format {format!r} holds depth, not a picture")
    flat = _flat(data)
    label = f"compressed image ({format or 'no format given'}, {len(flat)} bytes)"
    if len(flat) == 0:
        raise ImageError(f"{label}: empty")
    if flat[:2].tobytes() == _JPEG_START:
        # Entropy-coded data never holds these markers, so a whole file ends with one after its
        # last scan. Older OpenCV fills what is missing with grey and says nothing.
        content = flat.tobytes()
        if content.rfind(_JPEG_END) < max(content.rfind(_JPEG_SCAN), 1):
            raise ImageError(f"{label}: truncated JPEG")
    try:
        image: UInt8 | None = cv2.imdecode(flat, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ImageError(f"{label}: {error}") from None
    if image is None:
        raise ImageError(f"{label}: cannot be decoded")
    return image
