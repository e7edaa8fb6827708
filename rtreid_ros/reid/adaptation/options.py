"""Options of an adaptation beyond those of trainings."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.datasets.identities import DATASETS, SPLITS
from rtreid_ros.options import option

NONE = "none"
"""No such pictures."""


@dataclass(frozen=True, slots=True)
class PicturesOptions:
    """A labelled data set, or none; its own options stand beside these."""

    dataset: str = option(NONE, "data set, or none", choices=(NONE, *DATASETS))
    root: str = option("", "its folder, or a .tar file that holds it")
    split: str = option("official", "which of its identities", choices=tuple(SPLITS))


@dataclass(frozen=True, slots=True)
class AdaptationOptions:
    """The rounds, what ends them, and the machine."""

    rounds: int = option(20, "most rounds of clustering and learning", ge=1)
    steps: int = option(100, "batches of a round", ge=1)
    rehearsal: float = option(0.25, "share of batches that are of the source, if any", ge=0, le=0.9)
    statistics: bool = option(
        True, "estimate the statistics of batch norm anew on the target, before and after every round"
    )
    stable: float = option(
        0.98, "two rounds whose clusters agree so far with those before end it; 0: never", ge=0, le=1
    )
    tolerance: float = option(
        0.02, "how far the silhouette may lie below the highest so far for a later network to be kept", ge=0
    )
    patience: int = option(5, "rounds in a row that are not kept, after which it ends; 0: never", ge=0)
    judge_every: int = option(
        0, "rounds between judging on `evaluation`, for the report alone; 0: only before and after", ge=0
    )
    compare_labels: bool = option(False, "report purity and V-measure, where the target has labels after all")
    seed: int = option(0, "batches and augmentation follow from it", ge=0)
    ema: float = option(
        0.999, "decay of the averaged weights, which embed, are judged and kept; 0: none", ge=0, le=0.999999
    )
    precision: str = option("fp32", "of the network's layers; bf16: mixed", choices=("fp32", "bf16"))
    channels_last: bool = option(True, "memory layout of images and kernels that convolutions like")
    device: str = option("auto", "auto: a GPU where there is one", choices=("auto", "cpu", "cuda"))
    threads: int = option(0, "processor threads of torch; 0: its own choice", ge=0)
    tensorboard: bool = option(True, "write TensorBoard events, where it is installed")
