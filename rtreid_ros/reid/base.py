"""What every embedder is and what can be set on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rtreid_ros.options import option
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.types import Float32, UInt8


@dataclass(frozen=True, slots=True)
class EmbedderOptions:
    """Options of the ReID stage, whatever the backend.

    How pixels are prepared (`color`, `mean`, `std`, `scale`) is read from the model's metadata;
    what is set here wins; if neither says it, loading fails rather than guess.
    """

    model: str = option(
        "",
        "ReID model: a file (.onnx, .xml, .torchscript, .pt2) or a built-in one: osnet_x0_25_market1501.onnx "
        "for real people, reid_synthetic.onnx (also when empty) for the synthetic world",
    )
    backend: str = option(
        "auto",
        "runtime of the model; auto goes by the file's suffix",
        choices=("auto", "onnx", "openvino", "torch"),
    )
    preprocessing: str = option(
        "metadata",
        "how pixels are prepared: from the model's own metadata, or imagenet (RGB/255, ImageNet mean and "
        "std), half (RGB/255, mean and std 0.5), unit (RGB/255), raw-bgr (BGR 0..255)",
        choices=("metadata", "imagenet", "half", "unit", "raw-bgr"),
    )
    batch_size: int = option(32, "most crops per inference call", ge=1, le=1024)
    providers: tuple[str, ...] = option(
        ("tensorrt", "cuda", "openvino", "cpu"),
        "ONNX Runtime execution providers, tried in this order",
        choices=("tensorrt", "cuda", "openvino", "cpu"),
    )
    threads: int = option(0, "inference threads on the CPU; 0 = as many as cores", ge=0, le=256)


class Embedder(Protocol):
    """Turns image crops into appearance vectors.

    One instance serves one thread at a time; instances share nothing.
    """

    @property
    def dim(self) -> int:
        """Length D of an embedding."""

    @property
    def info(self) -> ModelInfo:
        """Which model runs where."""

    @property
    def rejected(self) -> int:
        """Rows so far that are NaN because the box or the model's vector was not finite, or was zero."""

    def embed(self, image: UInt8, boxes: Float32) -> Float32:
        """``(N, D) float32`` rows of unit length for ``boxes`` (``(N, 4)`` corners) of a BGR image."""

    def embed_many(self, pairs: Sequence[tuple[UInt8, Float32]]) -> list[Float32]:
        """What `embed` gives for each image and its boxes, but for the rounding of common inferences.

        All or nothing: raises what `embed` raises for one of them. `rtreid_ros.stages.embed_each` finds
        out which one.
        """
