"""One vector for each tracklet: what a robot compares, instead of single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from tqdm import tqdm

from rtreid_ros.datasets.identities.base import IdentitySet, report_unreadable
from rtreid_ros.errors import InputError, ModelError, SourceError
from rtreid_ros.evaluation.retrieval.embedding import embed_set
from rtreid_ros.evaluation.retrieval.features import Features
from rtreid_ros.evaluation.retrieval.side import SideTeller
from rtreid_ros.options import option
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.types import Float32, Int64, UInt8

if TYPE_CHECKING:
    from rtreid_ros.reid.base import Embedder

_DEFAULT_FRAMES = 8


@dataclass(frozen=True, slots=True)
class TrackletOptions:
    """What a tracklet's vector is made of."""

    vector: str = option(
        "all",
        "all: all pictures (networks for clips: all clips, one after the other), averaged; spaced: `frames` "
        "pictures evenly spaced (one clip of these); middle: the one in the middle",
        choices=("all", "spaced", "middle"),
    )
    frames: int = option(0, "pictures of a clip, or evenly spaced; 0: as trained, else 8", ge=0, le=128)


@runtime_checkable
class ClipEmbedder(Protocol):
    """Turns clips into appearance vectors."""

    @property
    def dim(self) -> int:
        """Length D of an embedding."""

    @property
    def frames(self) -> int:
        """Frames of the clips it was trained on."""

    @property
    def info(self) -> ModelInfo:
        """Which model runs where."""

    def embed_clips(self, clips: Sequence[Sequence[UInt8]]) -> Float32:
        """``(N, D) float32`` rows of unit length for clips of equally many BGR pictures of any size."""


class TrackletFeatures(NamedTuple):
    """Vectors of tracklets.

    Attributes:
        features: a row for each tracklet; its picture in the middle stands for it.
        pictures: how many were embedded for them.
    """

    features: Features
    pictures: int


def tracklets_of(pictures: IdentitySet) -> list[Int64]:
    """Rows of each tracklet in their order: what a camera, in one of its sequences, has seen of somebody."""
    keys = np.stack([pictures.identities, pictures.cameras, pictures.sequences])
    owner = np.unique(keys, axis=1, return_inverse=True)[1].reshape(-1)
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))[1:]
    return [rows.astype(np.int64) for rows in np.split(order, starts)] if len(owner) else []


def embed_tracklets(
    embedder: Embedder | ClipEmbedder,
    pictures: IdentitySet,
    options: TrackletOptions,
    *,
    side: bool = False,
    progress: bool = True,
) -> TrackletFeatures:
    """A vector for each tracklet of which a picture can be read.

    Vectors of single pictures or clips have unit length before they are averaged, as they have on a robot.
    With `side`, the embedder is told which camera or view each tracklet is of.

    Raises:
        ConfigError: the embedder knows no cameras or views and is to be told.
        InputError: there are no pictures.
        SourceError: none can be read.
        ModelError: the model fails, or gives no direction for a tracklet.
    """
    if not len(pictures):
        raise InputError("no pictures to embed: the set is empty")
    tracks, teller = tracklets_of(pictures), SideTeller(embedder, pictures, side=side)
    if isinstance(embedder, ClipEmbedder):
        frames = options.frames or embedder.frames or _DEFAULT_FRAMES
        found = _of_clips(embedder, pictures, tracks, options.vector, frames, teller, progress)
    else:
        frames = options.frames or _DEFAULT_FRAMES
        found = _of_pictures(embedder, pictures, tracks, options.vector, frames, side, progress)
    vectors, owner = found.vectors, found.owner
    kept, place = np.unique(owner, return_inverse=True)
    means = np.zeros((len(kept), vectors.shape[1]), np.float32)
    np.add.at(means, place.reshape(-1), vectors)
    means /= np.bincount(place.reshape(-1))[:, None]
    rows = np.array([tracks[track][len(tracks[track]) // 2] for track in kept], np.int64)
    if not (np.isfinite(means).all() and means.any(axis=1).all()):
        raise ModelError(f"{embedder.info.name} gives no direction for a tracklet")
    columns = (pictures.identities[rows], pictures.cameras[rows], pictures.sequences[rows])
    counted = isinstance(embedder, ClipEmbedder) or options.vector == "spaced"
    trick = f"tracklets: {options.vector}" + (f" {frames}" if counted else "")
    return TrackletFeatures(
        Features(means, *columns, rows, found.unreadable, (trick, *teller.tricks)), found.pictures
    )


def _spaced(rows: Int64, frames: int, vector: str) -> Int64:
    """``(frames,)`` of the rows of a track, evenly spaced, or the one in the middle."""
    if vector == "middle":
        return np.full(frames, rows[len(rows) // 2])
    return rows[np.linspace(0, len(rows) - 1, frames).round().astype(np.int64)]


def _clips(rows: Int64, frames: int, vector: str) -> Int64:
    """``(C, frames)``: the clips of a track; the last one is filled up with its last picture."""
    if vector != "all":
        return _spaced(rows, frames, vector)[None]
    count = -(-len(rows) // frames)
    return np.pad(rows, (0, count * frames - len(rows)), mode="edge").reshape(count, frames)


class _Found(NamedTuple):
    """Unit vectors ``(N, D)`` of pictures or clips, ``(N,)`` the track of each, and what was embedded."""

    vectors: Float32
    owner: Int64
    unreadable: tuple[str, ...]
    pictures: int


def _of_pictures(
    embedder: Embedder,
    pictures: IdentitySet,
    tracks: list[Int64],
    vector: str,
    frames: int,
    side: bool,
    progress: bool,
) -> _Found:
    used = tracks if vector == "all" else [np.unique(_spaced(rows, frames, vector)) for rows in tracks]
    owner = np.repeat(np.arange(len(tracks)), [len(rows) for rows in used])
    found = embed_set(embedder, pictures[np.concatenate(used)], side=side, progress=progress)
    return _Found(found.unit(), owner[found.rows], found.unreadable, len(found))


def _of_clips(
    embedder: ClipEmbedder,
    pictures: IdentitySet,
    tracks: list[Int64],
    vector: str,
    frames: int,
    teller: SideTeller,
    progress: bool,
) -> _Found:
    vectors: list[Float32] = []
    owner: list[int] = []
    reasons: dict[str, str] = {}
    for track, rows in enumerate(
        tqdm(tracks, desc="embed", unit="track", disable=None if progress else True, leave=False)
    ):
        images = [_read(pictures, row, reasons) for row in rows.tolist()]
        readable = np.array([row for row, image in enumerate(images) if image is not None], np.int64)
        if not len(readable):
            continue
        clips = _clips(readable, frames, vector)
        for clip in clips:
            with teller.about(rows[:1]):  # all of the track are of one camera or view
                vectors.append(embedder.embed_clips([[images[row] for row in clip]]))
        owner += [track] * len(clips)
    report_unreadable(len(pictures), list(reasons.values()))
    return _Found(np.concatenate(vectors), np.array(owner, np.int64), tuple(reasons), len(owner) * frames)


def _read(pictures: IdentitySet, row: int, reasons: dict[str, str]) -> UInt8 | None:
    """A picture, or None and why by its name."""
    try:
        return pictures.read(row)
    except SourceError as error:
        reasons[pictures.names[row]] = str(error)
        return None
