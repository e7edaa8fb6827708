"""How good the built-in models are on scenes they never saw, run the way users run them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from rtreid_ros.boxes import clip, iou
from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.datasets.synthetic.options import SceneOptions
from rtreid_ros.datasets.synthetic.scene import SyntheticScene
from rtreid_ros.datasets.synthetic.training.frames import HELD_OUT_SEEDS
from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.evaluation.retrieval import SearchPlan, search
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.types import Detections, Float32, GroundTruth

SCORE = 0.4
"""Detections from this score on are counted."""


def match(detections: Detections, boxes: Float32) -> tuple[np.ndarray, np.ndarray]:
    """Greedy one-to-one matching by score at IoU 0.5.

    Returns:
        ``(N,)`` row in `boxes` of each detection or -1, and ``(N,)`` their IoU.
    """
    overlap = iou(detections.boxes, boxes)
    rows, values = np.full(len(detections), -1), np.zeros(len(detections))
    for row in np.argsort(-detections.scores, kind="stable"):
        if not len(boxes):
            break
        best = int(overlap[row].argmax())
        if overlap[row, best] >= 0.5:
            rows[row], values[row] = best, overlap[row, best]
            overlap[:, best] = 0
    return rows, values


def judge_detector(model: Path, scenes: int, frames: int = 300, step: int = 5) -> dict[str, float]:
    """Recall of people more than half visible, precision, mean IoU of matches, processor time per image.

    Every ground truth box, clipped to the image, may be matched: finding a hidden person is no error.
    """
    detector = create_detector(DetectorOptions(model=str(model), threads=1))
    found = wanted = right = claimed = 0
    overlaps: list[float] = []
    tall = {"recall_under_60_px": [0, 0], "recall_over_100_px": [0, 0]}
    spent: list[float] = []
    for number in range(scenes):
        scene = SyntheticScene(SceneOptions(seed=HELD_OUT_SEEDS + number, frames=frames, camera=number % 2))
        for index in range(0, frames, step):
            frame = scene.frame(index)
            truth = frame.truth
            if truth is None:
                continue
            begin = time.process_time()
            detections = detector.detect(frame.image)
            spent.append(time.process_time() - begin)
            detections = detections[detections.scores >= SCORE]
            rows, values = match(detections, clip(truth.boxes, *scene.size))
            plain = truth.visibility > 0.5
            hit = np.isin(np.arange(len(truth)), rows)
            found, wanted = found + int((hit & plain).sum()), wanted + int(plain.sum())
            right, claimed = right + int((rows >= 0).sum()), claimed + len(rows)
            overlaps.extend(values[rows >= 0])
            _by_height(tall, truth, hit & plain, plain)
    figures = {
        "recall": found / max(wanted, 1),
        "precision": right / max(claimed, 1),
        "mean_iou": float(np.mean(overlaps)) if overlaps else 0.0,
        **{name: hits / max(total, 1) for name, (hits, total) in tall.items()},
        "milliseconds": 1000 * float(np.median(spent)),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def _by_height(tall: dict[str, list[int]], truth: GroundTruth, hit: np.ndarray, plain: np.ndarray) -> None:
    height = truth.boxes[:, 3] - truth.boxes[:, 1]
    for name, chosen in (("recall_under_60_px", height < 60), ("recall_over_100_px", height > 100)):
        tall[name][0] += int((hit & chosen).sum())
        tall[name][1] += int((plain & chosen).sum())


def judge_embedder(model: Path, scenes: int, people: int = 24, per_camera: int = 6) -> dict[str, float]:
    """Rank-1 and mAP between views of unseen people: the protocol of Market-1501.

    Queries come from the second camera; the gallery is the first camera's crops of everybody of all
    scenes. The time is the processor's for one crop in a batch of 16.
    """
    embedder = create_embedder(EmbedderOptions(model=str(model), threads=1))
    data = open_identities(
        "synthetic",
        "",
        parts=("query", "gallery"),
        held_out_scenes=scenes,
        held_out_people=people,
        held_out_per_camera=per_camera,
    )
    (found,) = search(model.name, embedder, data.query, data.gallery, SearchPlan(), progress=False).steps
    image, box = np.zeros((128, 64, 3), np.uint8), np.tile(np.array([[0, 0, 64, 128]], np.float32), (16, 1))
    spent = []
    for _ in range(20):
        begin = time.process_time()
        embedder.embed(image, box)
        spent.append(time.process_time() - begin)
    return {
        "rank1": round(found.rank(1), 4),
        "map": round(found.map, 4),
        "identities": len(np.union1d(data.query.identities, data.gallery.identities)),
        "queries": found.queries,
        "gallery": len(data.gallery),
        "milliseconds_per_crop": round(1000 * float(np.median(spent)) / 16, 3),
    }
