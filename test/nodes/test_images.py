import struct

import numpy as np
import pytest

from rtreid_ros.errors import ImageError

STAMP = 1_700_000_000_987_654_321


@pytest.fixture
def images():
    from rtreid_ros.nodes.messages import images

    return images


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (6, 10, 3), np.uint8)


def big_endian(frame_id, encoding, image):
    """A sensor_msgs/Image as a big-endian writer lays it out."""

    def text(value):
        raw = value.encode() + b"\0"
        return struct.pack(">I", len(raw)) + raw

    def aligned(raw):
        return raw + b"\0" * (-len(raw) % 4)

    height, width, channels = image.shape
    body = struct.pack(">iI", STAMP // 10**9, STAMP % 10**9) + text(frame_id)
    body = aligned(body) + struct.pack(">II", height, width) + text(encoding) + b"\1"
    body = aligned(body) + struct.pack(">II", width * channels, image.size) + image.tobytes()
    return b"\0\0\0\0" + body


@pytest.mark.parametrize("frame_id", ["", "a", "ab", "abc", "abcd", "kamera_über"])
def test_what_rclpy_serialises_is_viewed_as_rclpy_reads_it(ros, images, noise, frame_id):
    from rclpy.serialization import serialize_message
    from sensor_msgs.msg import Image

    message = Image(height=6, width=10, encoding="rgb8", step=30, is_bigendian=1)
    message.header.frame_id = frame_id
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(STAMP, 10**9)
    message.data.frombytes(noise.tobytes())
    view = images.view_image(serialize_message(message))
    assert (view.stamp_ns, view.frame_id, view.encoding) == (STAMP, frame_id, "rgb8")
    assert (view.height, view.width, view.step, view.is_bigendian) == (6, 10, 30, True)
    np.testing.assert_array_equal(view.bgr(), noise[:, :, ::-1])


@pytest.mark.parametrize("frame_id", ["", "a", "ab", "abc", "abcd"])
def test_what_we_serialise_rclpy_reads(ros, images, noise, frame_id):
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import CompressedImage, Image

    message = deserialize_message(images.serialize_image(noise, STAMP, frame_id), Image)
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == divmod(STAMP, 10**9)
    assert (message.header.frame_id, message.encoding, message.is_bigendian) == (frame_id, "bgr8", 0)
    assert (message.height, message.width, message.step) == (6, 10, 30)
    assert bytes(message.data) == noise.tobytes()

    smooth = np.full((16, 16, 3), (10, 100, 200), np.uint8)
    message = deserialize_message(images.serialize_jpeg(smooth, STAMP, frame_id, 95), CompressedImage)
    assert (message.header.frame_id, message.format.split(";")[0]) == (frame_id, "bgr8")
    assert "jpeg" in message.format
    assert bytes(message.data[:2]) == b"\xff\xd8"


def test_compressed_images_are_viewed_and_decoded(ros, images):
    from rclpy.serialization import deserialize_message, serialize_message
    from sensor_msgs.msg import CompressedImage

    smooth = np.full((16, 24, 3), (10, 100, 200), np.uint8)
    message = deserialize_message(images.serialize_jpeg(smooth, STAMP, "front", 95), CompressedImage)
    view = images.view_compressed_image(serialize_message(message))
    assert (view.stamp_ns, view.frame_id, view.compressed) == (STAMP, "front", True)
    assert np.abs(view.bgr().astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("frame_id", ["", "abc", "abcd"])
def test_big_endian_writers_are_understood(images, noise, frame_id):
    view = images.view_image(big_endian(frame_id, "bgr8", noise))
    assert (view.stamp_ns, view.frame_id, view.step, view.is_bigendian) == (STAMP, frame_id, 30, True)
    np.testing.assert_array_equal(view.bgr(), noise)


def test_a_bgr8_image_is_a_view_of_the_received_bytes(images, noise):
    cdr = images.serialize_image(noise, STAMP, "camera")
    image = images.view_image(cdr).bgr()
    assert np.shares_memory(image, np.frombuffer(cdr, np.uint8))
    assert not image.flags.writeable


def test_every_cut_is_refused_with_a_reason(images, noise):
    whole = images.serialize_image(noise, STAMP, "camera")
    for length in range(len(whole)):
        with pytest.raises(ImageError):
            images.view_image(whole[:length])


def test_an_unknown_encapsulation_is_refused(images, noise):
    cdr = b"\x00\x03" + images.serialize_image(noise, STAMP, "camera")[2:]
    with pytest.raises(ImageError, match="encapsulation 0x0003"):
        images.view_image(cdr)


def test_an_unknown_encoding_is_refused_when_the_picture_is_wanted(images, noise):
    view = images.view_image(big_endian("camera", "rgb99", noise))
    with pytest.raises(ImageError, match="unknown image encoding 'rgb99'"):
        view.bgr()


def test_cv_bridge_helps_with_encodings_we_do_not_know(ros, images):
    pytest.importorskip("cv_bridge", reason="cv_bridge is not installed here")
    samples = np.full((6, 10, 4), (30 << 8, 20 << 8, 10 << 8, 0), "<u2")
    cdr = bytearray(big_endian("camera", "rgba16", samples.view(np.uint8).reshape(6, 10, 8)))
    view = images.view_image(bytes(cdr))
    assert view.bgr().shape == (6, 10, 3)
