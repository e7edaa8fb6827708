"""A model on a query and a gallery set: the plain figures, then those with each trick that is asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtreid_ros.errors import ConfigError
from rtreid_ros.evaluation.retrieval.camera_bias import CameraBiasOptions, remove_camera_bias
from rtreid_ros.evaluation.retrieval.embedding import embed_set, embed_views
from rtreid_ros.evaluation.retrieval.protocol import (
    STANDARD,
    RetrievalOptions,
    judge_distances,
    judge_retrieval,
)
from rtreid_ros.evaluation.retrieval.reranking import RerankOptions, rerank
from rtreid_ros.evaluation.retrieval.tracklets import ClipEmbedder, TrackletOptions, embed_tracklets

if TYPE_CHECKING:
    from rtreid_ros.datasets.identities.base import IdentitySet
    from rtreid_ros.evaluation.retrieval.features import Features
    from rtreid_ros.evaluation.retrieval.figures import RetrievalFigures
    from rtreid_ros.reid.base import Embedder


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What is asked for; each trick comes on top of those before it, in this order."""

    judging: RetrievalOptions = STANDARD
    flip: bool = False
    camera_bias: CameraBiasOptions | None = None
    rerank: RerankOptions | None = None
    tracklets: TrackletOptions | None = None
    """Whole tracklets instead of pictures, in query and gallery."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What came out for a model.

    Attributes:
        name: of the model, for tables.
        query: its vectors, without any trick.
        gallery: likewise.
        steps: figures without any trick first, then with one more each; `RetrievalFigures.tricks` tells.
        seconds: what decoding and embedding took.
        views: pictures embedded in that time, mirrored ones too.
    """

    name: str
    query: Features
    gallery: Features
    steps: tuple[RetrievalFigures, ...]
    seconds: float
    views: int

    @property
    def images_per_second(self) -> float:
        """Pictures decoded and embedded per second."""
        return self.views / max(self.seconds, 1e-9)

    def labels(self) -> list[str]:
        """A name for each of `steps`: the model's, then what is added."""
        first = self.steps[0].tricks
        names, before = [f"{self.name} ({', '.join(first)})" if first else self.name], set(first)
        for step in self.steps[1:]:
            added = [trick for trick in step.tricks if trick not in before]
            names.append(f"+ {', '.join(added)}")
            before.update(added)
        return names

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a file."""
        return {
            "model": self.name,
            "dimensions": self.query.vectors.shape[1],
            "images_per_second": round(self.images_per_second, 1),
            "unreadable": [*self.query.unreadable, *self.gallery.unreadable],
            "searches": [step.as_dict() for step in self.steps],
        }


def search(
    name: str,
    embedder: Embedder | ClipEmbedder,
    query_set: IdentitySet,
    gallery_set: IdentitySet,
    plan: SearchPlan,
    *,
    progress: bool = True,
) -> Search:
    """Embed both sets and judge them.

    Raises:
        ConfigError: the flip, or a network that takes clips, where it cannot be.
        InputError: a set is empty.
        SourceError: no picture of a set can be read.
        ModelError: the model fails, or gives no direction for a picture.
    """
    start = time.perf_counter()
    (plain_query, query, queried), (plain_gallery, gallery, searched) = (
        _embed(embedder, part, plan, progress) for part in (query_set, gallery_set)
    )
    seconds = time.perf_counter() - start
    steps = [judge_retrieval(plain_query, plain_gallery, plan.judging)]
    if plan.flip:
        steps.append(judge_retrieval(query, gallery, plan.judging))
    if plan.camera_bias is not None:
        query, gallery = remove_camera_bias(query, gallery, plan.camera_bias)
        steps.append(judge_retrieval(query, gallery, plan.judging))
    if plan.rerank is not None:
        distances = rerank(query, gallery, plan.rerank)
        steps.append(judge_distances(distances, query, gallery, plan.judging, (plan.rerank.name,)))
    return Search(name, plain_query, plain_gallery, tuple(steps), seconds, queried + searched)


def _embed(
    embedder: Embedder | ClipEmbedder, pictures: IdentitySet, plan: SearchPlan, progress: bool
) -> tuple[Features, Features, int]:
    """Without any trick, with the flip if it is wanted, and how many pictures were embedded."""
    if plan.tracklets is not None:
        if plan.flip:
            raise ConfigError("the flip is for single pictures; leave it, or the tracklets, out")
        tracklets = embed_tracklets(embedder, pictures, plan.tracklets, progress=progress)
        return tracklets.features, tracklets.features, tracklets.pictures
    if isinstance(embedder, ClipEmbedder):
        raise ConfigError(f"{embedder.info.name} takes clips: judge tracklets instead of pictures")
    if plan.flip:
        features, both = embed_views(embedder, pictures, progress=progress)
        return features, both, 2 * len(features)
    features = embed_set(embedder, pictures, progress=progress)
    return features, features, len(features)
