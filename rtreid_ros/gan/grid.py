"""Many pictures on one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.checkpoint_file import whole_file
from rtreid_ros.types import UInt8

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
"""Formats of written pictures."""

_GAP = 2


def tile(images: torch.Tensor, columns: int) -> UInt8:
    """``(h, w, 3) uint8`` BGR: ``(N, 3, H, W) uint8`` RGB pictures row by row, white between them."""
    count, _, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for number, image in enumerate(images.flip(1).permute(0, 2, 3, 1).cpu().numpy()):
        top, left = number // columns * (height + _GAP), number % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def write_picture(image: UInt8, path: Path) -> None:
    """Write ``(h, w, 3)`` BGR, in one piece, to a file whose suffix says the format.

    Raises:
        SinkError: it cannot be written.
        ConfigError: nobody knows the suffix.
    """
    check_picture_name(path)
    _, code = cv2.imencode(path.suffix, image)
    with whole_file(path) as file:
        file.write(code.tobytes())


def check_picture_name(path: Path) -> None:
    """Refuse a name that says no format that pictures can be written in.

    Raises:
        ConfigError: saying what to take.
    """
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise ConfigError(f"{path}: a picture's name must end in one of {', '.join(PICTURE_SUFFIXES)}")
