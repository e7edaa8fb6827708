"""Serialised ``sensor_msgs/Image`` and ``CompressedImage``: read without a copy, written with one.

rclpy's own conversion copies an image twice in each direction. A subscription with ``raw=True``
hands over the CDR bytes instead, and a publisher takes them. The layout is that of OMG DDS-RTPS
2.3 section 10 (encapsulation) and DDS-XTypes 1.3 section 7.4.3.2.4 (plain CDR); neither message
holds 8-byte fields, so versions 1 and 2 of plain CDR lay them out alike.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np

from rtreid_ros.errors import ImageError
from rtreid_ros.sources.encodings import KNOWN_ENCODINGS, decode_compressed, to_bgr
from rtreid_ros.types import UInt8

_LITTLE_ENDIAN_PLAIN = b"\x00\x01\x00\x00"
# the string, is_bigendian = 0, and two bytes that align what follows
_BGR8_LITTLE_ENDIAN = b"\x05\x00\x00\x00bgr8\x00\x00\x00\x00"
_BYTE_ORDERS = {0x0000: ">", 0x0001: "<", 0x0006: ">", 0x0007: "<"}
_ENCAPSULATION = 4


class _Reader:
    """Fields of a CDR stream one after the other; alignment counts from after the encapsulation."""

    def __init__(self, cdr: bytes) -> None:
        self.cdr = cdr
        if len(cdr) < _ENCAPSULATION:
            raise ImageError(f"serialised message of {len(cdr)} bytes: no encapsulation header")
        kind = int.from_bytes(cdr[:2], "big")
        if kind not in _BYTE_ORDERS:
            raise ImageError(f"serialised message has encapsulation 0x{kind:04x}, plain CDR expected")
        self.order = _BYTE_ORDERS[kind]
        self.offset = _ENCAPSULATION

    def words(self, fmt: str) -> tuple[int, ...]:
        """4-byte fields, such as ``"iI"``."""
        self.offset += -self.offset % 4
        try:
            values = struct.unpack_from(self.order + fmt, self.cdr, self.offset)
        except struct.error:
            raise ImageError(f"serialised image ends within its header ({len(self.cdr)} bytes)") from None
        self.offset += 4 * len(fmt)
        return values

    def byte(self) -> int:
        if self.offset >= len(self.cdr):
            raise ImageError(f"serialised image ends within its header ({len(self.cdr)} bytes)")
        self.offset += 1
        return self.cdr[self.offset - 1]

    def text(self) -> str:
        (length,) = self.words("I")
        raw = self._take(length)
        return bytes(raw).rstrip(b"\0").decode("utf-8", "replace")

    def array(self) -> memoryview:
        (length,) = self.words("I")
        return self._take(length)

    def _take(self, length: int) -> memoryview:
        end = self.offset + length
        if end > len(self.cdr):
            raise ImageError(
                f"serialised image announces {length} bytes where {len(self.cdr) - self.offset} remain"
            )
        view = memoryview(self.cdr)[self.offset : end]
        self.offset = end
        return view


@dataclass(frozen=True, slots=True)
class ImageView:
    """A serialised image: its header, and its pixels still where they arrived.

    Attributes:
        stamp_ns: header stamp in nanoseconds.
        frame_id: header frame.
        encoding: of ``sensor_msgs/Image``, or the ``format`` of a compressed one.
        height, width, step, is_bigendian: as in the message; 0 for a compressed image.
        data: the pixels, a view of the received bytes.
        cdr: the whole message as received.
        compressed: whether `data` is a picture file.
    """

    stamp_ns: int
    frame_id: str
    encoding: str
    height: int
    width: int
    step: int
    is_bigendian: bool
    data: memoryview
    cdr: bytes
    compressed: bool = False

    @property
    def nbytes(self) -> int:
        """Memory it keeps alive."""
        return len(self.cdr)

    def bgr(self) -> UInt8:
        """``(H, W, 3) uint8`` BGR; a read-only view of the message for ``bgr8``.

        Raises:
            ImageError: encoding, size, step or amount of data make no picture.
        """
        if self.compressed:
            return decode_compressed(self.data, self.encoding)
        if self.encoding not in KNOWN_ENCODINGS:
            converted = self._cv_bridge()
            if converted is not None:
                return converted
        return to_bgr(self.data, self.height, self.width, self.step, self.encoding, self.is_bigendian)

    def _cv_bridge(self) -> UInt8 | None:
        """What cv_bridge makes of an encoding we do not know; None where it cannot help either."""
        try:
            from cv_bridge import CvBridge  # noqa: PLC0415 (optional)
            from sensor_msgs.msg import Image  # noqa: PLC0415 (only with cv_bridge)
        except ImportError:
            return None
        message = Image(height=self.height, width=self.width, encoding=self.encoding, step=self.step)
        message.is_bigendian = int(self.is_bigendian)
        message.data.frombytes(self.data)
        try:
            image: UInt8 = CvBridge().imgmsg_to_cv2(message, "bgr8")
        except Exception:  # its errors have no common base
            return None
        return image


def view_image(cdr: bytes) -> ImageView:
    """A serialised ``sensor_msgs/Image``.

    Raises:
        ImageError: the bytes are not one.
    """
    reader = _Reader(cdr)
    seconds, nanoseconds = reader.words("iI")
    frame_id = reader.text()
    height, width = reader.words("II")
    encoding = reader.text()
    is_bigendian = reader.byte()
    (step,) = reader.words("I")
    stamp_ns = seconds * 1_000_000_000 + nanoseconds
    data = reader.array()
    return ImageView(stamp_ns, frame_id, encoding, height, width, step, bool(is_bigendian), data, cdr)


def view_compressed_image(cdr: bytes) -> ImageView:
    """A serialised ``sensor_msgs/CompressedImage``.

    Raises:
        ImageError: the bytes are not one.
    """
    reader = _Reader(cdr)
    seconds, nanoseconds = reader.words("iI")
    frame_id = reader.text()
    form = reader.text()
    stamp_ns = seconds * 1_000_000_000 + nanoseconds
    return ImageView(stamp_ns, frame_id, form, 0, 0, 0, False, reader.array(), cdr, compressed=True)


def header_stamp_ns(cdr: bytes) -> int:
    """Stamp of any serialised message that begins with a header.

    Raises:
        ImageError: the bytes are none.
    """
    seconds, nanoseconds = _Reader(cdr).words("iI")
    return seconds * 1_000_000_000 + nanoseconds


def _text(value: str) -> bytes:
    """A CDR string, padded so that what follows is aligned to 4."""
    raw = value.encode() + b"\0"
    return struct.pack("<I", len(raw)) + raw + b"\0" * (-len(raw) % 4)


def _head(stamp_ns: int, frame_id: str) -> bytes:
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    return _LITTLE_ENDIAN_PLAIN + struct.pack("<iI", seconds, nanoseconds) + _text(frame_id)


def serialize_image(image: UInt8, stamp_ns: int, frame_id: str) -> bytes:
    """A ``bgr8`` ``sensor_msgs/Image`` of an ``(H, W, 3) uint8`` BGR array, ready to publish."""
    height, width, channels = image.shape
    head = _head(stamp_ns, frame_id) + struct.pack("<II", height, width) + _BGR8_LITTLE_ENDIAN
    head += struct.pack("<II", width * channels, image.size)
    return b"".join((head, np.ascontiguousarray(image).data))


def serialize_jpeg(image: UInt8, stamp_ns: int, frame_id: str, quality: int) -> bytes:
    """A ``CompressedImage`` of a BGR array as JPEG of `quality` (1 to 100), ready to publish.

    Raises:
        ImageError: OpenCV cannot encode the array.
    """
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError(f"image of shape {image.shape} cannot be encoded as JPEG")
    head = _head(stamp_ns, frame_id) + _text("bgr8; jpeg compressed bgr8") + struct.pack("<I", jpeg.size)
    return b"".join((head, jpeg.data))
