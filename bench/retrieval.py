"""Seconds and peak memory of judging at the size of Market-1501's test: 3,368 queries, 15,913 pictures.

    python bench/retrieval.py [--queries N] [--gallery N] [--dimensions N] [--threads N] [--json out.json]

Vectors are random clusters, one for each of 751 people seen by six cameras, so noisy that a good part of
the searches goes wrong. Each task runs in a process of its own; its peak is that process's resident
memory, Python, NumPy and the vectors included (`start` is that alone).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rtreid_ros.evaluation.retrieval import (
    Features,
    RerankOptions,
    RetrievalFigures,
    RetrievalOptions,
    judge_distances,
    judge_retrieval,
    remove_camera_bias,
    rerank,
)

PEOPLE, CAMERAS = 751, 6
NOISE = 2.6
"""Standard deviation around a person's vector, whose own numbers have 1."""


def crowd(queries: int, gallery: int, dimensions: int, seed: int = 0) -> tuple[Features, Features]:
    """Random people seen by random cameras."""
    rng = np.random.default_rng(seed)
    looks = rng.standard_normal((PEOPLE, dimensions)).astype(np.float32)
    parts = []
    for count in (queries, gallery):
        who = rng.integers(0, PEOPLE, count)
        noise = NOISE * rng.standard_normal((count, dimensions), np.float32)
        parts.append(Features(looks[who] + noise, who, rng.integers(0, CAMERAS, count), np.zeros(count)))
    return parts[0], parts[1]


def _metrics(query: Features, gallery: Features) -> RetrievalFigures:
    return judge_retrieval(query, gallery)


def _tracks(query: Features, gallery: Features) -> RetrievalFigures:
    return judge_retrieval(query, gallery, RetrievalOptions(protocol="image-to-track"))


def _camera_bias(query: Features, gallery: Features) -> RetrievalFigures:
    return judge_retrieval(*remove_camera_bias(query, gallery))


def _rerank(query: Features, gallery: Features) -> RetrievalFigures:
    return judge_distances(rerank(query, gallery), query, gallery)


def _softmax(query: Features, gallery: Features) -> RetrievalFigures:
    return judge_distances(rerank(query, gallery, RerankOptions(weighting="softmax")), query, gallery)


TASKS: dict[str, Callable[[Features, Features], RetrievalFigures] | None] = {
    "start": None,
    "CMC, mAP, mINP": _metrics,
    "the same, image to track": _tracks,
    "camera bias and metrics": _camera_bias,
    "re-ranking and metrics": _rerank,
    "re-ranking, softmax": _softmax,
}


def measure(name: str, queries: int, gallery: int, dimensions: int) -> dict[str, object]:
    """One row, in a fresh process."""
    parts = crowd(queries, gallery, dimensions)
    task = TASKS[name]
    begin = time.perf_counter()
    figures = task(*parts) if task is not None else None
    seconds = time.perf_counter() - begin if task is not None else 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row: dict[str, object] = {"task": name, "seconds": round(seconds, 2), "peak_gib": round(peak, 2)}
    if figures is not None:
        row |= {"map": round(figures.map, 4), "rank1": round(figures.rank(1), 4)}
    return row


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queries", type=int, default=3368)
    parser.add_argument("--gallery", type=int, default=15913)
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2, help="of the linear algebra")
    parser.add_argument("--json", type=Path, help="also write the table here")
    args = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(args.threads)  # read by the processes below
    print(f"{args.queries} queries, {args.gallery} in the gallery, {args.dimensions} numbers each")
    print(f"{'task':<26} {'s':>7} {'peak GiB':>9} {'Rank-1':>7} {'mAP':>7}")
    rows = []
    for name in TASKS:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            row = pool.submit(measure, name, args.queries, args.gallery, args.dimensions).result()
        rows.append(row)
        found = f"{100 * row['rank1']:7.2f} {100 * row['map']:7.2f}" if "map" in row else ""
        print(f"{name:<26} {row['seconds']:7.2f} {row['peak_gib']:9.2f} {found}".rstrip(), flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
