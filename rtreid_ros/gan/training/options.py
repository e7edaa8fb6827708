"""Options of a training, section by section; those of networks and objectives stand with these."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.datasets.identities import DATASETS, SPLITS
from rtreid_ros.gan.features import FeatureOptions
from rtreid_ros.options import option
from rtreid_ros.reid.training.options import ScheduleOptions


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Pictures to learn from: the training part alone, junk left out."""

    dataset: str = option("market1501", "data set", choices=tuple(DATASETS))
    root: str = option("", "its folder, or a .tar file that holds it")
    split: str = option("official", "as of rtreid train-reid", choices=tuple(SPLITS))
    height: int = option(128, "height of pictures, pixels", ge=4, le=512)
    width: int = option(64, "width of pictures, pixels", ge=4, le=512)
    flip: float = option(0.5, "probability with which a picture is mirrored", ge=0, le=1)


@dataclass(frozen=True, slots=True)
class GeneratorChoice:
    """Which generator; its own options stand beside this in the section ``generator``."""

    name: str = option("residual", "network, one of rtreid_ros.gan.networks.GENERATORS")


@dataclass(frozen=True, slots=True)
class DiscriminatorChoice:
    """Which discriminator; likewise."""

    name: str = option("residual", "network, one of rtreid_ros.gan.networks.DISCRIMINATORS")


@dataclass(frozen=True, slots=True)
class ObjectiveChoice:
    """Which objective; likewise."""

    name: str = option("hinge", "objective, one of rtreid_ros.gan.objectives.OBJECTIVES")


@dataclass(frozen=True, slots=True)
class OptimizerOptions:
    """How steps are made of gradients; two rates, since both sides learn at their own pace (Heusel 2017)."""

    name: str = option("adam", "optimizer", choices=("adam", "rmsprop"))
    generator_lr: float = option(1e-4, "learning rate of the generator, and of the encoder", ge=1e-9, le=1)
    discriminator_lr: float = option(4e-4, "learning rate of the discriminator", ge=1e-9, le=1)
    beta1: float = option(0.0, "adam: memory of the gradient", ge=0, le=0.99999)
    beta2: float = option(0.9, "adam, rmsprop: memory of its square", ge=0, le=0.9999999)


@dataclass(frozen=True, slots=True)
class GanScheduleOptions(ScheduleOptions):
    """Both learning rates over time."""

    kind: str = option(
        "constant", "its course after the warm-up", choices=("cosine", "multistep", "constant")
    )
    warmup: float = option(0.0, "epochs of linear rise at the beginning", ge=0)


@dataclass(frozen=True, slots=True)
class JudgingOptions(FeatureOptions):
    """How generated pictures are compared with real ones."""

    every: int = option(5, "epochs between judgements; 0: only after the last", ge=0)
    reference: str = option(
        "train",
        "real pictures: those trained on, or what the split holds out (query and gallery)",
        choices=("train", "held_out"),
    )
    images: int = option(1000, "pictures generated; as many real ones, where there are", ge=2)
    subsets: int = option(50, "of KID", ge=2)
    subset_size: int = option(250, "pictures of each kind in a subset of KID", ge=2)


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The loop, the machine, and what is kept."""

    epochs: int = option(200, "times the discriminator sees every picture", ge=1)
    batch: int = option(64, "pictures in a step", ge=2)
    seed: int = option(0, "first weights, batches, noise and views follow from it", ge=0)
    ema: float = option(
        0.999, "decay of the generator's averaged weights, which are kept; 0: no averaging", ge=0, le=0.999999
    )
    device: str = option("auto", "auto: a GPU where there is one", choices=("auto", "cpu", "cuda"))
    threads: int = option(0, "processor threads of torch; 0: its own choice", ge=0)
    save_every: int = option(1, "epochs between writing last.pt", ge=1)
    tensorboard: bool = option(True, "write TensorBoard events, where it is installed")
