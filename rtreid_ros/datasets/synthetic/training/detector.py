"""Train, export and judge the built-in person detector.

``python -m rtreid_ros.datasets.synthetic.training.detector --output DIRECTORY``
"""

from __future__ import annotations

import argparse
import copy
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
from tqdm import tqdm

from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.datasets.synthetic.scene import SyntheticScene
from rtreid_ros.datasets.synthetic.training.detection_loss import detection_loss
from rtreid_ros.datasets.synthetic.training.frames import TRAINING_SEEDS, render_all, varied_options
from rtreid_ros.datasets.synthetic.training.judge import judge_detector
from rtreid_ros.datasets.synthetic.training.networks import STRIDES, DetectorNet, ExportedDetector, cells
from rtreid_ros.runtime.onnx_export import OWN, export_onnx
from rtreid_ros.types import Float32, UInt8

FILE = "person_synthetic.onnx"
SIZE = (384, 512)
"""Input height and width: 640x480 fits without padding."""
_LEAST_VISIBLE, _LEAST_JUDGED = 0.15, 0.03
_MOST_PEOPLE = 40


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One frame to learn from: BGR image, boxes clipped to it, visibility."""

    image: UInt8
    boxes: Float32
    visibility: Float32


def render_samples(seed: int, count: int) -> list[Sample]:
    """`count` frames spread over one scene, seen by its first or second camera."""
    scene = SyntheticScene(varied_options(seed, seed % 2))
    samples = []
    for index in stream(seed, "samples").choice(len(scene), count, replace=False):
        frame = scene.frame(int(index))
        truth = frame.truth
        if truth is None:
            continue
        height, width = scene.size
        boxes = np.clip(truth.boxes, 0, np.array([width, height, width, height], np.float32))
        samples.append(Sample(frame.image, boxes, truth.visibility))
    return samples


def augment(rng: np.random.Generator, sample: Sample, size: tuple[int, int]) -> tuple[UInt8, Float32, Any]:
    """Input image ``(*size, 3)``, boxes in its pixels, and which of them are plain to see."""
    rows, columns = sample.image.shape[:2]
    height, width = size
    fit = min(height / rows, width / columns)
    gain = fit * (1.0 if rng.random() < 0.5 else float(np.exp(rng.uniform(-0.35, 0.4))))
    spare = np.array([width - gain * columns, height - gain * rows])
    shift = spare * (0.5 if gain == fit else rng.uniform(0, 1, 2))
    flip = rng.random() < 0.5
    matrix = np.array([[gain, 0, shift[0]], [0, gain, shift[1]]])
    if flip:
        matrix = np.array([[-gain, 0, gain * columns + shift[0]], [0, gain, shift[1]]])
    # OpenCV counts from pixel centres
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    image = cv2.warpAffine(sample.image, local, (width, height), borderValue=(114, 114, 114))
    if rng.random() < 0.6:
        tint = rng.uniform(0.75, 1.25) * rng.uniform(0.93, 1.07, 3)
        image = cv2.add(cv2.multiply(image, np.append(tint, 0)), np.append(rng.uniform(-12, 12, 3), 0))
    corners = sample.boxes.reshape(-1, 2, 2) @ matrix[:, :2].T + matrix[:, 2]
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    boxes = np.clip(boxes, 0, np.array([width, height, width, height]))
    left = (boxes[:, 2:] - boxes[:, :2]).prod(1) / np.maximum(whole, 1e-6)
    seen = sample.visibility * left
    keep = (seen > _LEAST_JUDGED) & ((boxes[:, 2:] - boxes[:, :2]) > 2).all(1)
    return image, boxes[keep].astype(np.float32), seen[keep] > _LEAST_VISIBLE


def make_batch(
    rng: np.random.Generator, samples: list[Sample], batch: int, size: tuple[int, int]
) -> tuple[Any, Any, Any, Any]:
    """Images ``(B, 3, H, W)`` RGB in [0, 1], boxes ``(B, G, 4)``, which rows are real, which count."""
    images = np.empty((batch, *size, 3), np.uint8)
    boxes = np.zeros((batch, _MOST_PEOPLE, 4), np.float32)
    valid, counts = np.zeros((batch, _MOST_PEOPLE), bool), np.zeros((batch, _MOST_PEOPLE), bool)
    for row in range(batch):
        images[row], found, plain = augment(rng, samples[int(rng.integers(len(samples)))], size)
        number = min(len(found), _MOST_PEOPLE)
        boxes[row, :number], valid[row, :number], counts[row, :number] = found[:number], True, plain[:number]
    most = max(int(valid.sum(1).max()), 1)
    boxes, valid, counts = boxes[:, :most], valid[:, :most], counts[:, :most]
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).flip(1).float() / 255
    return tensor, torch.from_numpy(boxes), torch.from_numpy(valid), torch.from_numpy(counts)


def train(
    samples: list[Sample],
    *,
    iterations: int,
    batch: int,
    rate: float,
    seed: int,
    size: tuple[int, int] = SIZE,
    start: dict[str, Any] | None = None,
) -> DetectorNet:
    """The network after `iterations` steps: averaged weights, cosine rate, AdamW; from `start` if given."""
    torch.manual_seed(seed)
    rng = stream(seed, "batches")
    net = DetectorNet()
    if start is not None:
        net.load_state_dict(start)
    net.to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(net)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02)
    centres, strides = cells(size)
    bar = tqdm(range(iterations), desc="train", unit="step")
    for step in bar:
        share = step / iterations
        now = rate * min((step + 1) / 60, 0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = now
        images, boxes, valid, counts = make_batch(rng, samples, batch, size)
        scores, sides = net(images.contiguous(memory_format=torch.channels_last))
        loss = detection_loss(scores, sides, boxes, valid, counts, centres, strides)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        decay = min(0.998, (step + 1) / (step + 20))
        with torch.no_grad():
            for mean, value in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
                if mean.dtype.is_floating_point:
                    mean.lerp_(value, 1 - decay)
                else:
                    mean.copy_(value)
        if step % 10 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}")
    return average


def export(net: DetectorNet, path: Path, size: tuple[int, int], stages: list[dict[str, Any]]) -> None:
    """Write `net` in the layout and with the metadata of YOLOv8 exports; `stages` say how it was trained."""
    metadata = {
        **OWN,
        "description": "Person detector that knows only the synthetic street of rtreid_ros",
        "task": "detect",
        "names": "{0: 'person'}",
        "imgsz": str(list(size)),
        "stride": str(max(STRIDES)),
        "batch": "1",
        "recipe": json.dumps(stages),
    }
    export_onnx(ExportedDetector(net, size), torch.zeros(1, 3, *size), path, metadata, output="output0")


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, required=True, help="folder for the model and its weights")
    parser.add_argument("--scenes", type=int, default=100, help="scenes rendered for training")
    parser.add_argument("--frames", type=int, default=20, help="frames taken of each scene")
    parser.add_argument("--iterations", type=int, default=2600, help="training steps")
    parser.add_argument("--batch", type=int, default=8, help="images per step")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and batches")
    parser.add_argument("--height", type=int, default=SIZE[0], help="input height, a multiple of 32")
    parser.add_argument("--width", type=int, default=SIZE[1], help="input width, a multiple of 32")
    parser.add_argument("--start", type=Path, help="weights.pt of an earlier stage to go on from")
    parser.add_argument("--threads", type=int, default=0, help="torch threads; 0 = its own choice")
    parser.add_argument("--judge-scenes", type=int, default=8, help="held-out scenes for the figures")
    chosen = parser.parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    begin = time.monotonic()
    start = torch.load(chosen.start) if chosen.start else {"weights": None, "stages": []}
    seeds = [TRAINING_SEEDS + number for number in range(chosen.scenes)]
    scenes = render_all(partial(render_samples, count=chosen.frames), seeds, "render")
    samples = [sample for scene in scenes for sample in scene]
    size = (chosen.height, chosen.width)
    net = train(
        samples,
        iterations=chosen.iterations,
        batch=chosen.batch,
        rate=chosen.rate,
        seed=chosen.seed,
        size=size,
        start=start["weights"],
    )
    names = ("scenes", "frames", "iterations", "batch", "rate", "seed", "height", "width")
    stages = [*start["stages"], {name: getattr(chosen, name) for name in names}]
    path = chosen.output / FILE
    export(net, path, size, stages)
    torch.save({"weights": net.state_dict(), "stages": stages}, chosen.output / "weights.pt")
    minutes = (time.monotonic() - begin) / 60
    figures = judge_detector(path, chosen.judge_scenes)
    tqdm.write(f"{path}: {minutes:.0f} minutes, {json.dumps(figures)}")


if __name__ == "__main__":
    main()
