"""Frames per second of the synthetic renderer on one core, ground truth included.

``python bench/synthetic_fps.py [--seeds N] [--camera-motion PIXELS] [--people N]``
"""

import argparse
import time

import cv2
import numpy as np

from rtreid_ros.datasets.synthetic import SyntheticScene


def measure(scene: SyntheticScene) -> tuple[float, float, float]:
    """CPU milliseconds per frame (mean), frames per second of CPU time, people per frame."""
    scene.frame(0)
    people = 0
    begin = time.process_time()
    for frame in scene:
        people += len(frame.truth)
    spent = time.process_time() - begin
    return 1000 * spent / len(scene), len(scene) / spent, people / len(scene)


def main() -> None:
    """Print one line per scene, and the mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4, help="scenes to render")
    parser.add_argument("--people", type=int, default=20, help="people per scene")
    parser.add_argument("--camera-motion", type=float, default=0.0, help="shake in pixels")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    rates = []
    print(f"{'seed':>4} {'set-up s':>9} {'ms/frame':>9} {'frames/s':>9} {'people':>7}")
    for seed in range(chosen.seeds):
        begin = time.process_time()
        scene = SyntheticScene(seed=seed, people=chosen.people, camera_motion=chosen.camera_motion)
        set_up = time.process_time() - begin
        spent, rate, people = measure(scene)
        rates.append(rate)
        print(f"{seed:>4} {set_up:>9.2f} {spent:>9.2f} {rate:>9.1f} {people:>7.1f}")
    print(f"mean {np.mean(rates):.1f} frames per second of one core at 640x480 (CPU time)")


if __name__ == "__main__":
    main()
