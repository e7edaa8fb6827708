"""Options of post-processing and of the link model's training."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.options import option

METHODS = ("none", "linear", "gaussian")
REFERENCE_SIZE = (1920, 1080)
"""Image size, width and height, for which `link_distance` is meant, as in the paper's MOT17."""


@dataclass(frozen=True, slots=True)
class PostprocessOptions:
    """What `postprocess` does to a table. Defaults are StrongSORT++'s."""

    link: bool = option(True, "join tracklets of one person (AFLink) before gaps are filled")
    link_model: str = option("", "link model (.onnx); empty = the built-in one")
    link_time: float = option(
        1.0, "longest gap of time to link over, seconds (the paper's 30 frames at 30 per second)", ge=0.0
    )
    link_distance: float = option(
        75.0, "longest way to link over, pixels of a 1920x1080 image; scaled by the image's diagonal", ge=0.0
    )
    link_confidence: float = option(0.95, "least confidence of a link", ge=0.0, le=1.0)
    interpolate: str = option(
        "gaussian",
        "how gaps are filled: not at all, straight (linear), or along a path that is smoothed (gaussian)",
        choices=METHODS,
    )
    max_gap: int = option(20, "most frames missing in a row that are filled", ge=0)
    tau: float = option(10.0, "frames; how strongly the gaussian method smooths", ge=1.0)
    frame_rate: float = option(30.0, "frames per second of the recording", ge=0.001)
    size: str = option("", "image size in pixels, such as 1920x1080; empty = as far as the boxes reach")


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How the link model is trained."""

    epochs: int = option(30, "passes; each draws its pairs anew", ge=1)
    pairs: int = option(16384, "pairs of tracklets per epoch", ge=64)
    batch: int = option(256, "pairs per step", ge=2)
    rate: float = option(2e-3, "peak learning rate", ge=1e-6)
    seed: int = option(0, "seed of weights, pairs and held-out people", ge=0)
    threads: int = option(1, "CPU threads", ge=1)
