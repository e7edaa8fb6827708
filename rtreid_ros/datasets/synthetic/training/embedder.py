"""Train, export and judge the built-in appearance embedder.

``python -m rtreid_ros.datasets.synthetic.training.embedder --output DIRECTORY``
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from rtreid_ros.datasets.synthetic.crops import identity_crops
from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.datasets.synthetic.scene import SyntheticScene
from rtreid_ros.datasets.synthetic.training.frames import TRAINING_SEEDS, render_all, varied_options
from rtreid_ros.datasets.synthetic.training.judge import judge_embedder
from rtreid_ros.datasets.synthetic.training.networks import EmbedderNet, ExportedEmbedder
from rtreid_ros.runtime.onnx_export import OWN, export_onnx
from rtreid_ros.types import UInt8

FILE = "reid_synthetic.onnx"
SIZE = (128, 64)
"""Crop height and width."""
MEAN, STD = 0.5, 0.25
_MARGIN = 0.15
_STORED = (166, 83)
"""Crops are kept with `_MARGIN` around the box, at this size."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Sightings ``(K, *_STORED, 3) uint8`` of one identity."""

    crops: UInt8


def render_people(seed: int, per_camera: int) -> list[Person]:
    """Everybody of one scene who is seen at least four times by its two cameras."""
    found: dict[int, list[UInt8]] = {}
    for camera in (0, 1):
        scene = SyntheticScene(varied_options(seed, camera))
        for crop in identity_crops(scene, per_person=per_camera, margin=_MARGIN):
            stored = cv2.resize(crop.image, _STORED[::-1], interpolation=cv2.INTER_LINEAR)
            found.setdefault(crop.id, []).append(stored)
    return [Person(np.stack(crops)) for crops in found.values() if len(crops) >= 4]


