"""A model on a query and a gallery set: the plain figures, then those with each trick that is asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

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
from rtreid_ros.evaluation.retrieval.side import SideUse, informed, side_use
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
    side: bool = False
    """Tell the network which camera or view each picture is of; the first trick of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What came out for a model.

    Attributes:
        name: of the model, for tables.
        query: its vectors, without any trick.
        gallery: likewise.
        steps: figures without any trick first, then with one more each; `RetrievalFigures.tricks` tells.
        seconds: what decoding and embedding took.
        views: pictures embedded in that time, mirrored ones and those with side information too.
        side: what was known of that; None where it was not asked for.
    """

    name: str
    query: Features
    gallery: Features
    steps: tuple[RetrievalFigures, ...]
    seconds: float
    views: int
    side: SideUse | None = None

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
            "side": None if self.side is None else self.side._asdict(),
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
        ConfigError: the flip, side information, or a network that takes clips, where it cannot be.
        InputError: a set is empty.
        SourceError: no picture of a set can be read.
        ModelError: the model fails, or gives no direction for a picture.
    """
    _refuse(embedder, plan)
    sides = informed(embedder).known_sides() if plan.side else None
    start = time.perf_counter()
    # what a robot has comes first
    passes = [plan] if sides is None else [replace(plan, side=False, flip=False), plan]
    embedded = [
        [_embed(embedder, part, item, progress) for part in (query_set, gallery_set)] for item in passes
    ]
    seconds = time.perf_counter() - start
    steps = [judge_retrieval(query.plain, gallery.plain, plan.judging) for query, gallery in embedded]
    plain_query, plain_gallery = (part.plain for part in embedded[0])
    query, gallery = (part.flipped for part in embedded[-1])
    if plan.flip:
        steps.append(judge_retrieval(query, gallery, plan.judging))
    if plan.camera_bias is not None:
        query, gallery = remove_camera_bias(query, gallery, plan.camera_bias)
        steps.append(judge_retrieval(query, gallery, plan.judging))
    if plan.rerank is not None:
        distances = rerank(query, gallery, plan.rerank)
        steps.append(judge_distances(distances, query, gallery, plan.judging, (plan.rerank.name,)))
    views = sum(part.views for parts in embedded for part in parts)
    use = None if sides is None else side_use(sides, plain_query, plain_gallery)
    return Search(name, plain_query, plain_gallery, tuple(steps), seconds, views, use)


def _refuse(embedder: Embedder | ClipEmbedder, plan: SearchPlan) -> None:
    """Nothing, for an embedder and a plan that go together.

    Raises:
        ConfigError: they do not.
    """
    if plan.tracklets is not None and plan.flip:
        raise ConfigError("the flip is for single pictures; leave it, or the tracklets, out")
    if plan.tracklets is None and isinstance(embedder, ClipEmbedder):
        raise ConfigError(f"{embedder.info.name} takes clips: judge tracklets instead of pictures")


class _Embedded(NamedTuple):
    """Vectors without the flip, with it if it is wanted, and how many views were embedded for them."""

    plain: Features
    flipped: Features
    views: int


def _embed(
    embedder: Embedder | ClipEmbedder, pictures: IdentitySet, plan: SearchPlan, progress: bool
) -> _Embedded:
    if plan.tracklets is not None:
        tracklets = embed_tracklets(embedder, pictures, plan.tracklets, side=plan.side, progress=progress)
        return _Embedded(tracklets.features, tracklets.features, tracklets.pictures)
    assert not isinstance(embedder, ClipEmbedder)
    if plan.flip:
        plain, both = embed_views(embedder, pictures, side=plan.side, progress=progress)
        return _Embedded(plain, both, 2 * len(plain))
    plain = embed_set(embedder, pictures, side=plan.side, progress=progress)
    return _Embedded(plain, plain, len(plain))
