"""Pixels of image messages as BGR."""

import array

import cv2
import numpy as np
import pytest

from rtreid_ros.errors import ImageError
from rtreid_ros.sources.encodings import KNOWN_ENCODINGS, decode_compressed, to_bgr


@pytest.fixture(scope="module")
def picture():
    """48x64 BGR, smooth, all channels different."""
    y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    planes = [128 + 100 * np.sin(x / 20), 40 + 3 * y, 220 - 2 * x]
    return np.clip(np.stack(planes, axis=2), 0, 255).astype(np.uint8)


def padded(rows, padding):
    """Rows of bytes with `padding` bytes of rubbish after each."""
    flat = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
    rubbish = np.full((len(rows), padding), 0xA5, np.uint8)
    return np.concatenate([flat, rubbish], axis=1)


def mosaic(picture, pattern):
    out = np.zeros(picture.shape[:2], np.uint8)
    for position, colour in enumerate(pattern):
        row, column = divmod(position, 2)
        out[row::2, column::2] = picture[row::2, column::2, "bgr".index(colour)]
    return out


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize(
    "wrap",
    [bytes, bytearray, memoryview, lambda b: array.array("B", b), lambda b: np.frombuffer(b, np.uint8)],
)
def test_bgr8_is_a_view_whatever_holds_it(picture, padding, wrap):
    rows = padded(picture, padding)
    data = wrap(rows.tobytes())
    image = to_bgr(data, 48, 64, 64 * 3 + padding, "bgr8")
    assert np.array_equal(image, picture)
    assert np.shares_memory(image, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("padding", [0, 8])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("rgb8", lambda p: p[..., ::-1]),
        ("bgra8", lambda p: cv2.cvtColor(p, cv2.COLOR_BGR2BGRA)),
        ("rgba8", lambda p: cv2.cvtColor(p, cv2.COLOR_BGR2RGBA)),
        ("8UC3", lambda p: p),
        ("8UC4", lambda p: cv2.cvtColor(p, cv2.COLOR_BGR2BGRA)),
        ("bgr16", lambda p: p.astype("<u2") * 256 + 17),
        ("rgb16", lambda p: p[..., ::-1].astype("<u2") * 256 + 17),
    ],
)
def test_colour_encodings_are_exact(picture, encoding, pack, padding):
    rows = padded(pack(picture), padding)
    assert np.array_equal(to_bgr(rows, 48, 64, rows.shape[1], encoding), picture)


@pytest.mark.parametrize(
    ("encoding", "dtype", "big"),
    [("mono8", "u1", False), ("8UC1", "u1", False), ("mono16", "<u2", False), ("mono16", ">u2", True)],
)
def test_grey_encodings_fill_all_channels(picture, encoding, dtype, big):
    grey = picture[..., 0]
    rows = grey.astype(dtype) * (256 if dtype != "u1" else 1)
    image = to_bgr(padded(rows.astype(dtype), 2), 48, 64, 64 * rows.itemsize + 2, encoding, big)
    assert np.array_equal(image, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("encoding", ["uyvy", "yuv422", "yuyv", "yuv422_yuy2"])
def test_packed_yuv_comes_back_as_the_same_colours(picture, encoding):
    yuv = cv2.cvtColor(
        picture, cv2.COLOR_BGR2YUV_UYVY if encoding in ("uyvy", "yuv422") else cv2.COLOR_BGR2YUV_YUY2
    )
    rows = padded(yuv, 4)
    image = to_bgr(rows, 48, 64, rows.shape[1], encoding)
    assert np.abs(image.astype(int) - picture).mean() < 3


@pytest.mark.parametrize("encoding", ["nv12", "nv21"])
def test_two_plane_yuv_comes_back_as_the_same_colours(picture, encoding):
    planar = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, u, v = np.split(planar, [48 * 64, 48 * 64 * 5 // 4])
    chroma = np.stack([u, v] if encoding == "nv12" else [v, u], axis=1)
    rows = padded(np.concatenate([luma, chroma.reshape(-1)]).reshape(72, 64), 16)
    image = to_bgr(rows, 48, 64, 80, encoding)
    assert np.abs(image.astype(int) - picture).mean() < 3


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_patterns_keep_red_red(picture, pattern, bits):
    rows = mosaic(picture, pattern)
    if bits == 16:
        rows = rows.astype("<u2") * 256
    image = to_bgr(padded(rows, 4), 48, 64, 64 * bits // 8 + 4, f"bayer_{pattern}{bits}")
    inner = (slice(4, -4), slice(4, -4))
    assert np.abs(image[inner].astype(int) - picture[inner]).mean() < 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((48, 64, 64 * 3, "brg8"), r"unknown image encoding 'brg8' \(did you mean .*known: bgr8, rgb8"),
        ((48, 64, 64 * 3, "32FC1"), "unknown image encoding"),
        ((48, 64, 64 * 3 - 1, "bgr8"), "step is 191 bytes, a row needs 192"),
        ((48, 64, 0, "mono8"), "step is 0"),
        ((49, 64, 64 * 3, "bgr8"), "9216 bytes of data, 9408 needed"),
        ((0, 64, 64 * 3, "bgr8"), "must be positive"),
        ((48, 0, 0, "bgr8"), "must be positive"),
        ((48, -1, 192, "bgr8"), "must be positive"),
        ((48, 63, 192, "yuyv"), "multiple of 2x1"),
        ((47, 64, 64, "nv12"), "multiple of 2x2"),
        ((48, 64, 64 * 5, "rgb16"), "step is 320 bytes"),
    ],
)
def test_impossible_images_are_refused_with_the_reason(picture, arguments, says):
    with pytest.raises(ImageError, match=says):
        to_bgr(picture.tobytes(), *arguments)


def test_no_data_at_all_is_refused():
    with pytest.raises(ImageError, match="0 bytes of data"):
        to_bgr(b"", 48, 64, 192, "bgr8")


def test_padding_of_the_last_row_may_be_missing(picture):
    data = padded(picture, 64).tobytes()[:-64]
    assert np.array_equal(to_bgr(data, 48, 64, 256, "bgr8"), picture)


@pytest.mark.parametrize("encoding", KNOWN_ENCODINGS)
def test_every_known_encoding_yields_bgr_bytes(encoding):
    image = to_bgr(np.zeros(6 * 8 * 16, np.uint8), 6, 8, 64, encoding)
    assert (image.shape, image.dtype) == ((6, 8, 3), np.uint8)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_compressed_pictures_are_decoded(picture, suffix):
    data = cv2.imencode(suffix, picture)[1].tobytes()
    assert np.abs(decode_compressed(data, "bgr8; compressed bgr8").astype(int) - picture).mean() < 3
    assert decode_compressed(data + b"\0" * 100).shape == picture.shape  # cameras pad their buffers


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_truncated_picture_is_an_error(picture, suffix, share):
    data = cv2.imencode(suffix, picture)[1].tobytes()
    with pytest.raises(ImageError, match=r"truncated|cannot be decoded"):
        decode_compressed(data[: int(len(data) * share)], "jpeg")


@pytest.mark.parametrize(
    ("data", "format_", "says"),
    [
        (b"", "jpeg", "empty"),
        (b"rubbish", "jpeg", "cannot be decoded"),
        (b"x", "16UC1; compressedDepth png", "depth"),
    ],
)
def test_what_is_no_picture_is_refused(data, format_, says):
    with pytest.raises(ImageError, match=says):
        decode_compressed(data, format_)
