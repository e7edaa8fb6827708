"""Pictures of a still world, and how far two motions of the image lie apart."""

from functools import lru_cache

import cv2
import numpy as np

from rtreid_ros.affine import compose, identity, transform

STILL = identity()


@lru_cache(maxsize=8)
def world(width, height, seed=0):
    """A grey-level landscape with detail of every size, BGR."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cell in (4, 16, 64):
        grid = rng.normal(0, 1, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        enlarged = cv2.resize(
            grid, (grid.shape[1] * cell, grid.shape[0] * cell), interpolation=cv2.INTER_CUBIC
        )
        picture += enlarged[:height, :width]
    picture = np.clip(128 + 30 * picture, 0, 255).astype(np.uint8)
    picture.flags.writeable = False
    return picture


def motion(width, height, shift=(0.0, 0.0), degrees=0.0, zoom=1.0):
    """An affine about the middle of an image."""
    affine = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    affine[:, 2] += shift
    return affine


def seen(width, height, affine=STILL, seed=0):
    """What a camera sees of a world that goes on beyond its image, once it has moved so."""
    margin = 160
    inward = np.array([[1.0, 0, -margin], [0, 1, -margin]])
    larger = world(width + 2 * margin, height + 2 * margin, seed)
    return cv2.warpAffine(larger, compose(affine, inward), (width, height), flags=cv2.INTER_CUBIC)


def apart(first, second, width, height):
    """Mean distance, over a grid of nine points of the image, between where two motions put them, pixels."""
    grid = np.array([[x, y] for x in (0, width / 2, width) for y in (0, height / 2, height)])
    return float(np.linalg.norm(transform(first, grid) - transform(second, grid), axis=1).mean())
