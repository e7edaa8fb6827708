"""Generated pictures beside the real ones of a training, and what they count as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from rtreid_ros.datasets.identities import UNKNOWN, IdentitySet, open_identities
from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.evaluation.retrieval import embed_set
from rtreid_ros.reid import Embedder, EmbedderOptions, create_embedder
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.losses import LOSSES
from rtreid_ros.reid.losses.base import UNLABELLED
from rtreid_ros.reid.losses.identification import Identification
from rtreid_ros.reid.losses.lsro import Lsro
from rtreid_ros.reid.models.session import open_checkpoint
from rtreid_ros.reid.training.options import SyntheticOptions
from rtreid_ros.reid.training.sections import TrainingConfig
from rtreid_ros.types import Float32, Int64

_TEMPERATURE = 0.05
"""Of the softmax that divides a picture between its two nearest identities."""
_MOST = 0.99
"""Share of the nearest at most: below 1, so that losses of pairs and memories leave such pictures out."""


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """What is known of the pictures in memory once generated ones stand behind the real ones.

    Attributes:
        real: how many are real; the others follow them.
        own: whether generated people are identities of their own, which every loss sees.
        soft: ``(N,) int64`` identity that each picture belongs to beside its class, and ``(N,) float32`` how
            much of it is its class's, 1 for real ones; None = all of every picture.
    """

    real: int
    own: bool
    soft: tuple[torch.Tensor, torch.Tensor] | None = None


def check_synthetic(config: TrainingConfig) -> None:
    """Refuse what cannot be: nothing where no generated pictures are asked for.

    Raises:
        ConfigError: no loss would learn from them, or something else excludes them.
    """
    options = config.synthetic
    if not options.ratio:
        return
    if config.data.frames:
        raise ConfigError("synthetic: generated pictures cannot be mixed with clips; set data.frames=0")
    wanted, names = (Lsro, "lsro") if options.labels == "lsro" else (Identification, "cross_entropy")
    if options.labels != "own" and not any(issubclass(LOSSES[name], wanted) for name in config.losses):
        raise ConfigError(
            f"synthetic.labels={options.labels}: no loss would learn from generated pictures; add "
            f"losses.{names}=on" + (" and losses.cross_entropy=off" if names == "lsro" else "")
        )
    if options.labels == "pseudo" and config.augmentation.mixup:
        raise ConfigError("synthetic.labels=pseudo shares pictures among identities, as mixup does: set one")


def join(real: IdentitySet, options: SyntheticOptions) -> IdentitySet:
    """Real pictures, then generated ones: identity -1, or -2 and below where they have identities.

    Raises:
        InputError: a real one has no identity.
        SourceError: the root holds none.
    """
    if (real.identities < 0).any():
        raise InputError("generated pictures need real ones all of which have an identity")
    added = _open(options)
    numbers = -2 - added.classes() if options.labels == "own" else np.full(len(added), UNLABELLED)
    unknown = np.full(len(added), UNKNOWN)  # their cameras are not those of the real ones

    count, first, second = len(real), real.read, added.read
    return IdentitySet(
        real.names + tuple(f"generated {name}" for name in added.names),
        np.concatenate([real.identities, numbers]),
        np.concatenate([real.cameras, unknown]),
        np.concatenate([real.sequences, unknown]),
        lambda row: first(row) if row < count else second(row - count),
    )


def _open(options: SyntheticOptions) -> IdentitySet:
    own = {"scenes": options.scenes} if options.dataset == "synthetic" else {}
    return open_identities(options.dataset, options.root, "all", ("train",), **own).train


def label(
    images: ResidentImages, options: SyntheticOptions, *, progress: bool = True
) -> tuple[ResidentImages, Added]:
    """The pictures of `join`, decoded, with the classes that they train as.

    Raises:
        InputError: no generated picture could be read.
        ModelError: the model of pseudo-labels cannot be used.
    """
    real = int(np.count_nonzero(images.identities >= 0))
    if real == len(images):
        raise InputError(f"no generated picture of {options.root!r} can be read")
    classes = np.full(len(images), UNLABELLED, np.int64)
    classes[:real] = np.unique(images.identities[:real], return_inverse=True)[1].reshape(-1)
    if options.labels == "own":
        numbers = np.unique(-images.identities[real:], return_inverse=True)[1].reshape(-1)
        classes[real:] = classes[:real].max() + 1 + numbers
        identities = images.identities.copy()
        identities[real:] = images.identities[:real].max() + 1 + numbers
        return replace(images, classes=classes, identities=identities), Added(real, own=True)
    if options.labels == "lsro":
        return replace(images, classes=classes), Added(real, own=False)
    vectors = embed_set(_embedder(options.model), images.as_set(), progress=progress).vectors
    nearest, second, share = two_nearest(vectors[real:], vectors[:real], classes[:real])
    classes[real:] = nearest
    others, shares = classes.copy(), np.ones(len(images), np.float32)
    others[real:], shares[real:] = second, share
    device = images.images.device
    soft = (torch.from_numpy(others).to(device), torch.from_numpy(shares).to(device))
    return replace(images, classes=classes), Added(real, own=False, soft=soft)


def two_nearest(vectors: Float32, known: Float32, classes: Int64) -> tuple[Int64, Int64, Float32]:
    """The two identities whose centres are nearest to each vector, and the share of the first.

    In the spirit of MpRL (Huang et al., Multi-Pseudo Regularized Label for Generated Data in Person
    Re-Identification, IEEE TIP 2019), where a generated picture belongs to all identities by how well they
    fit; here to the two that fit best, by the softmax of their cosines.

    Args:
        vectors: ``(S, D)`` unit rows of generated pictures.
        known: ``(N, D)`` unit rows of real ones.
        classes: ``(N,)`` of these, 0..C-1.

    Returns:
        ``(S,) int64`` nearest, ``(S,) int64`` second, ``(S,) float32`` share of the nearest, 0.5 to 0.99.
    """
    centres = np.zeros((int(classes.max()) + 1, known.shape[1]), np.float32)
    np.add.at(centres, classes, known)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    cosines = vectors @ centres.T
    order = np.argsort(-cosines, axis=1, kind="stable")[:, : min(2, len(centres))]
    first, second = order[:, 0], order[:, -1]
    rows = np.arange(len(vectors))
    lead = (cosines[rows, first] - cosines[rows, second]) / _TEMPERATURE
    share = np.minimum(1 / (1 + np.exp(-lead)), _MOST).astype(np.float32)
    return first.astype(np.int64), second.astype(np.int64), share


def _embedder(model: str) -> Embedder:
    """A checkpoint of ours, or any file that robots run."""
    options = EmbedderOptions(model=model)
    path = Path(model).expanduser()
    return open_checkpoint(path, options) if path.suffix in (".pt", ".pth") else create_embedder(options)
