"""From pictures to features, by the very embedder that is deployed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from rtreid_ros.datasets.identities.base import IdentitySet, report_unreadable
from rtreid_ros.errors import InputError, ModelError, SourceError
from rtreid_ros.evaluation.retrieval.features import Features
from rtreid_ros.evaluation.retrieval.side import SideTeller
from rtreid_ros.reid.crops import stack_crops
from rtreid_ros.types import Float32, Int64, UInt8

if TYPE_CHECKING:
    from rtreid_ros.reid.base import Embedder

FLIP = "flip"
"""How the trick of `embed_views` is named."""

_BATCH = 64


def embed_set(
    embedder: Embedder,
    pictures: IdentitySet,
    *,
    flip: bool = False,
    side: bool = False,
    progress: bool = True,
) -> Features:
    """One vector for each picture that can be read.

    Pictures that cannot be read are left out, counted, and named in a warning and in `Features.unreadable`.

    Args:
        embedder: what is judged.
        pictures: of any sizes.
        flip: whether to add the vector of the mirrored picture (test-time augmentation).
        side: whether the embedder is told which camera or view each picture is of.
        progress: whether to show a bar, where standard error is a terminal.

    Raises:
        ConfigError: the embedder knows no cameras or views and is to be told.
        InputError: there are no pictures.
        SourceError: none can be read.
        ModelError: the model fails, or gives no direction for a picture.
    """
    if flip:
        return embed_views(embedder, pictures, side=side, progress=progress)[1]
    return _embed(embedder, pictures, (False,), side, progress)[0]


def embed_views(
    embedder: Embedder, pictures: IdentitySet, *, side: bool = False, progress: bool = True
) -> tuple[Features, Features]:
    """Of each picture the vector, and its mean with that of the mirrored picture; see `embed_set`."""
    plain, mirrored = _embed(embedder, pictures, (False, True), side, progress)
    mean = (plain.vectors + mirrored.vectors) * np.float32(0.5)
    return plain, replace(plain, vectors=mean, tricks=(*plain.tricks, FLIP))


def _embed(
    embedder: Embedder, pictures: IdentitySet, views: tuple[bool, ...], side: bool, progress: bool
) -> list[Features]:
    """Features of each of `views`: mirrored or not."""
    if not len(pictures):
        raise InputError("no pictures to embed: the set is empty")
    teller = SideTeller(embedder, pictures, side=side)
    vectors = np.empty((len(views), len(pictures), embedder.dim), np.float32)
    readable = np.zeros(len(pictures), bool)
    reasons: list[str] = []
    # disable=None: not where standard error is no terminal
    bar = tqdm(
        total=len(pictures), desc="embed", unit="image", disable=None if progress else True, leave=False
    )
    with bar:
        for sheets in _ahead(pictures, views):
            reasons += sheets.reasons
            bar.update(len(sheets.rows) + len(sheets.reasons))
            if not len(sheets.rows):
                continue
            readable[sheets.rows] = True
            for view, image in enumerate(sheets.images):
                with teller.about(sheets.rows):
                    vectors[view, sheets.rows] = embedder.embed(image, sheets.boxes)
    report_unreadable(len(pictures), reasons)
    kept = pictures[readable]
    unreadable = tuple(name for name, good in zip(pictures.names, readable, strict=True) if not good)
    vectors = vectors[:, readable]
    lost = ~np.isfinite(vectors).all(axis=(0, 2))
    if lost.any():
        raise ModelError(
            f"{embedder.info.name} gives no finite vector for {lost.sum()} of {len(kept)} pictures, such as "
            f"{kept.names[lost.argmax()]}"
        )
    rows = np.flatnonzero(readable)
    return [
        Features(of, kept.identities, kept.cameras, kept.sequences, rows, unreadable, teller.tricks)
        for of in vectors
    ]


class _Sheets(NamedTuple):
    """Some pictures on one image, one below the other, as an embedder takes many crops of an image.

    Attributes:
        rows: ``(n,)`` of the pictures that could be read, in their set.
        boxes: ``(n, 4) float32``, where each lies: whole pixels, so that crops are the pictures themselves.
        images: the image for each view.
        reasons: why the others could not be read.
    """

    rows: Int64
    boxes: Float32
    images: list[UInt8]
    reasons: list[str]


def _ahead(pictures: IdentitySet, views: tuple[bool, ...]) -> Iterator[_Sheets]:
    """All pictures in sheets; the next ones are decoded while one is used."""
    threads = len(os.sched_getaffinity(0))
    waiting: deque[Future[_Sheets]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(pictures), _BATCH):
            rows = range(start, min(start + _BATCH, len(pictures)))
            waiting.append(pool.submit(_sheets, pictures, rows, views))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _sheets(pictures: IdentitySet, rows: range, views: tuple[bool, ...]) -> _Sheets:
    read = {row: _read(pictures, row) for row in rows}
    images = {row: image for row, image in read.items() if not isinstance(image, str)}
    reasons = [reason for reason in read.values() if isinstance(reason, str)]
    plain, boxes = stack_crops(list(images.values()))
    sheets = [
        stack_crops([image[:, ::-1] for image in images.values()])[0] if mirrored else plain
        for mirrored in views
    ]
    return _Sheets(np.array(list(images), np.int64), boxes, sheets, reasons)


def _read(pictures: IdentitySet, row: int) -> UInt8 | str:
    """A picture, or why it cannot be read."""
    try:
        return pictures.read(row)
    except SourceError as error:
        return str(error)
