"""CPU milliseconds, on one core, and error of every camera motion estimator on the shaken synthetic street.

``python bench/camera_motion.py [--frames N] [--shake PIXELS]``

The error is the mean over a grid of nine points of the image, the corners among them, of how far the
estimate puts them from where the camera's true motion does; ``none`` is how far they really move.
People are masked by their true boxes, as a detector's boxes do in a pipeline.
"""

import argparse
import time

import cv2
import numpy as np

from rtreid_ros.affine import identity, transform
from rtreid_ros.camera_motion import CAMERA_MOTIONS, CameraMotion, create_camera_motion
from rtreid_ros.datasets.synthetic import SyntheticScene
from rtreid_ros.types import Float64, Frame

SIZES = ((640, 480), (1280, 720), (1920, 1080))


def error(found: Float64, true: Float64, width: int, height: int) -> float:
    """Mean distance between where two motions put nine points of the image, pixels."""
    grid = np.array([[x, y] for x in (0, width / 2, width) for y in (0, height / 2, height)])
    return float(np.linalg.norm(transform(found, grid) - transform(true, grid), axis=1).mean())


def measure(
    method: CameraMotion, frames: list[Frame], motions: list[Float64]
) -> tuple[list[float], list[float]]:
    """CPU milliseconds and error in pixels of every frame but the first."""
    height, width = frames[0].image.shape[:2]
    milliseconds, errors = [], []
    for frame, true in zip(frames, motions, strict=True):
        boxes = () if frame.truth is None else frame.truth.boxes
        start = time.process_time()
        found = method.estimate(frame.image, boxes)
        milliseconds.append((time.process_time() - start) * 1e3)
        errors.append(error(found, true, width, height))
    return milliseconds[1:], errors[1:]


def main() -> None:
    """Print one line per size and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60, help="frames per size")
    parser.add_argument(
        "--shake", type=float, default=12.0, help="shake at 640x480, pixels; grows with the size"
    )
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    titles = f"{'size':>10} {'method':>12} {'ms median':>10} {'p95':>6}"
    print(f"{titles} {'error px mean':>14} {'max':>6} {'failed':>7}")
    for width, height in SIZES:
        shake = min(chosen.shake * width / 640, 40.0)
        scene = SyntheticScene(width=width, height=height, frames=chosen.frames, camera_motion=shake)
        frames = list(scene)
        motions = [scene.camera_motion(index) for index in range(len(scene))]
        still = [error(identity(), motion, width, height) for motion in motions[1:]]
        size = f"{width}x{height}"
        print(
            f"{size:>10} {'none':>12} {0:>10.2f} {0:>6.2f} {np.mean(still):>14.2f} {max(still):>6.2f} {0:>7}"
        )
        for name in CAMERA_MOTIONS:
            method = create_camera_motion(name)
            milliseconds, errors = measure(method, frames, motions)
            median, p95 = np.percentile(milliseconds, [50, 95])
            print(
                f"{size:>10} {name:>12} {median:>10.2f} {p95:>6.2f} "
                f"{np.mean(errors):>14.2f} {max(errors):>6.2f} {method.failures:>7}"
            )


if __name__ == "__main__":
    main()
