"""Milliseconds per frame of detection and ReID, stage by stage: what is the model, and what is ours.

    python bench/inference.py --detector yolox.onnx --embedder osnet.onnx [--json out.json]

Frames are those of a source, resized: by default the synthetic street, which the built-in models know.
For other models name a video of people (--source).
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rtreid_ros.detection import DetectorOptions
from rtreid_ros.detection.session_detector import SessionDetector
from rtreid_ros.reid import EmbedderOptions
from rtreid_ros.reid.session_embedder import SessionEmbedder
from rtreid_ros.runtime.session import Array, Session, backend_for, model_path
from rtreid_ros.sources import open_source

SIZES = ((640, 480), (1920, 1080))
CROWDS = (1, 10, 30)


class Stopwatch:
    """A session, or another callable, that adds up the time spent inside it."""

    def __init__(self, inner: object) -> None:
        self.inner = inner
        self.spent = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def run(self, array: Array) -> Sequence[Array]:
        """See `Session.run`."""
        start = time.perf_counter()
        outputs = self.inner.run(array)
        self.spent += time.perf_counter() - start
        return outputs

    def __call__(self, *values: object) -> object:
        """What the inner callable gives."""
        start = time.perf_counter()
        result = self.inner(*values)
        self.spent += time.perf_counter() - start
        return result


def open_session(model: str, builtin: str, threads: int) -> Session:
    """The session that the factories would open."""
    from rtreid_ros.runtime.openvino_ir import OpenVinoSession  # noqa: PLC0415 (optional)
    from rtreid_ros.runtime.ort import OrtSession  # noqa: PLC0415

    path = model_path(model, builtin)
    if backend_for(str(path), "auto", ["onnx", "openvino"]) == "openvino":
        return OpenVinoSession(path, threads)
    return OrtSession(path, threads=threads)


def frames_of(source: str, count: int, size: tuple[int, int]) -> list[np.ndarray]:
    """The first `count` images of a source, at that (width, height)."""
    with open_source(source) as opened:
        return [cv2.resize(frame.image, size) for frame in itertools.islice(opened, count)]


def median_ms(stages: list[dict[str, float]]) -> dict[str, float]:
    """Median of each stage over all frames, from seconds."""
    return {name: round(1e3 * float(np.median([stage[name] for stage in stages])), 3) for name in stages[0]}


def time_detector(arguments: argparse.Namespace, size: tuple[int, int]) -> dict[str, object]:
    """Detection on images of that (width, height)."""
    options = DetectorOptions(model=arguments.detector, score_threshold=arguments.score_threshold)
    session = Stopwatch(open_session(arguments.detector, "person_synthetic.onnx", arguments.threads))
    detector = SessionDetector(session, options)  # type: ignore[arg-type]
    letterbox = Stopwatch(detector._letterbox)
    detector._letterbox = letterbox  # type: ignore[assignment]
    stages, boxes = [], []
    for image in frames_of(arguments.source, arguments.frames, size):
        session.spent = letterbox.spent = 0.0
        start = time.perf_counter()
        boxes.append(len(detector.detect(image)))
        total = time.perf_counter() - start
        rest = total - session.spent - letterbox.spent
        stages.append(
            {"letterbox": letterbox.spent, "model": session.spent, "decode_nms": rest, "total": total}
        )
    return {"model": str(detector.info), "boxes": float(np.mean(boxes)), "ms": median_ms(stages)}


def time_embedder(arguments: argparse.Namespace, size: tuple[int, int], crowd: int) -> dict[str, object]:
    """Embedding of `crowd` boxes on images of that (width, height)."""
    options = EmbedderOptions(model=arguments.embedder, preprocessing=arguments.preprocessing)
    session = Stopwatch(open_session(arguments.embedder, "reid_synthetic.onnx", arguments.threads))
    embedder = SessionEmbedder(session, options)  # type: ignore[arg-type]
    crops = Stopwatch(embedder._crops)
    embedder._crops = crops  # type: ignore[assignment]
    rng = np.random.default_rng(0)
    stages = []
    for image in frames_of(arguments.source, arguments.frames, size):
        # people of a fifth to a half of the image's height
        tall = rng.uniform(0.2, 0.5, crowd) * size[1]
        left, top = rng.uniform(0, size[0] - 0.4 * tall), rng.uniform(0, size[1] - tall)
        boxes = np.stack((left, top, left + 0.4 * tall, top + tall), axis=1).astype(np.float32)
        session.spent = crops.spent = 0.0
        start = time.perf_counter()
        embedder.embed(image, boxes)
        total = time.perf_counter() - start
        rest = total - session.spent - crops.spent
        stages.append({"crop": crops.spent, "model": session.spent, "rest": rest, "total": total})
    return {"model": str(embedder.info), "boxes": crowd, "ms": median_ms(stages)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detector", default="", help="detector model; default: the built-in one")
    parser.add_argument("--embedder", default="", help="ReID model; default: the built-in one")
    parser.add_argument("--preprocessing", default="metadata", help="preset, if the ReID model names none")
    parser.add_argument("--source", default="synthetic", help="where frames come from, resized")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--threads", type=int, default=0, help="inference threads; 0 = as many as cores")
    parser.add_argument("--score-threshold", type=float, default=DetectorOptions().score_threshold)
    parser.add_argument("--json", default="", help="also write the figures here")
    arguments = parser.parse_args()
    results = []
    for size in SIZES:
        cases = [("detector", time_detector(arguments, size))]
        cases += [("embedder", time_embedder(arguments, size, crowd)) for crowd in CROWDS]
        for kind, result in cases:
            results.append({"stage": kind, "image": f"{size[0]}x{size[1]}", **result})
            figures = "  ".join(f"{name} {value:.2f}" for name, value in result["ms"].items())
            print(
                f"{kind} {size[0]}x{size[1]}, {result['boxes']:.1f} boxes: {figures} ms   [{result['model']}]"
            )
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
