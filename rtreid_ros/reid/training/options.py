"""Options of a training, section by section. Needs no torch, so that help and checks are quick."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.datasets.identities import DATASETS, SPLITS
from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option
from rtreid_ros.reid.preprocessing import PRESETS


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Pictures, and how they reach the network; a data set's own options stand beside these in ``data``."""

    dataset: str = option("market1501", "data set", choices=tuple(DATASETS))
    root: str = option("", "its folder, or a .tar file that holds it")
    split: str = option(
        "official",
        "mod5: validation on training identities divisible by 5; mod5_tracklets: on whole tracklets of "
        "these; all: every training identity trains; "
        "cameras123, cameras456: one side of a transfer between cameras; cameras456_tuning: the second "
        "without those who judge it, for choosing a recipe",
        choices=tuple(SPLITS),
    )
    height: int = option(256, "height of the network's input, pixels", ge=16, le=1024)
    width: int = option(128, "width of the network's input, pixels", ge=16, le=1024)
    frames: int = option(0, "of a clip, for networks that take clips; 0: single pictures", ge=0, le=128)
    preprocessing: str = option("imagenet", "how pixels are scaled", choices=tuple(PRESETS))
    side: str = option(
        "none",
        "side information for networks that take it; view: a number for each camera and sequence",
        choices=("none", "camera", "view"),
    )


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which network; its own options stand beside these in the section ``model``."""

    name: str = option("seresnet18_ibn", "network, one of rtreid_ros.reid.models.MODELS")
    pretrained: str = option("", "weights to begin with: a file, or a source the network knows; empty: none")
    trainable: tuple[str, ...] = option(
        (), "only parameters whose names begin so are trained, the others stay fixed; empty: all"
    )


NOBODY = "unlabelled"
"""The data set of pictures of nobody in particular."""


@dataclass(frozen=True, slots=True)
class SyntheticOptions:
    """Generated pictures mixed into the batches of real ones.

    Raises:
        ConfigError: values that contradict each other, where any are asked for.
    """

    ratio: float = option(0.0, "generated pictures for each real one of a batch; 0: none", ge=0, le=8)
    root: str = option("", "folder or .tar file of generated pictures")
    dataset: str = option(
        NOBODY,
        "what the root holds: unlabelled: pictures of nobody in particular, in any folders; or people "
        "(synthetic: those of the synthetic street, which needs no root)",
        choices=tuple(DATASETS),
    )
    labels: str = option(
        "lsro",
        "what they count as: everybody alike, for the loss lsro; pseudo: the two identities nearest by "
        "`model`, for losses of logits; own: identities of their own, for all losses",
        choices=("lsro", "pseudo", "own"),
    )
    model: str = option("", "pseudo: the model whose vectors find the nearest identities")
    scenes: int = option(20, "of dataset synthetic: scenes rendered", ge=1)

    def __post_init__(self) -> None:
        if not self.ratio:
            return
        if not self.root and self.dataset != "synthetic":
            raise ConfigError(f"ratio={self.ratio:g} needs root, the generated pictures")
        if self.labels == "own" and self.dataset == NOBODY:
            raise ConfigError("labels=own needs identities: set dataset to what the root holds, say folder")
        if self.labels == "pseudo" and not self.model:
            raise ConfigError("labels=pseudo needs model, a file of rtreid train-reid or export-reid")


@dataclass(frozen=True, slots=True)
class OptimizerOptions:
    """How a step is made of gradients."""

    name: str = option("adamw", "optimizer", choices=("adamw", "adam", "sgd"))
    lr: float = option(3.5e-4, "learning rate", ge=1e-9, le=100)
    weight_decay: float = option(
        0.01,
        "of kernels; norms and biases have none (adam and sgd add it to the gradient)",
        ge=0,
    )
    momentum: float = option(0.9, "of sgd", ge=0, le=0.9999)
    nesterov: bool = option(True, "whether sgd looks ahead (Nesterov)")
    beta1: float = option(0.9, "adam: memory of the gradient", ge=0, le=0.99999)
    beta2: float = option(0.999, "adam: memory of its square", ge=0, le=0.9999999)
    clip_norm: float = option(10.0, "longest gradient, over all parameters together; 0: no limit", ge=0)
    head_factor: float = option(1.0, "learning rate of the classifier as a multiple of lr", ge=0)


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """The learning rate over time, set anew before every step."""

    kind: str = option("cosine", "its course after the warm-up", choices=("cosine", "multistep", "constant"))
    warmup: float = option(10.0, "epochs of linear rise at the beginning", ge=0)
    warmup_factor: float = option(0.01, "where the rise begins, as a factor of lr", ge=0, le=1)
    delay: float = option(0.0, "cosine: epoch in which the descent begins (never within the warm-up)", ge=0)
    floor: float = option(0.002, "cosine: where it ends, as a factor of lr", ge=0, le=1)
    milestones: tuple[str, ...] = option(("40", "70"), "multistep: epochs at whose beginning the rate drops")
    gamma: float = option(0.1, "multistep: factor of each drop", ge=0, le=1)


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The loop, the machine, and what is kept."""

    epochs: int = option(120, "times every identity comes up", ge=1)
    seed: int = option(0, "first weights, batches and augmentation follow from it", ge=0)
    ema: float = option(
        0.999, "decay of the averaged weights, which are judged and kept; 0: no averaging", ge=0, le=0.999999
    )
    precision: str = option("fp32", "of the network's layers; bf16: mixed", choices=("fp32", "bf16"))
    channels_last: bool = option(True, "memory layout of images and kernels that convolutions like")
    compile: bool = option(False, "torch.compile: minutes at the start, faster steps on many GPUs")
    device: str = option("auto", "auto: a GPU where there is one", choices=("auto", "cpu", "cuda"))
    threads: int = option(0, "processor threads of torch; 0: its own choice", ge=0)
    validate_every: int = option(5, "epochs between validations; 0: only after the last", ge=0)
    patience: int = option(0, "validations without a better mAP after which training ends; 0: never", ge=0)
    save_every: int = option(1, "epochs between writing last.pt", ge=1)
    tensorboard: bool = option(True, "write TensorBoard events, where it is installed")
