"""What every detector is and what can be set on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rtreid_ros.options import option
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.types import Detections, UInt8


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """Options of the detection stage, whatever the backend."""

    model: str = option(
        "", "detector model: a file (.onnx, .xml, .pt, .engine); empty = the built-in synthetic-world model"
    )
    backend: str = option(
        "auto",
        "runtime of the model; auto goes by the file's suffix",
        choices=("auto", "onnx", "openvino", "ultralytics"),
    )
    score_threshold: float = option(0.1, "detections below this score are dropped", ge=0, le=1, live=True)
    nms_threshold: float = option(
        0.7,
        "of two boxes of one class overlapping more than this IoU the lower score is dropped",
        ge=0,
        le=1,
        live=True,
    )
    classes: tuple[str, ...] = option(
        ("person",), "names or ids of the classes to keep; empty = all", live=True
    )
    max_detections: int = option(300, "most detections kept per frame", ge=1, le=10000, live=True)
    providers: tuple[str, ...] = option(
        ("tensorrt", "cuda", "openvino", "cpu"),
        "ONNX Runtime execution providers, tried in this order",
        choices=("tensorrt", "cuda", "openvino", "cpu"),
    )
    threads: int = option(0, "inference threads on the CPU; 0 = as many as cores", ge=0, le=256)


class Detector(Protocol):
    """Finds objects in images.

    One instance serves one thread at a time; instances share nothing.
    """

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name of each class id; ``class_names[class_id]``."""

    @property
    def info(self) -> ModelInfo:
        """Which model runs where."""

    @property
    def rejected(self) -> int:
        """Rows dropped so far because the model gave no box, no score or no class that can be."""

    @property
    def max_batch(self) -> int:
        """Most images that one inference takes; 1 = `detect_many` goes one after the other."""

    def adjust(self, options: DetectorOptions) -> None:
        """Go on with other thresholds, classes and most detections; from any thread.

        Raises:
            ConfigError: the model has no such class; nothing has changed.
        """

    def detect(self, image: UInt8) -> Detections:
        """Detections in ``image`` (``(H, W, 3) uint8`` BGR), by descending score, in its pixels."""

    def detect_many(self, images: Sequence[UInt8]) -> list[Detections]:
        """What `detect` gives for each image, of any sizes, but for the rounding of common inferences.

        All or nothing: raises what `detect` raises for one of them. `rtreid_ros.stages.detect_each` finds
        out which one.
        """
