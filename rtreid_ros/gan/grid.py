"""Many pictures on one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from rtreid_ros.errors import SinkError
from rtreid_ros.types import UInt8

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
    """Write ``(h, w, 3)`` BGR to a file whose suffix says the format.

    Raises:
        SinkError: it cannot be written, or nobody knows the suffix.
    """
    try:
        _, code = cv2.imencode(path.suffix, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(code.tobytes())
    except (OSError, cv2.error) as error:
        raise SinkError(f"cannot write {path}: {str(error).strip()}") from None
