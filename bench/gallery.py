"""Global ids on the synthetic street: two cameras, and one camera before and after a long absence.

``python bench/gallery.py [--seeds N ...] [--frames N] [--people N] [--output docs/gallery.md]``

Detector, embedder and tracker are the built-in ones with their defaults. Every scene is rendered and
tracked once per camera; the gallery then gets those tracks frame by frame, as it would on a robot:

* ``two cameras``: as they are, with looks alone;
* ``and places``: also with where the feet of each box stand on the ground;
* ``alike``: a vector that all people have in common is added to every look, which brings different
  people to a cosine of about 0.6, where many embedders have them;
* ``weak``: noise is added to every look, so that two of one person have a cosine of about 0.4;
* ``after 10 minutes``: one camera; half way everybody is gone for ten minutes and its tracker begins anew.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sections import columns, table, write_section

from rtreid_ros.datasets.synthetic import SyntheticScene
from rtreid_ros.detection import create_detector
from rtreid_ros.evaluation.global_ids import CameraRun, GlobalScores, judge_global_ids
from rtreid_ros.gallery import Gallery
from rtreid_ros.reid import create_embedder
from rtreid_ros.tracking import create_tracker
from rtreid_ros.types import Float64, GroundTruth, Tracks

RATE = 15.0
ABSENCE_NS = 600 * 10**9
COMMON, NOISE = 1.2, 0.11
VARIANTS = ("two cameras", "and places", "alike", "weak", "after 10 minutes")
HEADER = (
    "input",
    "IDF1 global",
    "IDF1 apart",
    "IDF1 local",
    "links right",
    "links found",
    "boxes with id",
    "people",
    "ids",
    "ms p50",
)


@dataclass(frozen=True)
class Seen:
    """What one camera's tracker made of a scene."""

    scene: SyntheticScene
    stamps: list[int]
    tracks: list[Tracks]
    truth: list[GroundTruth]


def track(scene: SyntheticScene, *, anew_at: int | None = None) -> Seen:
    """Detect, embed and track every frame; at one of them the tracker begins anew, much later."""
    detector, embedder = create_detector(), create_embedder()
    tracker = create_tracker("strongsort", RATE)
    seen = Seen(scene, [], [], [])
    late = 0
    for frame in scene:
        if frame.index == anew_at:
            tracker, late = create_tracker("strongsort", RATE), ABSENCE_NS
        found = detector.detect(frame.image)
        found = found.with_embeddings(embedder.embed(frame.image, found.boxes))
        seen.tracks.append(tracker.update(found, stamp=frame.stamp))
        seen.stamps.append(frame.stamp_ns + late)
        seen.truth.append(frame.truth)
    return seen


def feet(scene: SyntheticScene, boxes: np.ndarray) -> Float64:
    """``(N, 2)`` metres where the lower edges of boxes touch the ground; NaN above the horizon."""
    foot = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1).astype(np.float64)
    rays = scene.camera.rays(foot)
    down = np.minimum(rays[:, 1], -1e-3)
    points = scene.camera.position + rays * (-scene.camera.position[1] / down)[:, None]
    points[rays[:, 1] > -1e-3] = np.nan
    return points[:, [0, 2]]


def identify(cameras: dict[str, Seen], variant: str) -> tuple[GlobalScores, list[float]]:
    """Scores, and milliseconds of every update."""
    gallery, rng, spent = Gallery(), np.random.default_rng(0), []
    given: dict[str, list] = {name: [] for name in cameras}
    used: dict[str, list] = {name: [] for name in cameras}
    common = rng.normal(size=1024)
    for index in range(len(next(iter(cameras.values())).stamps)):
        for name, seen in cameras.items():
            tracks = changed(seen.tracks[index], variant, rng, common)
            places = feet(seen.scene, tracks.boxes) if variant == "and places" else None
            begin = time.thread_time()
            ids = gallery.update(name, seen.stamps[index], tracks, places, seen.scene.size)
            spent.append((time.thread_time() - begin) * 1e3)
            given[name].append(ids.ids)
            used[name].append(tracks)
    runs = {name: CameraRun(seen.truth, used[name], given[name]) for name, seen in cameras.items()}
    return judge_global_ids(runs), spent


def changed(tracks: Tracks, variant: str, rng: np.random.Generator, common: np.ndarray) -> Tracks:
    """Tracks with other looks."""
    looks = tracks.embeddings
    if variant not in {"alike", "weak"} or looks is None:
        return tracks
    if variant == "alike":
        shared = common[: looks.shape[1]] / np.linalg.norm(common[: looks.shape[1]])
        looks = looks + COMMON * shared
    else:
        looks = looks + rng.normal(size=looks.shape) * NOISE
    looks = looks / np.linalg.norm(looks, axis=1, keepdims=True)
    return replace(tracks, embeddings=looks.astype(np.float32))


def apart(seen: Seen, half: int) -> Seen:
    """Ids of the second half are not those of the first: its tracker began anew."""
    moved = [replace(tracks, ids=tracks.ids + 100_000) for tracks in seen.tracks[half:]]
    return replace(seen, tracks=[*seen.tracks[:half], *moved])


def main() -> None:
    """Print a line per seed and variant, and the means; write them into a document if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[510, 511, 512], help="scenes")
    parser.add_argument("--frames", type=int, default=600, help="per scene, 15 per second")
    parser.add_argument("--people", type=int, default=16, help="per scene")
    parser.add_argument("--output", type=Path, help="document whose section gets the means")
    chosen = parser.parse_args()
    results: dict[str, list[tuple[GlobalScores, list[float]]]] = {name: [] for name in VARIANTS}
    for seed in chosen.seeds:
        scenes = [
            SyntheticScene(
                seed=seed, frames=chosen.frames, people=chosen.people, frame_rate=RATE, camera=camera
            )
            for camera in (0, 1)
        ]
        both = {f"camera{index}": track(scene) for index, scene in enumerate(scenes)}
        half = chosen.frames // 2
        one = {"camera0": apart(track(scenes[0], anew_at=half), half)}
        for variant in VARIANTS:
            result = identify(one if variant == VARIANTS[-1] else both, variant)
            results[variant].append(result)
            print(columns(("seed", *HEADER), [[str(seed), *row(variant, [result])]]), flush=True)
    rows = [row(variant, found) for variant, found in results.items()]
    text = table(HEADER, rows, text_columns=1)
    print(text)
    if chosen.output is not None:
        what = (
            f"Means of {len(chosen.seeds)} scenes (seeds {', '.join(map(str, chosen.seeds))}), "
            f"{chosen.people} people, {chosen.frames / RATE:g} s each; ratios in percent."
        )
        write_section(chosen.output, "street", f"{what}\n\n{text}")


def row(variant: str, found: list[tuple[GlobalScores, list[float]]]) -> list[str]:
    """Means over scenes; links are counted over all."""
    scores = [item for item, _ in found]
    names = ("idf1", "idf1_apart", "idf1_local", "link_precision", "link_recall", "identified")
    means = [f"{100 * np.mean([getattr(item, name) for item in scores]):.1f}" for name in names]
    counts = [f"{np.mean([getattr(item, name) for item in scores]):.1f}" for name in ("people", "identities")]
    spent = np.concatenate([times for _, times in found])
    return [variant, *means, *counts, f"{np.median(spent):.2f}"]


if __name__ == "__main__":
    main()
