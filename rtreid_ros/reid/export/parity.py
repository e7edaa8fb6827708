"""Proof that an exported file computes what the trained network does, and how long it takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rtreid_ros.errors import ExportError
from rtreid_ros.reid.base import Embedder
from rtreid_ros.reid.crops import CropBatch, pixel_boxes, stack_crops
from rtreid_ros.reid.export.network import DeployedNetwork
from rtreid_ros.reid.preprocessing import Preprocessing
from rtreid_ros.types import Float32, Float64, UInt8

BATCHES = (1, 8, 32)
"""Batch sizes that are tried and timed."""

LEAST = {"fp32": 0.9999, "fp16": 0.999, "fp16-weights": 0.999}
"""Lowest cosine that passes."""

_PATIENCE = 4.0
"""Seconds after which no further call is timed; three are in any case."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Cosines between file and network over all crops and batch sizes."""

    least: float
    mean: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Median time of `calls` calls with `batch` crops each, in milliseconds."""

    batch: int
    milliseconds: float
    calls: int


class Canvas:
    """Crops in one image, so that an embedder gets many at once as it does from a camera.

    Args:
        images: crops; when there are fewer than the largest batch, they come again.

    Attributes:
        image: ``(h, w, 3) uint8``.
        boxes: ``(N, 4) float32`` corners of the crops in it.
    """

    def __init__(self, images: Sequence[UInt8]) -> None:
        self.image, boxes = stack_crops(images)
        self.boxes: Float32 = boxes[np.arange(max(len(images), *BATCHES)) % len(images)]


def reference_vectors(
    network: DeployedNetwork, preprocessing: Preprocessing, canvas: Canvas, count: int | None = None
) -> Float32:
    """``(N, D)`` rows of the network in torch, on the very pixels an embedder gives to a model.

    Args:
        network: what is exported.
        preprocessing: how it wants its pixels.
        canvas: the crops.
        count: how many of them; None = all.
    """
    corners = pixel_boxes(canvas.boxes[:count], *canvas.image.shape[:2])
    crops = CropBatch(max(BATCHES), network.size, preprocessing, np.dtype(np.float32))
    rows = []
    with torch.inference_mode():
        for start in range(0, len(corners), max(BATCHES)):
            part = corners[start : start + max(BATCHES)]
            pixels = crops(canvas.image, part, len(part))
            rows.append(network(torch.from_numpy(pixels)).numpy())
    return np.concatenate(rows)


def prove(embedder: Embedder, expected: Float32, canvas: Canvas, precision: str) -> Parity:
    """Embed all crops in batches of each of `BATCHES` and compare.

    Args:
        embedder: the exported file, opened.
        expected: ``(N, D)`` of `reference_vectors`.
        canvas: the crops.
        precision: key of `LEAST`.

    Raises:
        ExportError: a vector has another length, is not finite, or is too different.
    """
    if embedder.dim != expected.shape[1]:
        raise ExportError(f"the file gives {embedder.dim} numbers per crop, the network {expected.shape[1]}")
    cosines = []
    for batch in BATCHES:
        for start in range(0, len(expected), batch):
            part = slice(start, start + batch)
            vectors = embedder.embed(canvas.image, canvas.boxes[part])
            cosines.append(np.einsum("nd,nd->n", vectors, expected[part], dtype=np.float64))
    return _judge(np.concatenate(cosines), precision)


def prove_half(
    network: DeployedNetwork, preprocessing: Preprocessing, expected: Float32, canvas: Canvas
) -> None:
    """Run the network itself in float16 and compare.

    CPUs compute float16 files in float32 (ONNX Runtime takes the rounding out), so that the file alone would
    not show what passes 65504 on a GPU. Torch really computes in float16 wherever it runs.

    Raises:
        ExportError: a vector is not finite, or is too different.
    """
    vectors = reference_vectors(network, preprocessing, canvas, max(BATCHES))
    _judge(np.einsum("nd,nd->n", vectors, expected[: len(vectors)], dtype=np.float64), "fp16")


def _judge(cosines: Float64, precision: str) -> Parity:
    if not cosines.min() >= LEAST[precision]:  # NaN fails
        hint = "" if precision == "fp32" else "; half precision does not suit it: try fp16-weights or fp32"
        raise ExportError(
            f"the file does not compute what the network does: cosine {cosines.min():.6f}, at least "
            f"{LEAST[precision]} is wanted{hint}"
        )
    return Parity(float(cosines.min()), float(cosines.mean()))


def measure(embedder: Embedder, canvas: Canvas, calls: int) -> tuple[Latency, ...]:
    """Time of `Embedder.embed`, cutting and scaling of the crops included; up to `calls` per batch size."""
    found = []
    for batch in BATCHES if calls else ():
        boxes = canvas.boxes[:batch]
        embedder.embed(canvas.image, boxes)
        seconds: list[float] = []
        while len(seconds) < calls and (len(seconds) < 3 or sum(seconds) < _PATIENCE):
            start = time.perf_counter()
            embedder.embed(canvas.image, boxes)
            seconds.append(time.perf_counter() - start)
        found.append(Latency(batch, 1e3 * statistics.median(seconds), len(seconds)))
    return tuple(found)
