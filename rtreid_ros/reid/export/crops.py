"""Real crops to try an exported model on."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtreid_ros.datasets.identities import IdentitySet, open_identities
from rtreid_ros.datasets.identities.store import open_store, read_picture
from rtreid_ros.datasets.synthetic.crops import identity_crops
from rtreid_ros.datasets.synthetic.options import SceneOptions
from rtreid_ros.datasets.synthetic.scene import SyntheticScene
from rtreid_ros.errors import RtreidError, SourceError
from rtreid_ros.types import UInt8

logger = logging.getLogger(__name__)

COUNT = 64
"""Crops to try a model on."""


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Pictures ``(h, w, 3) uint8`` BGR of any size, and where they are from."""

    images: tuple[UInt8, ...]
    origin: str


def find_crops(place: str | Path | None, config: Mapping[str, Any]) -> Crops:
    """Crops of `place`; if None, of the data set that a training's `config` names, else synthetic ones.

    Raises:
        SourceError: `place` is given and holds no readable picture.
    """
    if place is not None:
        return stored_crops(place)
    data = config.get("data", {})
    try:
        return dataset_crops(data["dataset"], data["root"], data["split"])
    except KeyError:
        logger.info("the checkpoint names no data set; synthetic crops are taken")
    except RtreidError as error:
        logger.warning("no crops of the checkpoint's data set, so synthetic ones are taken: %s", error)
    return synthetic_crops()


def stored_crops(place: str | Path, count: int = COUNT) -> Crops:
    """Pictures of a folder or an uncompressed .tar file, spread evenly over all.

    Raises:
        SourceError: there are none, or none can be read.
    """
    store = open_store(place)
    paths = store.pictures("")
    images = _readable(len(paths), lambda index: read_picture(store, paths[index]), count)
    if not images:
        raise SourceError(f"{place}: none of its {len(paths)} pictures can be read; give a folder of crops")
    return Crops(images, store.root.name)


def dataset_crops(name: str, root: str, split: str, count: int = COUNT) -> Crops:
    """Pictures of an identity data set, of those it is judged on where there are any.

    Raises:
        RtreidError: it cannot be opened, or is empty.
    """
    for part in ("gallery", "query", "train"):  # one by one: some data sets are long in the making
        pictures: IdentitySet = getattr(open_identities(name, root, split, (part,)), part)
        if images := _readable(len(pictures), pictures.read, count):
            return Crops(images, name)
    raise SourceError(f"{name} has no picture that can be read")


def synthetic_crops(count: int = COUNT) -> Crops:
    """People of the synthetic street."""
    found = identity_crops(SyntheticScene(SceneOptions()), per_person=4)
    return Crops(tuple(crop.image for crop in itertools.islice(found, count)), "the synthetic street")


def _readable(total: int, read: Callable[[int], UInt8], count: int) -> tuple[UInt8, ...]:
    """Up to `count` of `total` pictures; one that cannot be read is named and left out."""

    def attempt(index: int) -> UInt8 | None:
        try:
            return read(index)
        except SourceError as error:
            logger.warning("left out: %s", error)
            return None

    indices = np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int)).tolist()
    return tuple(image for image in map(attempt, indices) if image is not None)
