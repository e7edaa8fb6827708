"""The pictures of a training: decoded once, then resident."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.data.sampler import rows_of_each
from rtreid_ros.reid.sides import Sides
from rtreid_ros.reid.training.config import TrainingConfig
from rtreid_ros.reid.training.placement import Placement
from rtreid_ros.reid.training.synthetic import Added, check_synthetic, join, label
from rtreid_ros.types import Int64


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Training pictures, queries or gallery.

    Attributes:
        images: N pictures and who is on them.
        rows: ``(M,)`` pictures or ``(M, T)`` clips that are judged, as rows of `images`; one of a track.
        sides: ``(N,) int64`` side information of each, where the pictures are; None where none is used.
    """

    images: ResidentImages
    rows: Int64
    sides: torch.Tensor | None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shown(self) -> Int64:
        """``(M,)`` the picture that stands for each: of a clip, the middle one."""
        return self.rows if self.rows.ndim == 1 else self.rows[:, self.rows.shape[1] // 2]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """All parts of a data set.

    Attributes:
        name: of the data set.
        train: what is learnt from.
        query: pictures to search with; None where the split holds none out.
        gallery: pictures to search in; likewise.
        sides: what the numbers of the side information stand for.
        added: what is known of generated pictures behind the real ones to learn from; None = there are none.
    """

    name: str
    train: Part
    query: Part | None
    gallery: Part | None
    sides: Sides
    added: Added | None = None

    @property
    def generated(self) -> int:
        """Pictures to learn from that are not real."""
        return 0 if self.added is None else len(self.train.images) - self.added.real

    @property
    def unreadable(self) -> int:
        """Pictures that were left out."""
        return sum(len(part.images.unreadable) for part in (self.train, self.query, self.gallery) if part)


def part_of(images: ResidentImages, sides: Sides, frames: int = 0) -> Part:
    """Pictures with the numbers of their side information; `frames` of a clip, 0 = judged one by one."""
    rows = clips_of_tracks(images, frames) if frames else np.arange(len(images))
    if not len(sides):
        return Part(images, rows, None)
    numbers = torch.from_numpy(sides.numbers(images.cameras, images.sequences))
    return Part(images, rows, numbers.to(images.images.device))


def tracks_of(images: ResidentImages) -> Int64:
    """``(N,)``: numbers of what cameras and their sequences have seen of one identity."""
    keys = np.stack([images.identities, images.cameras, images.sequences])
    return np.unique(keys, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)


def clips_of_tracks(images: ResidentImages, frames: int) -> Int64:
    """``(M, frames)`` rows: of each track, frames evenly spread over it, in their order."""
    members = rows_of_each(tracks_of(images))
    spread = [np.linspace(0, len(rows) - 1, frames).round().astype(np.int64) for rows in members]
    return np.stack([rows[places] for rows, places in zip(members, spread, strict=True)])


def load_pictures(config: TrainingConfig, placement: Placement, *, progress: bool = True) -> Pictures:
    """Open a data set and decode it to the network's size.

    Pictures that cannot be read are left out, named and counted.

    Raises:
        SourceError: it cannot be opened, or has no training picture that can be read.
        ConfigError: an unknown data set, or side information that it does not have.
    """
    check_synthetic(config)
    options = config.data
    dataset = open_identities(options.dataset, options.root, options.split, **asdict(config.dataset))
    if not len(dataset.train):
        raise SourceError(f"{dataset.name}: no training picture in {options.root!r} (split {options.split})")
    if config.synthetic.ratio:
        dataset = replace(dataset, train=join(dataset.train, config.synthetic))
    parts = (dataset.train, dataset.query, dataset.gallery)
    size = (options.height, options.width)
    device = placement.for_images(sum(map(len, parts)), *size)
    judged = all(len(part) > 0 for part in parts)
    train, query, gallery = (
        ResidentImages.load(part, size, device, progress) if part is dataset.train or judged else None
        for part in parts
    )
    assert train is not None
    added = None
    if config.synthetic.ratio:
        train, added = label(train, config.synthetic, progress=progress)
    sides = Sides.seen(options.side, train.cameras, train.sequences, dataset.name)
    if options.side != "none" and not len(sides):
        raise ConfigError(f"data.side={options.side}: {dataset.name} does not tell it; use data.side=none")
    learnt = part_of(train, sides, options.frames)
    if added is not None and not added.own:
        learnt = replace(learnt, rows=np.arange(added.real))  # memories begin with what has an identity
    return Pictures(
        dataset.name,
        learnt,
        None if query is None else part_of(query, sides, options.frames),
        None if gallery is None else part_of(gallery, sides, options.frames),
        sides,
        added,
    )
