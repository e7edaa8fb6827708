"""What a network makes of the target: vectors, clusters, and how good these are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from rtreid_ros.errors import TrainingError
from rtreid_ros.evaluation.retrieval import Features, remove_camera_bias
from rtreid_ros.reid.adaptation.clusters import Clustering, cluster
from rtreid_ros.reid.adaptation.config import AdaptationConfig
from rtreid_ros.reid.adaptation.pictures import AdaptationPictures
from rtreid_ros.reid.adaptation.quality import compared_with_labels, silhouette, told_apart
from rtreid_ros.reid.adaptation.statistics import estimate_statistics, restore_statistics
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.training.pictures import Part
from rtreid_ros.reid.training.placement import Placement, layout_of, seed_of
from rtreid_ros.reid.training.validation import Validator, necks
from rtreid_ros.types import Float32

_STATISTICS = 3
"""What this module draws from the seed."""


class Observation(NamedTuple):
    """What a network makes of the target.

    Attributes:
        clustering: of its vectors.
        figures: how good it is, by name, as they stand in ``log.jsonl``.
    """

    clustering: Clustering
    figures: dict[str, Any]


class Observer:
    """Looks at the target, and for reports at the evaluation, through a network in evaluation mode.

    Args:
        config: see there.
        pictures: of the adaptation.
        placement: where networks compute.
    """

    def __init__(self, config: AdaptationConfig, pictures: AdaptationPictures, placement: Placement) -> None:
        self._config, self._pictures, self._device = config, pictures, placement.device
        self._layout, self._preprocessing = (
            layout_of(config.learning),
            PRESETS[config.learning.data.preprocessing],
        )
        self._validator: Validator | None = None
        if pictures.query is not None and pictures.gallery is not None:
            query, gallery = (whole(part) for part in (pictures.query, pictures.gallery))
            self._validator = Validator(query, gallery, self._preprocessing, self._device, self._layout)

    def necks(self, model: nn.Module, images: ResidentImages) -> torch.Tensor:
        """``(N, D)`` on the device, as `model` gives them."""
        return necks(model, whole(images), self._preprocessing, self._device, self._layout)

    def observe(self, model: nn.Module, number: int) -> Observation:
        """Clusters of the target after round `number`.

        Raises:
            TrainingError: a vector is no direction, or there are no two clusters to learn from.
        """
        config, target = self._config, self._pictures.target
        vectors = self._vectors(model)
        figures: dict[str, Any] = self._apart(vectors)
        where = f"after round {number}" if number else "before the first round"
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise TrainingError(
                f"{where} the network gives no direction for some pictures: training has diverged; try a "
                "smaller optimizer.lr"
            )
        if config.clusters.camera_bias:
            features = Features(vectors, np.zeros(len(vectors), np.int64), target.cameras)
            vectors = remove_camera_bias(features, features[:0])[0].unit()
        found = cluster(vectors, config.clusters, self._pictures.links)
        if len(found.sizes) < 2:
            raise TrainingError(
                f"{where} the {len(target)} pictures make {len(found.sizes)} clusters, "
                f"{100 * found.noise:.0f} % of them in none (eps {found.eps:.3g}): nothing to learn from. "
                "Give more pictures of each person, a smaller clusters.least or clusters.k1, or another "
                "clusters.eps"
            )
        figures |= {
            "clusters": len(found.sizes),
            "largest": int(found.sizes.max()),
            "median": float(np.median(found.sizes)),
            "noise": found.noise,
            "eps": found.eps,
            "silhouette": silhouette(vectors, found.labels),
        }
        if config.adaptation.compare_labels:
            figures |= compared_with_labels(found.labels, target.identities)
        return Observation(found, figures)

    def estimate(self, model: nn.Module, number: int) -> None:
        """Give `model` the target's statistics after round `number`."""
        seed = seed_of(self._config.adaptation.seed, _STATISTICS, number)
        images = self._pictures.target.images
        estimate_statistics(model, images, self._preprocessing, self._device, seed, self._layout)

    def restore(self, model: nn.Module, names: Collection[str]) -> None:
        """Give `model` the statistics that its batch norms of these `names` have lost; see there."""
        images = self._pictures.target.images
        restore_statistics(model, names, images, self._preprocessing, self._device, self._layout)

    def judge(self, model: nn.Module) -> dict[str, float]:
        """Figures of the evaluation, and how well tracklets are told apart, where there are any.

        For reports alone.
        """
        judged = {} if self._validator is None else self._validator.judge(model).figures
        apart = self._apart(self._vectors(model)) if len(self._pictures.links.apart) else {}
        return {**judged, **apart}

    def _vectors(self, model: nn.Module) -> Float32:
        """``(N, D)`` of unit length, of the target."""
        found: Float32 = nn.functional.normalize(self.necks(model, self._pictures.target)).cpu().numpy()
        return found

    def _apart(self, vectors: Float32) -> dict[str, float]:
        found = told_apart(vectors, self._pictures.links)
        return {} if found is None else {"told_apart": found}


def whole(images: ResidentImages) -> Part:
    """All pictures, one by one, without side information."""
    return Part(images, np.arange(len(images)), None)