def augment(rng: np.random.Generator, crop: UInt8, others: UInt8) -> UInt8:
    """A sighting as a detector might cut it, in other light, perhaps with somebody in front."""
    rows, columns = _STORED
    height, width = SIZE
    border = _MARGIN / (1 + 2 * _MARGIN)
    sides = border + rng.normal(0, 0.035, 4) * (1, 1, -1, -1)
    x1, y1 = sides[0] * columns, sides[1] * rows
    x2, y2 = (1 - sides[2]) * columns, (1 - sides[3]) * rows
    gain = np.array([width / (x2 - x1), height / (y2 - y1)])
    matrix = np.array([[gain[0], 0, -gain[0] * x1], [0, gain[1], -gain[1] * y1]])
    if rng.random() < 0.5:
        matrix[0] = -gain[0], 0, width + gain[0] * x1
    image = cv2.warpAffine(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.35:  # somebody, or a post, in front
        share = rng.uniform(0.15, 0.5)
        w = max(4, int(share * width))
        x = (
            0
            if rng.random() < 0.4
            else (width - w if rng.random() < 0.66 else int(rng.uniform(0, width - w)))
        )
        y = int(rng.uniform(0, 0.5) * height)
        piece = cv2.resize(others, (width, height))
        image[y:, x : x + w] = piece[y:, (width - w) // 2 : (width - w) // 2 + w]
    if rng.random() < 0.3:  # far away
        small = rng.uniform(0.3, 0.7)
        tiny = max(int(small * width), 8), max(int(small * height), 16)
        image = cv2.resize(image, tiny, interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    tint = rng.uniform(0.8, 1.2) * rng.uniform(0.94, 1.06, 3)
    return np.asarray(cv2.multiply(image, np.append(tint, 0)))


def make_batch(rng: np.random.Generator, people: list[Person], number: int, each: int) -> tuple[Any, Any]:
    """Crops ``(number * each, 3, H, W)``, normalised RGB, and the person of each."""
    chosen = rng.choice(len(people), number, replace=False)
    images = np.empty((number * each, *SIZE, 3), np.uint8)
    for row in range(number * each):
        crops = people[chosen[row // each]].crops
        other = people[int(rng.integers(len(people)))].crops
        images[row] = augment(rng, crops[int(rng.integers(len(crops)))], other[int(rng.integers(len(other)))])
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).flip(1).float()
    return (tensor / 255 - MEAN) / STD, torch.from_numpy(np.repeat(chosen, each))


def hardest_triplets(vectors: Any, ids: Any) -> Any:
    """Soft-margin batch-hard loss (Hermans et al., In Defense of the Triplet Loss, 2017, equation 5)."""
    distance = torch.cdist(vectors, vectors)
    same = ids[:, None] == ids[None]
    farthest = (distance - 1e6 * ~same).amax(1)
    nearest = (distance + 1e6 * same).amin(1)
    return functional.softplus(farthest - nearest).mean()


def train(
    people: list[Person], iterations: int, number: int, each: int, rate: float, seed: int
) -> EmbedderNet:
    """Identity classification behind the neck, triplets before it."""
    torch.manual_seed(seed)
    rng = stream(seed, "crop batches")
    net = EmbedderNet()
    net.to(memory_format=torch.channels_last).train()
    classes = nn.Parameter(0.1 * torch.randn(len(people), net.neck.num_features))
    optimizer = torch.optim.AdamW([*net.parameters(), classes], lr=rate, weight_decay=0.02)
    bar = tqdm(range(iterations), desc="train", unit="step")
    for step in bar:
        now = rate * min((step + 1) / 60, 0.01 + 0.495 * (1 + math.cos(math.pi * step / iterations)))
        for group in optimizer.param_groups:
            group["lr"] = now
        crops, ids = make_batch(rng, people, number, each)
        before, behind = net(crops.contiguous(memory_format=torch.channels_last))
        logits = 16 * functional.normalize(behind, dim=1) @ functional.normalize(classes, dim=1).T
        identity = functional.cross_entropy(logits, ids, label_smoothing=0.1)
        loss = identity + hardest_triplets(before, ids)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}", identity=f"{identity.item():.3f}")
    return net


def export(net: EmbedderNet, path: Path, stages: list[dict[str, Any]]) -> None:
    """Write `net` with its preprocessing in the metadata; `stages` say how it was trained."""
    preprocessing = {"color": "RGB", "scale": 255.0, "mean": [MEAN] * 3, "std": [STD] * 3}
    metadata = {
        **OWN,
        "description": "Appearance embedder that knows only the synthetic people of rtreid_ros",
        "task": "reid",
        "preprocessing": json.dumps(preprocessing),
        "normalized": "true",
        "recipe": json.dumps(stages),
    }
    example = torch.zeros(2, 3, *SIZE)
    export_onnx(ExportedEmbedder(net), example, path, metadata, output="embeddings", batched=True)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, required=True, help="folder for the model")
    parser.add_argument("--scenes", type=int, default=70, help="scenes rendered for training")
    parser.add_argument("--per-camera", type=int, default=12, help="most crops of a person by one camera")
    parser.add_argument("--iterations", type=int, default=4000, help="training steps")
    parser.add_argument("--people", type=int, default=16, help="identities per step")
    parser.add_argument("--each", type=int, default=4, help="crops of each identity per step")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and batches")
    parser.add_argument("--threads", type=int, default=0, help="torch threads; 0 = its own choice")
    parser.add_argument("--judge-scenes", type=int, default=8, help="held-out scenes for the figures")
    chosen = parser.parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    begin = time.monotonic()
    seeds = [TRAINING_SEEDS + number for number in range(chosen.scenes)]
    scenes = render_all(partial(render_people, per_camera=chosen.per_camera), seeds, "render")
    people = [person for scene in scenes for person in scene]
    net = train(people, chosen.iterations, chosen.people, chosen.each, chosen.rate, chosen.seed)
    names = ("scenes", "per_camera", "iterations", "people", "each", "rate", "seed")
    stage = {name: getattr(chosen, name) for name in names}
    seen = {"saw_identities": len(people), "saw_crops": sum(len(person.crops) for person in people)}
    path = chosen.output / FILE
    export(net, path, [{**stage, **seen}])
    minutes = (time.monotonic() - begin) / 60
    figures = judge_embedder(path, chosen.judge_scenes)
    tqdm.write(f"{path}: {minutes:.0f} minutes, {json.dumps(figures)}")


if __name__ == "__main__":
    main()
