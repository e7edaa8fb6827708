# ruff: noqa: E402 (thread limits must be set before numpy is imported)
"""Milliseconds per tracker update at 20, 100 and 300 boxes.

    python bench/tracker_update.py [--trackers bytetrack,strongsort] [--json out.json]

Seeded walkers on a plane that grows with their number (the density of MOT17-04), who turn, hide
now and then, and leave and come in. Embeddings are given to the trackers that use them. Wall time
of `update` alone, one BLAS thread, after a warm-up.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.types import Detections

FPS = 30
AREA_PER_PERSON = 1920 * 1080 / 45  # pixels


def walkers(count: int, frames: int, dim: int, seed: int) -> Iterator[Detections]:
    """Detections of `frames` frames in which `count` people are seen on average."""
    rng = np.random.default_rng(seed)
    people = round(count / 0.9)
    extent = np.sqrt(people * AREA_PER_PERSON * np.array([16 / 9, 9 / 16]))

    def newcomers(size: int) -> tuple[np.ndarray, ...]:
        looks = rng.standard_normal((size, dim)).astype(np.float32)
        return (
            rng.uniform(0, 1, (size, 2)) * extent,
            rng.normal(0, 2, (size, 2)),
            rng.uniform(80, 240, size),
            looks,
        )

    place, pace, height, looks = newcomers(people)
    for _ in range(frames):
        pace = 0.98 * pace + rng.normal(0, 0.4, pace.shape)
        place = place + pace
        gone = ((place < 0) | (place > extent)).any(axis=1) | (rng.random(people) < 0.003)
        place[gone], pace[gone], height[gone], looks[gone] = newcomers(int(gone.sum()))
        seen = rng.random(people) < 0.9
        size = height[seen, None] * [0.4, 1.0] * rng.normal(1, 0.03, (int(seen.sum()), 2))
        centre = place[seen] + rng.normal(0, 2, size.shape)
        score = np.clip(rng.normal(0.85, 0.12, len(size)), 0.05, 1)
        embeddings = None
        if dim:
            rows = looks[seen] + 0.4 * rng.standard_normal((len(size), dim)).astype(np.float32)
            embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        yield Detections(
            np.concatenate([centre - size / 2, centre + size / 2], axis=1), score, None, embeddings
        )


def measure(name: str, boxes: int, frames: int, warm_up: int, dim: int, seed: int) -> dict[str, object]:
    """One row of the table."""
    tracker = create_tracker(name, frame_rate=FPS)
    dim = dim if tracker.uses_embeddings else 0
    spent, tracks = [], None
    for frame in walkers(boxes, frames + warm_up, dim, seed):
        begin = time.perf_counter()
        tracks = tracker.update(frame)
        spent.append((time.perf_counter() - begin) * 1e3)
    assert tracks is not None
    spent = spent[warm_up:]
    return {
        "tracker": name,
        "boxes": boxes,
        "embedding": dim,
        "median_ms": round(float(np.median(spent)), 3),
        "p95_ms": round(float(np.percentile(spent, 95)), 3),
        "live_tracks": len(tracks),
        "last_id": int(tracks.ids.max(initial=0)),
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trackers", default=",".join(TRACKERS), help="comma-separated names (all)")
    parser.add_argument("--boxes", default="20,100,300", help="comma-separated numbers of boxes")
    parser.add_argument("--frames", type=int, default=300, help="updates measured")
    parser.add_argument("--warm-up", type=int, default=60, help="updates before them")
    parser.add_argument("--dim", type=int, default=512, help="length of the embeddings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the table here")
    args = parser.parse_args()
    rows = []
    print(
        f"{'tracker':12} {'boxes':>5} {'dim':>4} {'median ms':>10} {'p95 ms':>8} {'live':>5} {'last id':>7}"
    )
    for name in args.trackers.split(","):
        for boxes in map(int, args.boxes.split(",")):
            row = measure(name, boxes, args.frames, args.warm_up, args.dim, args.seed)
            rows.append(row)
            print(
                f"{name:12} {boxes:5} {row['embedding']:4} {row['median_ms']:10.3f} {row['p95_ms']:8.3f} "
                f"{row['live_tracks']:5} {row['last_id']:7}"
            )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
