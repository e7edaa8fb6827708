"""What an image handed to a model must be."""

from __future__ import annotations

import numpy as np

from rtreid_ros.errors import ImageError
from rtreid_ros.types import UInt8


def check_image(image: UInt8) -> None:
    """Nothing, for a ``(H, W, 3) uint8`` array with at least one pixel.

    Raises:
        ImageError: it is something else; the message says what, and what to do.
    """
    if not isinstance(image, np.ndarray):
        raise ImageError(f"an image must be a NumPy array, got {type(image).__name__}")
    if image.dtype != np.uint8:
        raise ImageError(f"an image must be uint8, got {image.dtype}; scale it to 0..255 and convert it")
    if image.ndim != 3 or image.shape[2] != 3:
        hint = (
            "; cv2.cvtColor with COLOR_GRAY2BGR or COLOR_BGRA2BGR converts it" if image.ndim in (2, 3) else ""
        )
        raise ImageError(f"an image must have shape (height, width, 3) in BGR, got {image.shape}{hint}")
    if image.size == 0:
        raise ImageError(f"an image must have at least one pixel, got shape {image.shape}")
