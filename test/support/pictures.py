"""Pictures that survive compression with their number."""

import numpy as np


def picture(number, size=(48, 64)):
    """A flat picture whose grey level says which one it is (10 levels apart)."""
    return np.full((*size, 3), 20 + 10 * number, np.uint8)


def number_of(image):
    """Which `picture` this was, after whatever compression."""
    return round((float(image.mean()) - 20) / 10)
