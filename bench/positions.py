"""How well positions are told: people of the synthetic street, and the time it takes.

``python bench/positions.py [--frames N] [--seeds N]``

The cameras are known exactly. Errors are distances on the ground between where a person stands and
where position_node would put it: from the true boxes, and from boxes that a tracker has made of the
built-in detector's. ``within 2 sigma`` is the share of positions that are no farther off than twice
the stated standard deviation.
"""

import argparse
import time

import numpy as np

from rtreid_ros.boxes import iou
from rtreid_ros.datasets.synthetic import SyntheticScene
from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.geometry import CameraModel, DepthImage, GroundOptions, GroundPlane, PositionOptions, locate
from rtreid_ros.pipeline import TrackingPipeline
from rtreid_ros.tracking import create_tracker
from rtreid_ros.types import Float32, Float64, GroundTruth

SURE = PositionOptions(max_error=1000)
TILT_ERROR = GroundOptions().tilt_error


def geometry(scene: SyntheticScene) -> tuple[CameraModel, GroundPlane]:
    """The scene's camera as position_node would be told of it."""
    view = scene.camera
    matrix = [view.focal, 0, view.centre[0], 0, view.focal, view.centre[1], 0, 0, 1]
    mount = GroundOptions(height=float(view.position[1]), pitch=float(-np.arcsin(view.rotation[2, 1])))
    ground = GroundPlane.from_options(mount)
    assert ground is not None
    return CameraModel.from_numbers(scene.size, matrix, "", []), ground


def errors(scene: SyntheticScene, index: int, boxes: Float32, truth: GroundTruth) -> Float64:
    """``(N, 2)`` distance and stated error of the boxes that are somebody's and have a position."""
    camera, ground = geometry(scene)
    overlaps = iou(boxes, truth.boxes)
    rows = np.flatnonzero(overlaps.max(axis=1, initial=0) > 0.5)
    people = truth.ids[overlaps[rows].argmax(axis=1)] if len(rows) else truth.ids[:0]
    found = locate(boxes[rows].astype(np.float64), camera, ground, None, SURE, tilt_error=TILT_ERROR)
    view = scene.camera
    true = (scene.standing_places(index, people) - view.position) @ view.rotation.T
    pairs = np.stack([np.linalg.norm(found.points - true, axis=1), found.errors], 1)
    return np.asarray(pairs[found.known])


def timing() -> None:
    """CPU time of one call for 50 boxes."""
    camera = CameraModel.from_numbers((720, 1280), [900.0, 0, 640, 0, 900, 360, 0, 0, 1], "", [])
    ground = GroundPlane.from_options(GroundOptions(height=1.5))
    depth = DepthImage(np.full((720, 1280), 3000, np.uint16), 1e-3)
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 500, (50, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(50, 200, (50, 2))], 1)
    for name, picture in (("ground", None), ("depth", depth)):
        start = time.process_time()
        for _ in range(200):
            locate(boxes, camera, ground, picture)
        print(f"50 boxes by {name}: {(time.process_time() - start) * 5:.2f} ms")


def main() -> None:
    """Print one line per kind of boxes, and times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300, help="frames per scene")
    parser.add_argument("--seeds", type=int, default=2, help="scenes, each with two cameras")
    chosen = parser.parse_args()
    gathered: dict[str, list[Float64]] = {"true boxes": [], "tracked boxes": []}
    for seed in range(chosen.seeds):
        for number in (0, 1):
            scene = SyntheticScene(seed=seed, camera=number, frames=chosen.frames)
            pipeline = TrackingPipeline(create_detector(DetectorOptions()), None, create_tracker("bytetrack"))
            for frame in scene:
                assert frame.truth is not None
                tracks = pipeline.process(frame).tracks.confirmed()
                gathered["true boxes"].append(errors(scene, frame.index, frame.truth.boxes, frame.truth))
                gathered["tracked boxes"].append(errors(scene, frame.index, tracks.boxes, frame.truth))
    print(f"{'':>14} {'positions':>9} {'p50 m':>6} {'p90':>5} {'p99':>5} {'within 2 sigma':>15}")
    for name, parts in gathered.items():
        pairs = np.concatenate(parts)
        p50, p90, p99 = np.percentile(pairs[:, 0], [50, 90, 99])
        sure = np.mean(pairs[:, 0] <= 2 * pairs[:, 1])
        print(f"{name:>14} {len(pairs):>9} {p50:>6.2f} {p90:>5.2f} {p99:>5.2f} {sure:>15.1%}")
    timing()


if __name__ == "__main__":
    main()
